"""What every framework is asked of its defaults: each question and its facets, in words for a reader.

`examples/*/defaults.py` has a function a question; `defaults` puts them and infers an answer a facet.
"""

from __future__ import annotations

# question -> (what is made, with nothing said beyond what it needs, {facet: what is asked of it})
QUESTIONS = {
    "convolution": (
        "A convolution, told its channels and the size of its kernel",
        {
            "weights": "the law of its first weights",
            "bias": "its bias at the start",
            "padding": "padding",
            "stride": "stride",
            "flip": "whether the kernel is turned",
            "activation": "activation",
            "channels": "order of the channels",
            "number": "what a kernel given as 3 is",
            "pair": "what a kernel given as (3, 3) is",
        },
    ),
    "dense": (
        "A dense layer, told its sizes",
        {
            "weights": "the law of its first weights",
            "bias": "its bias at the start",
            "activation": "activation",
            "float64": "what becomes of float64 samples",
        },
    ),
    "embedding": ("An embedding, told its sizes", {"weights": "the law of its first weights"}),
    "gru": (
        "A GRU, told its units",
        {
            "input_weights": "the law of the weights on the input",
            "recurrent_weights": "the law of the recurrent weights",
            "bias": "its biases at the start",
            "biases": "how many biases a gate has",
            "reset_gate": "where the reset gate stands",
            "gate": "the activation of its gates",
            "output": "what it gives",
        },
    ),
    "max_pool": (
        "A max-pool, told its window of 2 × 2",
        {
            "stride": "stride",
            "edge": "what becomes of a seventh row",
            "ties": "who gets the gradient where values are equal",
        },
    ),
    "momentum": (
        "SGD, told its learning rate and momentum",
        {
            "kind": "the kind of momentum",
            "not_finite": "what NaN and infinity in a gradient do",
            "clipping": "what becomes of a huge gradient",
        },
    ),
    "adam": (
        "Adam, told nothing",
        {
            "learning_rate": "learning rate",
            "beta1": "β₁",
            "beta2": "β₂",
            "epsilon": "ε",
            "epsilon_place": "where ε stands",
            "correction": "the correction of its means' bias",
        },
    ),
    "cross_entropy": (
        "The cross-entropy of classes",
        {
            "soft_max": "where the soft-max is",
            "reduction": "what becomes of a batch",
            "labels": "labels that it takes",
        },
    ),
    "dropout": (
        "Drop-out, told a rate of ½",
        {
            "scaling": "how training makes up for what is dropped",
            "unsaid": "a layer called by itself, with no word of training or test",
        },
    ),
    "loader": (
        "The framework's own loader, told the batch size",
        {"order": "order of the samples", "last_batch": "the last, smaller mini-batch"},
    ),
    "shuffled_loader": ("The framework's own loader, told to shuffle", {"unit": "what is shuffled"}),
    "padding": (
        "A helper that pads sequences",
        {"side": "where it pads", "value": "what it pads with", "cut": "where it cuts"},
    ),
    "input_gradient": ("A backward pass for the weights", {"unasked": "the gradient to the input"}),
}
