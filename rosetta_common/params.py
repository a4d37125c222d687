"""The hyper-parameters of both workloads, stated once for every framework.

An example reads them when its verbs are called (`params.seed`, never a copy made at import), so
that the certificate can switch dropout off or ask for float64 without touching the example.
Source: the notebooks of the seed document, see "How the numbers are made" on the site.
"""

from types import SimpleNamespace

cnn = SimpleNamespace(
    classes=10,
    epochs=10,
    batch_size=64,
    learning_rate=0.01,
    momentum=0.9,  # classical: not Nesterov, no weight decay
    dropout=(0.25, 0.25, 0.5),  # rate of zeroing: after each pool, and before the last dense layer
    seed=0,
    dtype="float32",
)

gru = SimpleNamespace(
    classes=2,
    epochs=3,
    batch_size=64,
    learning_rate=0.001,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    max_length=150,  # words of a review that are kept
    vocabulary=30000,  # features: 0 padding, 1 start, 2 out of vocabulary, then the words by rank
    embedding=125,
    embedding_bound=0.05,  # embedding weights start uniform in ± this
    units=100,
    seed=0,
    dtype="float32",
)
