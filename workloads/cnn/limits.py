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
    # In float32 the error of the worst loss is at least 8e-8.
    loss_floor=1e-8,
    # The 95th percentile of the movements' errors is 5e-7 in the most exact frameworks, and 1e-7 for a step that is
    # computed in float64 and then rounded.
    rounding_floor=3e-7,
)
