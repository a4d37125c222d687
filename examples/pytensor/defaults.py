"""What PyTensor does when nothing is said: of what a network needs it has almost nothing; the examples say it all."""

unanswered = {
    "convolution": "PyTensor has no layers; its signal.convolve2d knows no channels",
    "dense": "PyTensor has no layers",
    "embedding": "PyTensor has no layers; an embedding is an index",
    "gru": "PyTensor has no layers; its scan runs any step over time",
    "max_pool": "PyTensor has no layers",
    "momentum": "PyTensor has no optimizers",
    "adam": "PyTensor has no optimizers",
    "cross_entropy": "PyTensor has no losses; its log_softmax takes scores",
    "dropout": "PyTensor has no layers",
    "loader": "PyTensor has no loader",
    "shuffled_loader": "PyTensor has no loader",
    "padding": "PyTensor has nothing that pads sequences; its pad is told how much goes where",
    "input_gradient": "PyTensor derives only what is asked for: the step of training holds no gradient to the input",
}
