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
    # In float32 the error of the worst loss is at least 2e-8.
    loss_floor=3e-9,
    # The 95th percentile of the movements' errors is 1e-6 in the most exact frameworks, and 2e-7 for a step that is
    # computed in float64 and then rounded.
    rounding_floor=4.5e-7,
)
