"""The canonical weights of the GRU.

The order of the gates is reset, update, new (r, z, n). The reset gate applies after the recurrent product, as in cuDNN
(source: PyTorch's documentation of torch.nn.GRU).
"""

from workloads.gru.hyperparameters import params

BOUNDS = {"embedding": params.embedding_bound}  # of a uniform start that is not Glorot's
AXES = {"embedding": (("word", "feature"), (params.vocabulary, params.embedding))}
GATES = dict.fromkeys(("gru.weight_ih", "gru.weight_hh", "gru.bias_ih", "gru.bias_hh"), ("r", "z", "n"))


def shapes():
    """Name -> shape of each canonical weight, in the order of the layers."""
    gates = 3 * params.units
    return {
        "embedding": (params.vocabulary, params.embedding),
        "gru.weight_ih": (gates, params.embedding),
        "gru.weight_hh": (gates, params.units),
        "gru.bias_ih": (gates,),
        "gru.bias_hh": (gates,),
        "fc.weight": (params.classes, params.units),
        "fc.bias": (params.classes,),
    }
