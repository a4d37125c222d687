"""The canonical weights of the logistic regression."""

from workloads.logistic.hyperparameters import params

BOUNDS = {}
AXES = {}
GATES = {}


def shapes():
    """Name -> shape of each canonical weight."""
    return {"fc.weight": (params.classes, params.features), "fc.bias": (params.classes,)}
