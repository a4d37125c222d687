"""A VGG-style CNN on CIFAR-10 in plain NumPy: the mathematics itself, each layer with its backward pass."""

import numpy as np

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def load_data():
    return cifar_for_library(channel_first=True, one_hot=True)  # NCHW images


def windows(x):
    """What 3 x 3 kernels see of images (n, channels, h, w) padded with zeros: (n, channels, h, w, 3, 3)."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), axis=(2, 3))


def convolve(x, weight, bias):
    """Kernels (out, in, 3, 3) over images, as matrix products; backward, the gradients of x and the weights."""
    patches = windows(x)
    return np.tensordot(weight, patches, ((1, 2, 3), (1, 4, 5))).swapaxes(0, 1) + bias[:, None, None], lambda grad: [
        np.tensordot(weight, windows(grad)[..., ::-1, ::-1], ((0, 2, 3), (1, 4, 5))).swapaxes(0, 1),
        np.moveaxis(np.tensordot(patches, grad, ((0, 2, 3), (0, 2, 3))), 3, 0),
        grad.sum(axis=(0, 2, 3)),
    ]


def max_pool(x):
    corners = np.stack([x[:, :, i::2, j::2] for i, j in np.ndindex(2, 2)])
    mask = corners.argmax(axis=0) == np.arange(4).reshape(2, 2, 1, 1, 1, 1)  # of equal corners the first
    return corners.max(axis=0), lambda grad: [(grad * mask).transpose(2, 3, 4, 0, 5, 1).reshape(x.shape)]


def relu(x):
    return np.maximum(x, 0), lambda grad: [grad * (x > 0)]


def dropout(x, rate):
    mask = (np.random.random(x.shape) >= rate).astype(x.dtype) / (1 - rate)
    return x * mask, lambda grad: [grad * mask]


def dense(x, weight, bias):
    flat = x.reshape(len(x), -1)
    return flat @ weight.T + bias, lambda grad: [(grad @ weight).reshape(x.shape), grad.T @ flat, grad.sum(axis=0)]


def create_symbol():
    drop1, drop2, drop3 = params.dropout
    block1 = [(convolve, "conv1.weight", "conv1.bias"), (relu,), (convolve, "conv2.weight", "conv2.bias")]
    block2 = [(convolve, "conv3.weight", "conv3.bias"), (relu,), (convolve, "conv4.weight", "conv4.bias")]
    blocks = [*block1, (max_pool,), (relu,), (dropout, drop1), *block2, (max_pool,), (relu,), (dropout, drop2)]
    return [*blocks, (dense, "fc1.weight", "fc1.bias"), (relu,), (dropout, drop3), (dense, "fc2.weight", "fc2.bias")]


def init_model(symbol):
    np.random.seed(params.seed)
    shapes = {"conv1": (50, 3, 3, 3), "conv2": (50, 50, 3, 3), "conv3": (100, 50, 3, 3), "conv4": (100, 100, 3, 3)}
    weights = {}
    for name, shape in {**shapes, "fc1": (512, 100 * 8 * 8), "fc2": (params.classes, 512)}.items():
        bound = np.sqrt(6 / (sum(shape[:2]) * np.prod(shape[2:])))  # Glorot-uniform
        weights[name + ".weight"] = np.random.uniform(-bound, bound, shape).astype(params.dtype)
        weights[name + ".bias"] = np.zeros(shape[0], params.dtype)
    return {"steps": symbol, "weights": weights, "velocity": dict.fromkeys(weights, 0), "rate": params.learning_rate}


def forward(model, x, training):
    tape = []  # each layer's backward pass, with the names of its weights
    for step, *names in model["steps"]:
        if training or step is not dropout:
            x, back = step(x, *(model["weights"].get(name, name) for name in names))
            tape.append((back, names))
    return x, tape


def train(model, x, y):
    losses, weights, velocity = [], model["weights"], model["velocity"]
    for data, target in minibatches(x, y, params.batch_size):
        scores, tape = forward(model, data, training=True)
        probs = np.exp(scores - scores.max(axis=1, keepdims=True))
        probs /= probs.sum(axis=1, keepdims=True)
        losses.append(-np.log((probs * target).sum(axis=1)).mean())
        gradient = (probs - target) / len(target)
        for back, names in reversed(tape):
            gradient, *dweights = back(gradient)
            for name, dweight in zip(names, dweights):
                velocity[name] = params.momentum * velocity[name] + dweight
                weights[name] = weights[name] - model["rate"] * velocity[name]
    return float(np.mean(losses))


def set_learning_rate(model, learning_rate):
    model["rate"] = learning_rate


def predict(model, x):
    batches = np.split(x, range(params.batch_size, len(x), params.batch_size))
    return np.concatenate([forward(model, data, training=False)[0] for data in batches])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y.argmax(axis=1)))


def export_weights(model):
    return dict(model["weights"])


def import_weights(model, weights):
    model["weights"].update(weights)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
