"""The limits of the logistic regression's certificate."""

from rosetta_host.certificate.limits import WorkloadLimits

CHECKS = ("scores", "loss", "step median", "step worst", "tensor median", "loop", "schedule")
limits = WorkloadLimits(checks=dict.fromkeys(CHECKS, 1e-4), loss_floor=1e-11, rounding_floor=1e-8)
