"""A GRU on IMDB reviews in plain NumPy: the mathematics itself, and the way back through time."""

from types import SimpleNamespace

import numpy as np

from rosetta_common.data import imdb_for_library, minibatches
from rosetta_common.params import gru as params


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
    """Scores; the last state (n, units); and for the way back what each time step saw and computed."""
    inputs = weights["embedding"][words.T] @ weights["gru.weight_ih"].T + weights["gru.bias_ih"]
    state, seen = np.zeros((len(words), params.units), inputs.dtype), []
    for x in inputs:  # (n, 3 x units), one time step after the other
        h = state @ weights["gru.weight_hh"].T + weights["gru.bias_hh"]
        (x_gates, x_new), (h_gates, h_new) = (np.split(both, [2 * params.units], axis=1) for both in (x, h))
        reset, update = np.split(1 / (1 + np.exp(-x_gates - h_gates)), 2, axis=1)
        new = np.tanh(x_new + reset * h_new)
        seen.append((state, reset, update, new, h_new))
        state = (1 - update) * new + update * state
    return state @ weights["fc.weight"].T + weights["fc.bias"], state, seen


def backward(weights, words, of_scores, last, seen):
    """The gradients of all weights, from that of the scores."""
    of_state = of_scores @ weights["fc.weight"]
    of_x, of_h = np.empty((2, len(seen), len(words), 3 * params.units), of_state.dtype)
    for t, (state, reset, update, new, h_new) in reversed(list(enumerate(seen))):
        of_new = of_state * (1 - update) * (1 - new**2)
        of_reset = of_new * h_new * reset * (1 - reset)
        of_update = of_state * (state - new) * update * (1 - update)
        of_x[t] = np.hstack([of_reset, of_update, of_new])
        of_h[t] = np.hstack([of_reset, of_update, of_new * reset])
        of_state = of_state * update + of_h[t] @ weights["gru.weight_hh"]
    of_embedding = np.zeros_like(weights["embedding"])
    np.add.at(of_embedding, words.T, of_x @ weights["gru.weight_ih"])  # a word that occurs twice counts twice
    return {
        "embedding": of_embedding,
        "gru.weight_ih": np.tensordot(of_x, weights["embedding"][words.T], ((0, 1), (0, 1))),
        "gru.weight_hh": np.tensordot(of_h, [state for state, *_ in seen], ((0, 1), (0, 1))),
        "gru.bias_ih": of_x.sum(axis=(0, 1)),
        "gru.bias_hh": of_h.sum(axis=(0, 1)),
        "fc.weight": of_scores.T @ last,
        "fc.bias": of_scores.sum(axis=0),
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
        scores, last, seen = forward(model.weights, words)
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        losses.append(-np.log((chances * target).sum(axis=1)).mean())
        adam(model, backward(model.weights, words, (chances - target) / len(target), last, seen))
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
