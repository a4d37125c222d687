"""The questions about the defaults of every framework: each one and its facets, in words for a reader.

`examples/*/defaults.py` has one function per question; `defaults` runs it and infers one answer per facet.
"""

from __future__ import annotations

# question -> (what is built from its required arguments alone, {facet: what is asked about it})
QUESTIONS = {
    "convolution": (
        "A convolution, given its channels and the size of its kernel",
        {
            "weights": "the distribution of its initial weights",
            "bias": "its initial bias",
            "padding": "padding",
            "stride": "stride",
            "flip": "whether the kernel is rotated",
            "activation": "activation",
            "channels": "order of the channels",
            "number": "what a kernel given as 3 means",
            "pair": "what a kernel given as (3, 3) means",
        },
    ),
    "dense": (
        "A dense layer, given its sizes",
        {
            "weights": "the distribution of its initial weights",
            "bias": "its initial bias",
            "activation": "activation",
            "float64": "what happens to float64 samples",
        },
    ),
    "embedding": ("An embedding, given its sizes", {"weights": "the distribution of its initial weights"}),
    "gru": (
        "A GRU, given its units",
        {
            "input_weights": "the distribution of its input weights",
            "recurrent_weights": "the distribution of its recurrent weights",
            "bias": "its initial biases",
            "biases": "how many biases each gate has",
            "reset_gate": "where the reset gate acts",
            "gate": "the activation of its gates",
            "output": "what it returns",
        },
    ),
    "max_pool": (
        "A max pooling layer, given its window of 2 × 2",
        {
            "stride": "stride",
            "edge": "what happens to a seventh row",
            "ties": "which input gets the gradient if values are equal",
        },
    ),
    "momentum": (
        "SGD, given its learning rate and momentum",
        {
            "kind": "the kind of momentum",
            "not_finite": "the effect of NaN and infinity in a gradient",
            "clipping": "what happens to a huge gradient",
        },
    ),
    "adam": (
        "Adam, given no argument",
        {
            "learning_rate": "learning rate",
            "beta1": "β₁",
            "beta2": "β₂",
            "epsilon": "ε",
            "epsilon_place": "where ε is added",
            "correction": "the correction of its means' bias",
        },
    ),
    "cross_entropy": (
        "The cross-entropy of classes",
        {
            "soft_max": "where the softmax is",
            "reduction": "how a batch is reduced",
            "labels": "the labels that it accepts",
        },
    ),
    "dropout": (
        "A dropout layer, given a rate of ½",
        {
            "scaling": "how training compensates for dropped units",
            "unsaid": "behavior without a training or test mode",
        },
    ),
    "loader": (
        "The framework's own loader, given the batch size",
        {"order": "order of the samples", "last_batch": "the last, smaller mini-batch"},
    ),
    "shuffled_loader": ("The framework's own loader, asked to shuffle", {"unit": "what is shuffled"}),
    "padding": (
        "A helper that pads sequences",
        {"side": "where it pads", "value": "what it pads with", "cut": "where it cuts"},
    ),
    "input_gradient": ("A backward pass for the weights", {"unasked": "the gradient to the input"}),
}
