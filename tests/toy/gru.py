"""A GRU on IMDB in a framework of the tests' own: gradients and Adam are the oracle's, the plumbing is on trial."""

from types import SimpleNamespace

import numpy as np

from rosetta_common import weights
from rosetta_common.data import minibatches
from rosetta_host.certificate import oracle
from workloads.gru import imdb_for_library, params

noise = np.random.RandomState(0)


def load_data():
    return imdb_for_library()


def create_symbol():
    return weights.shapes("gru")


def init_model(symbol):
    np.random.seed(params.seed)
    start = {name: np.zeros(shape) for name, shape in symbol.items()}
    for name, shape in symbol.items():
        if len(shape) > 1:
            bound = params.embedding_bound if name == "embedding" else np.sqrt(6 / sum(shape))
            start[name] = np.random.uniform(-bound, bound, shape)
    start = {name: weight.astype(params.dtype) for name, weight in start.items()}
    return SimpleNamespace(weights=start, optimizer=oracle.optimizer("gru"))


def rounded(gradient):
    """The oracle computes in float64: as inexact as what a framework computes in float32."""
    inexact = params.dtype == "float32"
    return gradient * (1 + 1e-6 * noise.standard_normal(gradient.shape)) if inexact else gradient


def train(model, x, y):
    losses = []
    for data, target in minibatches(x, y, params.batch_size):
        loss, gradients = oracle.gradients("gru", model.weights, data, target)
        for name, movement in model.optimizer.movement({name: rounded(g) for name, g in gradients.items()}).items():
            model.weights[name] += movement.astype(params.dtype)
        losses.append(np.asarray(loss, params.dtype))
    return float(np.mean(losses))


def predict(model, x):
    return oracle.scores("gru", model.weights, x).astype(params.dtype)


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    return {name: weight.copy() for name, weight in model.weights.items()}


def import_weights(model, weights):
    model.weights.update({name: weight.astype(params.dtype) for name, weight in weights.items()})


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
