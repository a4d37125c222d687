"""A logistic regression on made-up points: a workload of the tests' own."""

from workloads.logistic.data import points_for_library, read
from workloads.logistic.hyperparameters import params

__all__ = ["params", "points_for_library", "read"]
