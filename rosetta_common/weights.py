"""The canonical weights: one set of names, shapes and layouts that every example imports and exports.

CNN: conv kernels (out, in, 3, 3) in correlation order; `fc1.weight` (512, 6400) over the
channel-first flatten. GRU: gate order reset, update, new (r, z, n); the reset gate applied after
the recurrent product, as cuDNN does (source: PyTorch's documentation of torch.nn.GRU).
"""

import numpy as np

from rosetta_common import params


def shapes(workload):
    """Name -> shape of each canonical weight of "cnn" or "gru", in the order of the layers."""
    if workload == "cnn":
        convolutions = [("conv1", 50, 3), ("conv2", 50, 50), ("conv3", 100, 50), ("conv4", 100, 100)]
        layers = [(name, (out, into, 3, 3)) for name, out, into in convolutions]
        layers += [("fc1", (512, 100 * 8 * 8)), ("fc2", (params.cnn.classes, 512))]
        return dict(pair for name, shape in layers for pair in ((name + ".weight", shape), (name + ".bias", shape[:1])))
    gates = 3 * params.gru.units
    return {
        "embedding": (params.gru.vocabulary, params.gru.embedding),
        "gru.weight_ih": (gates, params.gru.embedding),
        "gru.weight_hh": (gates, params.gru.units),
        "gru.bias_ih": (gates,),
        "gru.bias_hh": (gates,),
        "fc.weight": (params.gru.classes, params.gru.units),
        "fc.bias": (params.gru.classes,),
    }


def fans(shape):
    """(fan in, fan out) of a weight in canonical layout: kernels count their receptive field."""
    field = int(np.prod(shape[2:]))
    return shape[1] * field, shape[0] * field


def canonical(workload, seed=0):
    """Float32 weights that are the same on every machine (NumPy's RandomState is frozen by policy).

    Matrices and kernels are Glorot-uniform, the embedding uniform ± `params.gru.embedding_bound`.
    Biases are uniform ± 0.05 and not zero: a black pixel must not meet ReLU at exactly 0.
    """
    random = np.random.RandomState(seed)
    weights = {}
    for name, shape in shapes(workload).items():
        if name == "embedding":
            bound = params.gru.embedding_bound
        elif len(shape) == 1:
            bound = 0.05
        else:
            bound = np.sqrt(6.0 / sum(fans(shape)))
        weights[name] = random.uniform(-bound, bound, shape).astype(np.float32)
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
