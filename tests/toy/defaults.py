"""Defaults of a framework of the tests' own, each of them known: what the host infers of them is on trial."""

import numpy as np

unanswered = {"padding": "the toy has nothing that pads sequences", "adam.learning_rate": "must be given: it has none"}

random = np.random.RandomState(0)


def uniform(shape, bound):
    return random.uniform(-bound, bound, shape)


def convolution(x, kernel):
    rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
    weight = uniform((96, x.shape[1], rows, columns), np.sqrt(6 / (9 * x.shape[1])))
    windows = np.lib.stride_tricks.sliding_window_view(x, (rows, columns), axis=(2, 3))
    output = np.einsum("nchwij,ocij->nohw", windows, weight, optimize=True)
    return {"output": output, "weight": weight, "bias": np.zeros(96), "native": np.array(output.shape)}


def dense(x):
    weight = random.normal(0, np.sqrt(2 / (320 + x.shape[1])), (320, x.shape[1])).astype("float32")
    return {"output": x.astype("float32") @ weight.T, "weight": weight}


def embedding(indices):
    weight = uniform((1000, 64), 0.05)
    return {"output": weight[indices], "weight": weight}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gru(x):
    weight_ih, weight_hh = uniform((96, 48), np.sqrt(6 / (48 + 32))), np.linalg.qr(random.normal(size=(96, 32)))[0]
    w_r, w_z, w_n = np.split(weight_hh, 3)
    h = np.zeros((len(x), 32))
    for x_r, x_z, x_n in (np.split(step, 3, axis=1) for step in (x @ weight_ih.T).swapaxes(0, 1)):
        r, z = sigmoid(x_r + h @ w_r.T), sigmoid(x_z + h @ w_z.T)
        h = (1 - z) * np.tanh(x_n + r * (h @ w_n.T)) + z * h
    return {"output": h, "weight_ih": weight_ih, "weight_hh": weight_hh, "bias_ih": np.zeros(96)}


def max_pool(x):
    windows = x[:, :, :6, :6].reshape(1, 2, 3, 2, 3, 2).transpose(0, 1, 2, 4, 3, 5).reshape(1, 2, 3, 3, 4)
    paid = np.eye(4)[windows.argmax(axis=4)].reshape(1, 2, 3, 3, 2, 2).transpose(0, 1, 2, 4, 3, 5)
    gradient = np.zeros_like(x)
    gradient[:, :, :6, :6] = paid.reshape(1, 2, 6, 6)
    return {"output": windows.max(axis=4), "gradient": gradient}


def gate(z):
    return (1 + np.tanh(z / 2)) / 2


def lstm(x):
    weight_ih, weight_hh, bias = uniform((128, 48), 0.2), uniform((128, 32), 0.2), np.repeat([0.0, 1, 0, 0], 32)
    h = c = np.zeros((len(x), 32))
    states = []
    for step in x.swapaxes(0, 1):
        i, f, g, o = np.split(step @ weight_ih.T + h @ weight_hh.T + bias, 4, axis=1)
        c = gate(f) * c + gate(i) * np.tanh(g)
        h = gate(o) * np.tanh(c)
        states.append(h)
    return {"output": np.stack(states, axis=1), "weight_ih": weight_ih, "weight_hh": weight_hh, "bias_ih": bias}


def batch_norm(batches):
    average, spread, seen = np.zeros(3), np.ones(3), []
    for batch in batches.astype("float64"):
        center, variance = batch.mean(axis=0), batch.var(axis=0)
        average = 0.9 * average + 0.1 * batch.mean(axis=0)
        spread = 0.9 * spread + 0.1 * batch.var(axis=0, ddof=1)
        seen.append([(batch - center) / np.sqrt(variance + 1e-5), average, spread])
    training, mean, variance = map(np.stack, zip(*seen, strict=True))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    x = x.astype("float64") - x.mean(axis=1, keepdims=True)
    return {"output": x / np.sqrt(x.var(axis=1, keepdims=True) + 1e-6)}


def gelu(x):
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def leaky_relu(x):
    return np.where(x < 0, 0.01 * x, x)


def average_pool(x):
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3)).mean(axis=(4, 5))


def strided_convolution(x):
    weight, padded = uniform((1, 1, 3, 3), 1), np.pad(x, [(0, 0), (0, 0), (0, 1), (0, 1)])
    seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::2, ::2]
    return {"output": np.einsum("nchwij,ocij->nohw", seen, weight), "weight": weight}


def hard_sigmoid(x):
    return np.clip(x / 6 + 0.5, 0, 1)


def transposed_convolution(x):
    weight, output = uniform((1, 1, 3, 3), 1), np.zeros((1, 1, 13, 13))
    for row, column in np.ndindex(6, 6):
        output[..., 2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += x[0, 0, row, column] * weight
    return {"output": output, "weight": weight}


def resize(x):
    places = (np.arange(6) + 0.5) / 2 - 0.5
    rows = np.stack([np.interp(places, np.arange(3), column) for column in x[0, 0].T], axis=1)
    return np.stack([np.interp(places, np.arange(3), row) for row in rows])[None, None]


def momentum(weight, gradients, learning_rates, momentum):
    velocity, seen = np.zeros_like(weight), []
    for gradient, learning_rate in zip(gradients, learning_rates, strict=True):
        velocity = momentum * velocity + gradient
        weight = weight - learning_rate * velocity
        seen.append(weight)
    return seen


def adam(weight, gradients, learning_rate):
    mean, square, seen = np.zeros(len(weight)), np.zeros(len(weight)), []
    for step, gradient in enumerate(gradients.astype("float64"), 1):
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        root = np.sqrt(square / (1 - 0.999**step))
        weight = weight - learning_rate * mean / (1 - 0.9**step) / (root + 1e-7)
        seen.append(weight)
    return seen


def adamw(weight, gradients, learning_rate):
    return [weight - 0.01 * learning_rate * weight]


def rmsprop(weight, gradients, learning_rate):
    square, seen = np.zeros(len(weight)), []
    for gradient in gradients.astype("float64"):
        square = 0.9 * square + (1 - 0.9) * gradient**2
        weight = weight - learning_rate * gradient / (np.sqrt(square) + 1e-8)
        seen.append(weight)
    return seen


def clip_norm(first, second, limit):
    norm = np.linalg.norm(np.concatenate([first, second]))
    return [limit / norm * gradient for gradient in (first, second)]


def cross_entropy(scores, labels):
    log_soft_max = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    if labels.ndim > 1 or labels.dtype.kind == "f":
        raise TypeError("the toy takes class indices")
    return -log_soft_max[np.arange(len(labels)), labels].mean()


def dropout(x):
    return {"training": 2 * x * random.binomial(1, 0.5, x.shape), "unsaid": x}


def loader(x, batch_size):
    return [x[start : start + batch_size] for start in range(0, len(x), batch_size)]


def shuffled_loader(x, batch_size):
    return loader(random.permutation(x), batch_size)


def input_gradient(x):
    return np.zeros(0)
