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


def lstm(x):
    """A cell is one step, of a hidden state and a cell state."""
    cell = eqx.nn.LSTMCell(48, 32, key=KEY)

    def states(series):
        def step(state, x):
            state = cell(x, state)
            return state, state[0]

        return jax.lax.scan(step, (jnp.zeros(32), jnp.zeros(32)), series)[1]

    output = jax.vmap(states)(x)
    return {"output": output, "weight_ih": cell.weight_ih, "weight_hh": cell.weight_hh, "bias_ih": cell.bias}


def batch_norm(batches):
    """The running statistics are a state beside the layer, which normalizes over an axis that vmap names."""
    layer, state = eqx.nn.make_with_state(eqx.nn.BatchNorm)(3, axis_name="batch")
    normalize, seen = jax.vmap(layer, axis_name="batch", in_axes=(0, None), out_axes=(0, None)), []
    for batch in batches:
        output, state = normalize(batch, state)
        seen.append([output, *state.get(layer.ema_state_index)])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    return {"output": jax.vmap(eqx.nn.LayerNorm(8))(x)}


def gelu(x):
    return jax.nn.gelu(x)


def leaky_relu(x):
    return jax.nn.leaky_relu(x)


def average_pool(x):
    return jax.vmap(eqx.nn.AvgPool2d(3, stride=1, padding=1))(x)


def strided_convolution(x):
    layer = eqx.nn.Conv2d(1, 1, 3, stride=2, padding="SAME", use_bias=False, key=KEY)
    return {"output": jax.vmap(layer)(x), "weight": layer.weight}


def hard_sigmoid(x):
    return jax.nn.hard_sigmoid(x)


def transposed_convolution(x):
    layer = eqx.nn.ConvTranspose2d(1, 1, 3, stride=2, use_bias=False, key=KEY)
    return {"output": jax.vmap(layer)(x), "weight": layer.weight}


def resize(x):
    return jax.image.resize(x, (1, 1, 6, 6), "bilinear")


def steps(optimizers, weight, gradients):
    weight, weights = jnp.asarray(weight), []
    state = optimizers[0].init(weight)
    for optimizer, gradient in zip(optimizers, gradients):
        updates, state = optimizer.update(gradient, state, weight)
        weight = eqx.apply_updates(weight, updates)
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
    layer = eqx.nn.Dropout()
    return {"training": layer(x, key=KEY), "unsaid": layer(x, key=KEY)}


def input_gradient(x):
    """filter_grad derives with respect to its first argument, the layer."""
    layer = eqx.nn.Conv2d(3, 4, 3, key=KEY)
    gradients = eqx.filter_grad(lambda layer, x: layer(x[0]).sum())(layer, jnp.asarray(x))
    return np.zeros(0) if isinstance(gradients, eqx.nn.Conv2d) else gradients[1]
