"""The canonical weights: one set of names, shapes and layouts a workload, which every example imports and exports.

`workloads/<name>/weights.py` states them.
"""

import importlib

import numpy as np


def _stated(workload):
    return importlib.import_module(f"workloads.{workload}.weights")


def shapes(workload):
    """Name -> shape of each canonical weight of a workload, in the order of the layers."""
    return _stated(workload).shapes()


def axes(workload):
    """Name -> the axes of a weight and their sizes, of the weights whose shape does not show what its axes are."""
    return _stated(workload).AXES


def gates(workload):
    """Name -> the gates that a weight holds one after the other along its first axis, of those that hold several."""
    return _stated(workload).GATES


def fans(shape):
    """(fan in, fan out) of a weight in canonical layout: kernels count their receptive field."""
    field = int(np.prod(shape[2:]))
    return shape[1] * field, shape[0] * field


def bound(workload, name):
    """The bound of the uniform distribution that a matrix or kernel starts with: Glorot's, or the one stated."""
    stated = _stated(workload).BOUNDS.get(name)
    return float(np.sqrt(6.0 / sum(fans(shapes(workload)[name])))) if stated is None else stated


def canonical(workload, seed=0):
    """Float32 weights that are the same on every machine (NumPy's RandomState is frozen by policy).

    Matrices and kernels are uniform in ± `bound`. Biases are uniform ± 0.05 and not zero: a black pixel must not meet
    ReLU at exactly 0.
    """
    random = np.random.RandomState(seed)
    weights = {}
    for name, shape in shapes(workload).items():
        limit = 0.05 if len(shape) == 1 else bound(workload, name)
        weights[name] = random.uniform(-limit, limit, shape).astype(np.float32)
    return weights


def check(workload, weights):
    """Raise ValueError unless `weights` has exactly the canonical names and shapes of the workload."""
    expected = shapes(workload)
    if set(weights) != set(expected):
        difference = ", ".join(sorted(set(weights) ^ set(expected)))
        raise ValueError(f"the weights' names differ from the canonical ones in: {difference}.")
    for name, shape in expected.items():
        if np.shape(weights[name]) != shape:
            raise ValueError(f"{name} has shape {np.shape(weights[name])}, not {shape}.")
