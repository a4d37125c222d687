"""The hyperparameters of the CNN, stated once for every framework.

An example reads them when its functions are called (`params.seed`, never a copy made at import), so that the
certificate can switch dropout off or ask for float64 without touching the example. Source: the notebooks of the seed
document, see "How the numbers are made" on the site.
"""

from types import SimpleNamespace

params = SimpleNamespace(
    classes=10,
    epochs=10,
    batch_size=64,
    learning_rate=0.01,
    momentum=0.9,  # classical: not Nesterov, no weight decay
    dropout=(0.25, 0.25, 0.5),  # rate of zeroing: after each pool, and before the last dense layer
    seed=0,
    dtype="float32",
)
