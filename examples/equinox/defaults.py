"""What Equinox and Optax do when nothing is said: each function builds one thing from what is required."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

unanswered = {
    "loader": "Equinox has no loader",
    "shuffled_loader": "Equinox has no loader",
    "padding": "Equinox has no helper for sequences",
    "adam.learning_rate": "must be given: optax.adam has no rate of its own",
}
KEY = jax.random.key(0)


def convolution(x, kernel):
    layer = eqx.nn.Conv2d(64, 96, kernel, key=KEY)
    output = jax.vmap(layer)(x)
    return {"output": output, "weight": layer.weight, "bias": layer.bias.ravel(), "native": np.array(output.shape)}


def dense(x):
    layer = eqx.nn.Linear(640, 320, key=KEY)
    return {"output": jax.vmap(layer)(x), "weight": layer.weight, "bias": layer.bias}


def embedding(indices):
    layer = eqx.nn.Embedding(1000, 64, key=KEY)
    return {"output": jax.vmap(layer)(indices), "weight": layer.weight}


def gru(x):
    """A cell is one step: the loop over time is the caller's, and the first state too."""
    cell = eqx.nn.GRUCell(48, 32, key=KEY)

    def states(series):
        return jax.lax.scan(lambda state, x: (cell(x, state),) * 2, jnp.zeros(32), series)[1]

    return {
        "output": jax.vmap(states)(x),
        "weight_ih": cell.weight_ih,
        "weight_hh": cell.weight_hh,
        "bias_ih": cell.bias,
        "bias_hh": cell.bias_n,  # of the new state alone
    }


def max_pool(x):
    pool = jax.vmap(eqx.nn.MaxPool2d(2))
    return {"output": pool(x), "gradient": jax.grad(lambda x: pool(x).sum())(x)}


def steps(optimizers, weight, gradients):
    weight, weights = jnp.asarray(weight), []
    state = optimizers[0].init(weight)
    for optimizer, gradient in zip(optimizers, gradients):
        updates, state = optimizer.update(gradient, state)
        weight = eqx.apply_updates(weight, updates)
        weights.append(weight)
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    """The rate is part of the transformation and the velocity is not: one of another rate takes it over."""
    return steps([optax.sgd(learning_rate, momentum) for learning_rate in learning_rates], weight, gradients)


def adam(weight, gradients, learning_rate):
    return steps([optax.adam(learning_rate=learning_rate)] * len(gradients), weight, gradients)


def cross_entropy(scores, labels):
    return optax.softmax_cross_entropy_with_integer_labels(scores, labels)


def dropout(x):
    layer = eqx.nn.Dropout()
    return {"training": layer(x, key=KEY), "unsaid": layer(x, key=KEY)}


def input_gradient(x):
    """filter_grad derives with respect to its first argument, the layer."""
    layer = eqx.nn.Conv2d(3, 4, 3, key=KEY)
    gradients = eqx.filter_grad(lambda layer, x: layer(x[0]).sum())(layer, jnp.asarray(x))
    return np.zeros(0) if isinstance(gradients, eqx.nn.Conv2d) else gradients[1]
