"""What Flax NNX and Optax do when nothing is said: each function builds one thing from what is required."""

import jax
import numpy as np
import optax
from flax import nnx

unanswered = {
    "loader": "Flax has no loader",
    "shuffled_loader": "Flax has no loader",
    "padding": "Flax has no helper for sequences",
    "adam.learning_rate": "must be given: optax.adam has no rate of its own",
    "dropout.unsaid": "must be given: a layer is told by train() and eval() what it is for",
}
RNGS = nnx.Rngs(0)


def convolution(x, kernel):
    layer = nnx.Conv(64, 96, kernel, rngs=RNGS)
    output = layer(x.transpose(0, 2, 3, 1))
    return {
        "output": output.transpose(0, 3, 1, 2),
        "weight": layer.kernel[...].transpose(3, 2, 0, 1),
        "bias": layer.bias[...],
        "native": np.array(output.shape),
    }


def dense(x):
    layer = nnx.Linear(640, 320, rngs=RNGS)
    return {"output": layer(x), "weight": layer.kernel[...].T, "bias": layer.bias[...]}


def embedding(indices):
    layer = nnx.Embed(1000, 64, rngs=RNGS)
    return {"output": layer(indices), "weight": layer.embedding[...]}


def gru(x):
    cell = nnx.GRUCell(48, 32, rngs=RNGS)
    return {
        "output": nnx.RNN(cell)(x),
        "weight_ih": cell.dense_i.kernel[...].T,
        "weight_hh": cell.dense_h.kernel[...].T,
        "bias_ih": cell.dense_i.bias[...],
    }


def max_pool(x):
    def pool(x):
        return nnx.max_pool(x, (2, 2))

    x = x.transpose(0, 2, 3, 1)
    arrays = {"output": pool(x), "gradient": jax.grad(lambda x: pool(x).sum())(x)}
    return {name: array.transpose(0, 3, 1, 2) for name, array in arrays.items()}


def lstm(x):
    cell = nnx.OptimizedLSTMCell(48, 32, rngs=RNGS)
    return {
        "output": nnx.RNN(cell)(x),
        "weight_ih": cell.dense_i.kernel[...].T,
        "weight_hh": cell.dense_h.kernel[...].T,
        "bias_hh": cell.dense_h.bias[...],
    }


def batch_norm(batches):
    layer, seen = nnx.BatchNorm(3, rngs=RNGS), []
    for batch in batches:
        seen.append([layer(batch), layer.mean[...], layer.var[...]])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    return {"output": nnx.LayerNorm(8, rngs=RNGS)(x)}


def gelu(x):
    return nnx.gelu(x)


def leaky_relu(x):
    return nnx.leaky_relu(x)


def average_pool(x):
    return nnx.avg_pool(x.transpose(0, 2, 3, 1), (3, 3), padding="SAME").transpose(0, 3, 1, 2)


def strided_convolution(x):
    layer = nnx.Conv(1, 1, (3, 3), strides=2, padding="SAME", use_bias=False, rngs=RNGS)
    output = layer(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    return {"output": output, "weight": layer.kernel[...].transpose(3, 2, 0, 1)}


def hard_sigmoid(x):
    return nnx.hard_sigmoid(x)


def transposed_convolution(x):
    layer = nnx.ConvTranspose(1, 1, (3, 3), strides=2, use_bias=False, rngs=RNGS)
    output = layer(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    return {"output": output, "weight": layer.kernel[...].transpose(3, 2, 0, 1)}


def resize(x):
    return jax.image.resize(x, (1, 1, 6, 6), "bilinear")


def steps(optimizers, weight, gradients):
    weight, weights = jax.numpy.asarray(weight), []
    state = optimizers[0].init(weight)
    for optimizer, gradient in zip(optimizers, gradients):
        updates, state = optimizer.update(gradient, state, weight)
        weight = optax.apply_updates(weight, updates)
        weights.append(weight)
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    """The rate is part of the transformation and the velocity is not: one of another rate takes it over."""
    return steps([optax.sgd(learning_rate, momentum) for learning_rate in learning_rates], weight, gradients)


def adam(weight, gradients, learning_rate):
    return steps([optax.adam(learning_rate=learning_rate)] * len(gradients), weight, gradients)


def adamw(weight, gradients, learning_rate):
    return steps([optax.adamw(learning_rate)], weight, gradients)


def rmsprop(weight, gradients, learning_rate):
    return steps([optax.rmsprop(learning_rate)] * len(gradients), weight, gradients)


def clip_norm(first, second, limit):
    clip = optax.clip_by_global_norm(limit)
    clipped, _ = clip.update([first, second], clip.init([first, second]))
    return clipped


def cross_entropy(scores, labels):
    return optax.softmax_cross_entropy_with_integer_labels(scores, labels)


def dropout(x):
    layer = nnx.Dropout(0.5, rngs=RNGS)
    return {"training": layer(x, deterministic=False), "unsaid": layer(x)}


def input_gradient(x):
    """value_and_grad derives with respect to its first argument, the network."""
    layer = nnx.Conv(3, 4, 3, rngs=RNGS)
    gradients = nnx.grad(lambda layer, x: layer(x).sum())(layer, x.transpose(0, 2, 3, 1))
    return np.zeros(0) if set(gradients) == {"kernel", "bias"} else next(iter(gradients.values()))
