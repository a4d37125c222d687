"""The hyperparameters of the logistic regression."""

from types import SimpleNamespace

params = SimpleNamespace(
    classes=2,
    epochs=2,
    batch_size=64,
    learning_rate=0.5,
    momentum=0.9,
    features=300,
    seed=0,
    dtype="float32",
)
