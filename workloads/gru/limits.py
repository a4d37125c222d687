"""The limits of the GRU's certificate."""

from rosetta_host.certificate.limits import WorkloadLimits

limits = WorkloadLimits(
    checks={
        "scores": 1e-6,
        "loss": 1e-5,
        "step median": 5e-5,
        "step worst": 1e-3,
        "tensor median": 5e-4,
        "loop": 1e-3,
        "schedule": 1e-3,
    },
    # float32 leaves the worst loss 2e-8 off at least.
    loss_floor=3e-9,
    # The error that 95 in 100 such movements stay below is 1e-6 in the most exact frameworks, and 2e-7 in a step in
    # float64 whose end is rounded.
    rounding_floor=4.5e-7,
)
