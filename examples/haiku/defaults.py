"""What Haiku and Optax do by default: each function builds one thing from its required arguments."""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import optax

unanswered = {
    "loader": "Haiku has no loader",
    "shuffled_loader": "Haiku has no loader",
    "padding": "Haiku has no helper for sequences",
    "max_pool.stride": "must be given: hk.max_pool has no strides of its own",
    "max_pool.edge": "must be given: hk.max_pool insists on padding, SAME or VALID",
    "adam.learning_rate": "must be given: optax.adam has no rate of its own",
    "batch_norm.share": "must be given: hk.BatchNorm has no decay_rate of its own",
}
KEY = jax.random.key(0)


def compute(forward, x):
    """The output of a function of modules, and the weights of its one module."""
    network = hk.without_apply_rng(hk.transform(forward))
    weights = network.init(KEY, x)
    [module] = weights.values()
    return network.apply(weights, x), module


def convolution(x, kernel):
    output, layer = compute(lambda x: hk.Conv2D(96, kernel)(x), x.transpose(0, 2, 3, 1))
    return {
        "output": output.transpose(0, 3, 1, 2),
        "weight": layer["w"].transpose(3, 2, 0, 1),
        "bias": layer["b"],
        "native": np.array(output.shape),
    }


def dense(x):
    output, layer = compute(lambda x: hk.Linear(320)(x), x)
    return {"output": output, "weight": layer["w"].T, "bias": layer["b"]}


def embedding(indices):
    output, layer = compute(lambda indices: hk.Embed(1000, 64)(indices), indices)
    return {"output": output, "weight": layer["embeddings"]}


def gru(x):
    """The gates lie in the order z, r, n, and z is the share of the new state."""

    def forward(x):
        core = hk.GRU(32)
        return hk.dynamic_unroll(core, x, core.initial_state(x.shape[1]))[0]  # time first

    output, layer = compute(forward, x.transpose(1, 0, 2))
    names = {"weight_ih": "w_i", "weight_hh": "w_h", "bias_ih": "b"}
    gates = {name: jnp.split(layer[own].T, 3) for name, own in names.items()}
    return {
        "output": output.transpose(1, 0, 2),
        **{name: jnp.concatenate([r, -z, n]) for name, (z, r, n) in gates.items()},
    }


def max_pool(x):
    """The window, the strides and the padding must all be given."""

    def pool(x):
        return hk.max_pool(x, 2, strides=2, padding="VALID")

    x = x.transpose(0, 2, 3, 1)
    arrays = {"output": pool(x), "gradient": jax.grad(lambda x: pool(x).sum())(x)}
    return {name: array.transpose(0, 3, 1, 2) for name, array in arrays.items()}


def lstm(x):
    """One matrix takes the input and the state together."""

    def forward(x):
        core = hk.LSTM(32)
        return hk.dynamic_unroll(core, x, core.initial_state(x.shape[1]))[0]  # time first

    output, layer = compute(forward, x.transpose(1, 0, 2))
    weight_ih, weight_hh = jnp.split(layer["w"], [48])
    return {
        "output": output.transpose(1, 0, 2),
        "weight_ih": weight_ih.T,
        "weight_hh": weight_hh.T,
        "bias_ih": layer["b"],
    }


def batch_norm(batches):
    """The decay rate must be given, and so whether there is a scale and an offset."""
    network = hk.without_apply_rng(
        hk.transform_with_state(lambda x: hk.BatchNorm(True, True, 0.9)(x, is_training=True))
    )
    weights, state = network.init(KEY, batches[0])
    seen = []
    for batch in batches:
        output, state = network.apply(weights, state, batch)
        seen.append([output, *(state[f"batch_norm/~/{name}_ema"]["average"][0] for name in ("mean", "var"))])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    """The axis must be given, and whether there is a scale and an offset."""
    return {"output": compute(lambda x: hk.LayerNorm(-1, True, True)(x), x)[0]}


def gelu(x):
    return jax.nn.gelu(x)


def leaky_relu(x):
    return jax.nn.leaky_relu(x)


def average_pool(x):
    return hk.avg_pool(x.transpose(0, 2, 3, 1), 3, strides=1, padding="SAME").transpose(0, 3, 1, 2)


def strided_convolution(x):
    output, layer = compute(lambda x: hk.Conv2D(1, 3, stride=2, with_bias=False)(x), x.transpose(0, 2, 3, 1))
    return {"output": output.transpose(0, 3, 1, 2), "weight": layer["w"].transpose(3, 2, 0, 1)}


def hard_sigmoid(x):
    return jax.nn.hard_sigmoid(x)


def transposed_convolution(x):
    output, layer = compute(lambda x: hk.Conv2DTranspose(1, 3, stride=2, with_bias=False)(x), x.transpose(0, 2, 3, 1))
    return {"output": output.transpose(0, 3, 1, 2), "weight": layer["w"].transpose(3, 2, 0, 1)}


def resize(x):
    return jax.image.resize(x, (1, 1, 6, 6), "bilinear")


def steps(optimizers, weight, gradients):
    weight, weights = jnp.asarray(weight), []
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
    """A function that always drops: who predicts does not call it."""
    return {"training": hk.dropout(KEY, 0.5, x), "unsaid": hk.dropout(KEY, 0.5, x)}


def input_gradient(x):
    """jax.grad derives with respect to its first argument, the weights."""
    network = hk.without_apply_rng(hk.transform(lambda x: hk.Conv2D(4, 3)(x)))
    x = x.transpose(0, 2, 3, 1)
    gradients = jax.grad(lambda weights, x: network.apply(weights, x).sum())(network.init(KEY, x), x)
    return np.zeros(0) if set(gradients) == {"conv2_d"} else gradients
