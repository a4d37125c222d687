"""A GRU on IMDB reviews in PyTensor, which has no layers: a network is an expression of its weights."""

from types import SimpleNamespace

import numpy as np
import pytensor
import pytensor.tensor as pt

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def load_data():
    """Reviews (n, 150) and integer class labels."""
    return imdb_for_library()


def create_symbol():
    """The weights, shared by all that is compiled; and the network, a function from reviews to scores."""
    pytensor.config.floatX = params.dtype  # of numbers that are written in an expression
    gates = 3 * params.units  # reset, update, new, one after the other
    shapes = {
        "embedding": (params.vocabulary, params.embedding),
        "gru.weight_ih": (gates, params.embedding),
        "gru.weight_hh": (gates, params.units),
        "gru.bias_ih": (gates,),
        "gru.bias_hh": (gates,),
        "fc.weight": (params.classes, params.units),
        "fc.bias": (params.classes,),
    }
    random, weights = np.random.default_rng(params.seed), {}
    for name, shape in shapes.items():  # the embedding starts uniform, matrices Glorot-uniform, biases at zero
        bound = params.embedding_bound if name == "embedding" else np.sqrt(6 / sum(shape)) * (len(shape) == 2)
        weights[name] = pytensor.shared(random.uniform(-bound, bound, shape).astype(params.dtype), shape=shape)

    def network(words):
        embedding, weight_ih, weight_hh, bias_ih, bias_hh, weight, bias = weights.values()
        inputs = embedding[words.T] @ weight_ih.T + bias_ih  # of all time steps at once
        start = pt.zeros((words.shape[0], params.units))
        states = pytensor.scan(gru_cell, inputs, start, [weight_hh, bias_hh], return_updates=False)
        return states[-1] @ weight.T + bias

    return SimpleNamespace(weights=weights, network=network)


def gru_cell(x, state, weight, bias):
    """The next state (n, units); x and h hold the three gates' parts side by side, (n, 3 x units)."""
    h = state @ weight.T + bias
    x_reset, x_update, x_new = pt.split(x, [params.units] * 3, n_splits=3, axis=1)
    h_reset, h_update, h_new = pt.split(h, [params.units] * 3, n_splits=3, axis=1)
    reset, update = pt.sigmoid(x_reset + h_reset), pt.sigmoid(x_update + h_update)
    new = pt.tanh(x_new + reset * h_new)
    return (1 - update) * new + update * state


def adam(weights, gradients):
    """The updates of the shared variables in a step: weights, the gradients' means and squares, and the count."""
    count = pytensor.shared(np.array(0, params.dtype))
    updates = {count: count + 1}
    for weight, gradient in zip(weights, gradients):
        mean, square = (pytensor.shared(0 * weight.get_value(), shape=weight.type.shape) for _ in range(2))
        updates[mean] = params.beta1 * mean + (1 - params.beta1) * gradient
        updates[square] = params.beta2 * square + (1 - params.beta2) * gradient**2
        corrected = updates[mean] / (1 - params.beta1 ** (count + 1))
        root = pt.sqrt(updates[square] / (1 - params.beta2 ** (count + 1)))
        updates[weight] = weight - params.learning_rate * corrected / (root + params.epsilon)
    return updates


def init_model(symbol):
    """PyTensor compiles a function for each use of the network: one step of training, and prediction."""
    words, labels = pt.imatrix("words"), pt.ivector("labels")
    scores = symbol.network(words)
    loss = -pt.special.log_softmax(scores, axis=1)[pt.arange(labels.shape[0]), labels].mean()
    weights = list(symbol.weights.values())
    return SimpleNamespace(
        weights=symbol.weights,
        step=pytensor.function([words, labels], loss, updates=adam(weights, pytensor.grad(loss, weights))),
        scores=pytensor.function([words], scores),
    )


def train(model, x, y):
    return float(np.mean([model.step(data, target) for data, target in minibatches(x, y, params.batch_size)]))


def predict(model, x):
    batches = np.split(x, range(params.batch_size, len(x), params.batch_size))
    return np.concatenate([model.scores(data) for data in batches])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    return {name: weight.get_value() for name, weight in model.weights.items()}


def import_weights(model, weights):
    for name, weight in weights.items():
        model.weights[name].set_value(weight)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
