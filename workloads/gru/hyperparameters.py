"""The hyperparameters of the GRU, stated once for every framework.

An example reads them when its functions are called (`params.seed`, never a copy made at import), so that the
certificate can ask for float64 without touching the example. Source: the notebooks of the seed document, see "How the
numbers are made" on the site.
"""

from types import SimpleNamespace

params = SimpleNamespace(
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
