"""A VGG-style CNN on CIFAR-10 in Equinox, with Optax, on JAX."""

from functools import partial
from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from rosetta_common.data import cifar_for_library, minibatches
from rosetta_common.params import cnn as params


def load_data():
    return cifar_for_library(channel_first=True, one_hot=False)  # NCHW images; integer class labels


def create_symbol():
    """A function of one image (3, 32, 32): mini-batches are left to vmap."""
    drop1, drop2, drop3 = params.dropout
    keys = iter(jax.random.split(jax.random.key(params.seed), 6))
    conv = partial(eqx.nn.Conv2d, kernel_size=3, padding="SAME", dtype=params.dtype)
    dense = partial(eqx.nn.Linear, dtype=params.dtype)
    relu, pool = eqx.nn.Lambda(jax.nn.relu), eqx.nn.MaxPool2d(2, stride=2)
    block1 = [conv(3, 50, key=next(keys)), relu, conv(50, 50, key=next(keys)), pool, relu, eqx.nn.Dropout(drop1)]
    block2 = [conv(50, 100, key=next(keys)), relu, conv(100, 100, key=next(keys)), pool, relu, eqx.nn.Dropout(drop2)]
    head = [eqx.nn.Lambda(jnp.ravel), dense(100 * 8 * 8, 512, key=next(keys)), relu, eqx.nn.Dropout(drop3)]
    return eqx.nn.Sequential([*block1, *block2, *head, dense(512, params.classes, key=next(keys))])


NAMES = [f"{name}.{kind}" for name in ["conv1", "conv2", "conv3", "conv4", "fc1", "fc2"] for kind in ["weight", "bias"]]


def parameters(network):
    """The network's arrays in the order of NAMES."""
    layers = [layer for layer in network if isinstance(layer, (eqx.nn.Conv2d, eqx.nn.Linear))]
    return [array for layer in layers for array in (layer.weight, layer.bias)]


def init_model(symbol):
    """The network is a tree of arrays that nobody changes: each step of training makes a new one."""
    np.random.seed(params.seed)
    laws = [jax.nn.initializers.glorot_uniform(in_axis=1, out_axis=0), jax.nn.initializers.zeros] * 6
    key, *keys = jax.random.split(jax.random.key(params.seed), 13)
    start = [law(one, array.shape, array.dtype) for law, one, array in zip(laws, keys, parameters(symbol))]
    network = eqx.tree_at(parameters, symbol, start)
    sgd = optax.sgd(params.learning_rate, params.momentum)
    return SimpleNamespace(network=network, optimiser=sgd, state=sgd.init(eqx.filter(network, eqx.is_array)), key=key)


def train_step(network, optimiser, state, key, data, target):
    def loss_of(network):
        scores = jax.vmap(network)(data, key=jax.random.split(key, len(data)))  # a mask of drop-out for each image
        return optax.softmax_cross_entropy_with_integer_labels(scores, target).mean()

    loss, gradients = eqx.filter_value_and_grad(loss_of)(network)
    updates, state = optimiser.update(gradients, state)
    return eqx.apply_updates(network, updates), state, loss


def train_epoch(step, model, x, y):
    losses = []
    for data, target in minibatches(x, y, params.batch_size):
        model.key, key = jax.random.split(model.key)
        model.network, model.state, loss = step(model.network, model.optimiser, model.state, key, data, target)
        losses.append(loss)
    return float(jnp.mean(jnp.array(losses)))


def train(model, x, y):
    return train_epoch(train_step, model, x, y)


compiled_step = eqx.filter_jit(train_step)  # compiled when it is first called, and for each new shape of data
compiled_network = eqx.filter_jit(lambda network, data: jax.vmap(network)(data))


def train_compiled(model, x, y):
    return train_epoch(compiled_step, model, x, y)


def set_learning_rate(model, learning_rate):
    """The rate is part of Optax' transformation and the velocity is not: another transformation takes it over."""
    model.optimiser = optax.sgd(learning_rate, params.momentum)


def predict(model, x):
    network = eqx.nn.inference_mode(model.network)  # without drop-out
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([compiled_network(network, x[i : i + params.batch_size]) for i in starts])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Equinox' layouts are the canonical ones, but for the bias (out, 1, 1) of a convolution."""
    arrays = [np.asarray(array) for array in parameters(model.network)]
    return {name: array.ravel() if name.endswith("bias") else array for name, array in zip(NAMES, arrays)}


def import_weights(model, weights):
    own = parameters(model.network)
    given = [jnp.asarray(weights[name], array.dtype).reshape(array.shape) for name, array in zip(NAMES, own)]
    model.network = eqx.tree_at(parameters, model.network, given)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
