"""What NumPy does when nothing is said: of what a network needs it has nothing, so that the examples say it all."""

unanswered = {
    "convolution": "NumPy has no layers; np.convolve, of one axis, turns its kernel, and np.correlate does not",
    "dense": "NumPy has no layers",
    "embedding": "NumPy has no layers; an embedding is an index",
    "gru": "NumPy has no layers",
    "max_pool": "NumPy has no layers",
    "momentum": "NumPy has no optimizers",
    "adam": "NumPy has no optimizers",
    "cross_entropy": "NumPy has no losses",
    "dropout": "NumPy has no layers",
    "loader": "NumPy has no loader",
    "shuffled_loader": "NumPy has no loader",
    "padding": "NumPy has no helper for sequences; np.pad is told how much goes where",
    "input_gradient": "NumPy derives no gradients",
}
