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
    "lstm": (
        "An LSTM, given its units",
        {
            "order": "the order of the gates in its weights: i(nput), f(orget), g (the new state), o(utput)",
            "forget_bias": "the initial bias of its forget gate",
            "biases": "how many biases each gate has",
            "peepholes": "peepholes, from the cell to the gates",
            "output": "what it returns",
        },
    ),
    "batch_norm": (
        "A batch normalization, given its channels",
        {
            "share": "the share of a new batch in the running statistics",
            "epsilon": "ε",
            "epsilon_place": "where ε is added",
            "running_variance": "how the running variance is taken",
            "training_uses": "what normalizes a batch in training",
        },
    ),
    "layer_norm": (
        "A layer normalization, given its size",
        {"epsilon": "ε", "epsilon_place": "where ε is added"},
    ),
    "gelu": ("A GELU, given no argument", {"form": "its formula"}),
    "leaky_relu": ("A leaky ReLU, given no slope", {"slope": "slope of negative inputs"}),
    "average_pool": (
        "An average pooling layer of 3 × 3 that pads by 1",
        {"border": "whether the padding counts in the mean"},
    ),
    "strided_convolution": (
        'A convolution of stride 2 with padding "same"',
        {"edge": "where it pads an even number of rows"},
    ),
    "hard_sigmoid": ("A hard sigmoid, given no argument", {"form": "its formula"}),
    "transposed_convolution": (
        "A transposed convolution of 3 × 3, given stride 2",
        {"size": "rows that come out of n", "kernel": "whether the kernel is rotated"},
    ),
    "resize": ("A bilinear resize to twice the size", {"grid": "which points of the two images lie on each other"}),
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
    "adamw": (
        "AdamW, given its learning rate",
        {"decay": "weight decay λ", "times_rate": "what else multiplies the decay"},
    ),
    "rmsprop": (
        "RMSprop, given its learning rate",
        {
            "smoothing": "ρ",
            "start": "where its mean of squares starts",
            "epsilon": "ε",
            "epsilon_place": "where ε is added",
        },
    ),
    "clip_norm": ("Clipping gradients by their norm", {"over": "whose norm is limited"}),
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
