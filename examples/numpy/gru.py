"""A GRU on IMDB reviews in plain NumPy: the mathematics itself, and backpropagation through time."""

from types import SimpleNamespace

import numpy as np

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def load_data():
    return imdb_for_library(one_hot=True)  # reviews (n, 150)


def create_symbol():
    gates = 3 * params.units  # reset, update, new, one after the other
    return {
        "embedding": (params.vocabulary, params.embedding),
        "gru.weight_ih": (gates, params.embedding),
        "gru.weight_hh": (gates, params.units),
        **dict.fromkeys(["gru.bias_ih", "gru.bias_hh"], (gates,)),
        "fc.weight": (params.classes, params.units),
        "fc.bias": (params.classes,),
    }


def init_model(symbol):
    """The embedding starts uniform, matrices Glorot-uniform, biases at zero."""
    np.random.seed(params.seed)
    weights = {}
    for name, shape in symbol.items():
        bound = params.embedding_bound if name == "embedding" else np.sqrt(6 / sum(shape)) * (len(shape) == 2)
        weights[name] = np.random.uniform(-bound, bound, shape).astype(params.dtype)
    return SimpleNamespace(weights=weights, mean=dict.fromkeys(weights, 0), square=dict.fromkeys(weights, 0), steps=0)


def forward(weights, words):
    """Scores; the last state (n, units); and the tape: what each time step was given and computed, for `backward`."""
    inputs = weights["embedding"][words.T] @ weights["gru.weight_ih"].T + weights["gru.bias_ih"]
    state, tape = np.zeros((len(words), params.units), inputs.dtype), []
    for x in inputs:  # (n, 3 x units), one time step after the other
        h = state @ weights["gru.weight_hh"].T + weights["gru.bias_hh"]
        (x_gates, x_new), (h_gates, h_new) = (np.split(both, [2 * params.units], axis=1) for both in (x, h))
        reset, update = np.split(1 / (1 + np.exp(-x_gates - h_gates)), 2, axis=1)
        new = np.tanh(x_new + reset * h_new)
        tape.append((state, reset, update, new, h_new))
        state = (1 - update) * new + update * state
    return state @ weights["fc.weight"].T + weights["fc.bias"], state, tape


def backward(weights, words, dscores, last, tape):
    """The gradients of all weights, from that of the scores."""
    dstate = dscores @ weights["fc.weight"]
    dx, dh = np.empty((2, len(tape), len(words), 3 * params.units), dstate.dtype)
    for t, (state, reset, update, new, h_new) in reversed(list(enumerate(tape))):
        dnew = dstate * (1 - update) * (1 - new**2)
        dreset = dnew * h_new * reset * (1 - reset)
        dupdate = dstate * (state - new) * update * (1 - update)
        dx[t] = np.hstack([dreset, dupdate, dnew])
        dh[t] = np.hstack([dreset, dupdate, dnew * reset])
        dstate = dstate * update + dh[t] @ weights["gru.weight_hh"]
    dembedding = np.zeros_like(weights["embedding"])
    np.add.at(dembedding, words.T, dx @ weights["gru.weight_ih"])  # a word that occurs twice counts twice
    return {
        "embedding": dembedding,
        "gru.weight_ih": np.tensordot(dx, weights["embedding"][words.T], ((0, 1), (0, 1))),
        "gru.weight_hh": np.tensordot(dh, [state for state, *_ in tape], ((0, 1), (0, 1))),
        "gru.bias_ih": dx.sum(axis=(0, 1)),
        "gru.bias_hh": dh.sum(axis=(0, 1)),
        "fc.weight": dscores.T @ last,
        "fc.bias": dscores.sum(axis=0),
    }


def adam(model, gradients):
    model.steps += 1
    for name, gradient in gradients.items():
        model.mean[name] = params.beta1 * model.mean[name] + (1 - params.beta1) * gradient
        model.square[name] = params.beta2 * model.square[name] + (1 - params.beta2) * gradient**2
        mean = model.mean[name] / (1 - params.beta1**model.steps)
        root = np.sqrt(model.square[name] / (1 - params.beta2**model.steps))
        model.weights[name] = model.weights[name] - params.learning_rate * mean / (root + params.epsilon)


def train(model, x, y):
    losses = []
    for words, target in minibatches(x, y, params.batch_size):
        scores, last, tape = forward(model.weights, words)
        probs = np.exp(scores - scores.max(axis=1, keepdims=True))
        probs /= probs.sum(axis=1, keepdims=True)
        losses.append(-np.log((probs * target).sum(axis=1)).mean())
        adam(model, backward(model.weights, words, (probs - target) / len(target), last, tape))
    return float(np.mean(losses))


def predict(model, x):
    batches = np.split(x, range(params.batch_size, len(x), params.batch_size))
    return np.concatenate([forward(model.weights, words)[0] for words in batches])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y.argmax(axis=1)))


def export_weights(model):
    return dict(model.weights)


def import_weights(model, weights):
    model.weights.update(weights)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
