"""A VGG-style CNN on CIFAR-10 in PyTensor, which has no layers: a network is an expression of its weights."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytensor
import pytensor.tensor as pt

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def load_data():
    return cifar_for_library(channel_first=False, one_hot=False)  # NHWC images; integer class labels


def convolve(x, weight, bias):
    """3 x 3 kernels (out, in, 3, 3): nine copies of the zero-padded images, each shifted, and one matrix product."""
    (_, h, w, in_channels), out_channels = x.type.shape, weight.type.shape[0]
    padded = pt.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    patches = pt.concatenate([padded[:, i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=3)
    kernels = weight.transpose(2, 3, 1, 0).reshape((9 * in_channels, out_channels))
    return (patches.reshape((-1, 9 * in_channels)) @ kernels + bias).reshape((-1, h, w, out_channels))


def max_pool(x):
    _, h, w, channels = x.type.shape
    return x.reshape((-1, h // 2, 2, w // 2, 2, channels)).max(axis=(2, 4))


def dropout(x, rate, random):
    if random is None:
        return x, None  # in prediction all is kept
    random, draws = random.uniform(size=x.shape)  # its bernoulli takes ten times as long
    return x * (draws >= rate) / (1 - rate), random  # and the generator as it is after the draw


def dense(x, weight, bias):
    return x @ weight.T + bias


def create_symbol():
    """The weights, shared by all that is compiled; and the network, a function from images to scores."""
    pytensor.config.floatX = params.dtype  # of numbers that are written in an expression
    random, weights = np.random.default_rng(params.seed), {}
    shapes = {"conv1": (50, 3, 3, 3), "conv2": (50, 50, 3, 3), "conv3": (100, 50, 3, 3), "conv4": (100, 100, 3, 3)}
    for name, shape in {**shapes, "fc1": (512, 100 * 8 * 8), "fc2": (params.classes, 512)}.items():
        bound = np.sqrt(6 / (sum(shape[:2]) * np.prod(shape[2:])))  # Glorot-uniform
        weight = random.uniform(-bound, bound, shape).astype(params.dtype)
        weights[name + ".weight"] = pytensor.shared(weight, shape=shape)
        weights[name + ".bias"] = pytensor.shared(np.zeros(shape[0], params.dtype), shape=shape[:1])

    def network(x, random=None):
        drop1, drop2, drop3 = params.dropout
        conv1, conv2, conv3, conv4, fc1, fc2 = itertools.batched(weights.values(), 2)  # a weight and its bias
        x = pt.maximum(convolve(x, *conv1), 0)
        x = pt.maximum(max_pool(convolve(x, *conv2)), 0)
        x, random = dropout(x, drop1, random)
        x = pt.maximum(convolve(x, *conv3), 0)
        x = pt.maximum(max_pool(convolve(x, *conv4)), 0)
        x, random = dropout(x, drop2, random)
        x = pt.maximum(dense(x.transpose(0, 3, 1, 2).flatten(2), *fc1), 0)  # channel by channel
        x, random = dropout(x, drop3, random)
        return dense(x, *fc2), random

    return SimpleNamespace(weights=weights, network=network)


def init_model(symbol):
    """PyTensor compiles a function for each use of the network: one step of training, and prediction."""
    images, labels = pt.tensor4("images", shape=(None, 32, 32, 3)), pt.ivector("labels")
    random = pt.random.shared_rng(seed=params.seed)
    scores, drawn = symbol.network(images, random)
    loss = -pt.special.log_softmax(scores, axis=1)[pt.arange(labels.shape[0]), labels].mean()
    rate = pytensor.shared(np.array(params.learning_rate, params.dtype))
    weights, updates = list(symbol.weights.values()), {random: drawn}
    for weight, gradient in zip(weights, pytensor.grad(loss, weights)):
        velocity = pytensor.shared(0 * weight.get_value(), shape=weight.type.shape)
        updates[velocity] = params.momentum * velocity + gradient
        updates[weight] = weight - rate * updates[velocity]
    step = pytensor.function([images, labels], loss, updates=updates)
    predict_scores = pytensor.function([images], symbol.network(images)[0])
    return SimpleNamespace(weights=symbol.weights, rate=rate, step=step, scores=predict_scores)


def train(model, x, y):
    return float(np.mean([model.step(data, target) for data, target in minibatches(x, y, params.batch_size)]))


def set_learning_rate(model, learning_rate):
    model.rate.set_value(np.array(learning_rate, params.dtype))


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
