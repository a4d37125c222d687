"""A VGG-style CNN on CIFAR-10 in Haiku, with Optax, on JAX."""

from functools import partial
from types import SimpleNamespace

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import optax

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def set_dtype(name):
    jax.config.update("jax_enable_x64", name == "float64")


def load_data():
    return cifar_for_library(channel_first=False, one_hot=False)  # NHWC images; integer class labels


def forward(x, is_training):
    glorot = hk.initializers.VarianceScaling(1.0, "fan_avg", "uniform")
    conv, linear = partial(hk.Conv2D, kernel_shape=3, w_init=glorot), partial(hk.Linear, w_init=glorot)

    def dropout(place, x):
        return hk.dropout(hk.next_rng_key(), params.dropout[place], x) if is_training else x

    x = jax.nn.relu(conv(50, name="conv1")(x))
    x = jax.nn.relu(hk.max_pool(conv(50, name="conv2")(x), 2, 2, "VALID"))
    x = jax.nn.relu(conv(100, name="conv3")(dropout(0, x)))
    x = jax.nn.relu(hk.max_pool(conv(100, name="conv4")(x), 2, 2, "VALID"))
    x = jax.nn.relu(linear(512, name="fc1")(hk.Flatten()(dropout(1, x))))
    return linear(params.classes, name="fc2")(dropout(2, x))


def create_symbol():
    """A pair of pure functions: `init` creates the weights of the modules in `forward`, `apply` computes with them."""
    return hk.transform(forward)


def init_model(symbol):
    np.random.seed(params.seed)
    keys = hk.PRNGSequence(params.seed)  # for the first weights and, in training, the masks of dropout
    weights = symbol.init(next(keys), jnp.zeros((1, 32, 32, 3)), is_training=True)
    sgd = optax.sgd(params.learning_rate, params.momentum)
    return SimpleNamespace(network=symbol, weights=weights, optimizer=sgd, state=sgd.init(weights), keys=keys)


@partial(jax.jit, static_argnames=("network", "optimizer"))  # compiled at the first call, and for each new shape
def train_step(network, optimizer, weights, state, key, data, target):
    def loss_fn(weights):
        scores = network.apply(weights, key, data, is_training=True)
        return optax.softmax_cross_entropy_with_integer_labels(scores, target).mean()

    loss, gradients = jax.value_and_grad(loss_fn)(weights)
    updates, state = optimizer.update(gradients, state)
    return optax.apply_updates(weights, updates), state, loss


def train(model, x, y, step=train_step):
    losses = []
    for batch, key in zip(minibatches(x, y, params.batch_size), model.keys):
        model.weights, model.state, loss = step(model.network, model.optimizer, model.weights, model.state, key, *batch)
        losses.append(loss)
    return float(np.mean(losses))


def train_eager(model, x, y):
    """The same step without `jax.jit`, one operation after the other: for debugging, because it is much slower."""
    return train(model, x, y, train_step.__wrapped__)


def set_learning_rate(model, learning_rate):
    model.optimizer = optax.sgd(learning_rate, params.momentum)  # the velocity is in the state


@partial(jax.jit, static_argnames="network")
def predict_step(network, weights, data):
    return network.apply(weights, None, data, is_training=False)  # without dropout, no key is needed


def predict(model, x):
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([predict_step(model.network, model.weights, x[i : i + params.batch_size]) for i in starts])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Haiku holds kernels (height, width, in, out) and (in, out); fc1's input is flattened in the first order."""
    weights = {}
    for name, layer in model.weights.items():
        kernel = np.reshape(layer["w"], (8, 8, 100, 512) if name == "fc1" else layer["w"].shape)
        kernel = np.moveaxis(kernel, (-1, -2), (0, 1))
        weights[name + ".weight"] = kernel.reshape(512, -1) if name == "fc1" else kernel
        weights[name + ".bias"] = np.array(layer["b"])
    return weights


def import_weights(model, weights):
    for name, layer in model.weights.items():
        kernel = weights[name + ".weight"]
        kernel = kernel.reshape(512, 100, 8, 8) if name == "fc1" else kernel
        kernel = np.moveaxis(kernel, (0, 1), (-1, -2)).reshape(layer["w"].shape)
        layer.update(w=jnp.array(kernel), b=jnp.array(weights[name + ".bias"]))


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
