"""The limits of the CNN's certificate."""

from rosetta_host.certificate.limits import WorkloadLimits

limits = WorkloadLimits(
    checks={
        "scores": 1e-6,
        "loss": 1e-5,
        "step median": 5e-4,
        "step worst": 2e-2,
        "tensor median": 3e-3,
        "loop": 2e-2,
        "schedule": 2e-2,
    },
    # float32 leaves the worst loss 8e-8 off at least.
    loss_floor=1e-8,
    # The error that 95 in 100 such movements stay below is 5e-7 in the most exact frameworks, and 1e-7 in a step in
    # float64 whose end is rounded.
    rounding_floor=3e-7,
)
