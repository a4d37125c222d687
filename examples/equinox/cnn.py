"""A VGG-style CNN on CIFAR-10 in Equinox, with Optax, on JAX."""

from functools import partial
from types import SimpleNamespace

import equinox as eqx
import jax
import numpy as np
import optax

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def load_data():
    return cifar_for_library(channel_first=True, one_hot=False)  # NCHW images; integer class labels


class Network(eqx.Module):  # a function of one image (3, 32, 32): vmap makes it one of a mini-batch
    conv1: eqx.nn.Conv2d
    conv2: eqx.nn.Conv2d
    conv3: eqx.nn.Conv2d
    conv4: eqx.nn.Conv2d
    fc1: eqx.nn.Linear
    fc2: eqx.nn.Linear
    drops: list[eqx.nn.Dropout]

    def __init__(self, keys):
        conv = partial(eqx.nn.Conv2d, kernel_size=3, padding="SAME")
        self.conv1, self.conv2 = conv(3, 50, key=keys[0]), conv(50, 50, key=keys[1])
        self.conv3, self.conv4 = conv(50, 100, key=keys[2]), conv(100, 100, key=keys[3])
        self.fc1, self.fc2 = eqx.nn.Linear(6400, 512, key=keys[4]), eqx.nn.Linear(512, params.classes, key=keys[5])
        self.drops = [eqx.nn.Dropout(rate) for rate in params.dropout]

    def __call__(self, x, key=None):
        keys = [None] * 3 if key is None else jax.random.split(key, 3)  # for the masks of dropout
        x = jax.nn.relu(self.conv1(x))
        x = self.drops[0](jax.nn.relu(eqx.nn.MaxPool2d(2, 2)(self.conv2(x))), key=keys[0])
        x = jax.nn.relu(self.conv3(x))
        x = self.drops[1](jax.nn.relu(eqx.nn.MaxPool2d(2, 2)(self.conv4(x))), key=keys[1])
        return self.fc2(self.drops[2](jax.nn.relu(self.fc1(x.ravel())), key=keys[2]))


def create_symbol():
    return Network(jax.random.split(jax.random.key(params.seed), 6))


def parameters(network):
    layers = {name: getattr(network, name) for name in ("conv1", "conv2", "conv3", "conv4", "fc1", "fc2")}
    return {f"{name}.{kind}": getattr(layer, kind) for name, layer in layers.items() for kind in ("weight", "bias")}


def init_model(symbol):
    np.random.seed(params.seed)
    glorot, zeros = jax.nn.initializers.glorot_uniform(in_axis=1, out_axis=0), jax.nn.initializers.zeros
    keys, arrays = iter(jax.random.split(jax.random.key(params.seed), 13)), parameters(symbol)
    start = {name: (glorot if "weight" in name else zeros)(next(keys), arrays[name].shape) for name in arrays}
    network = eqx.tree_at(lambda tree: [*parameters(tree).values()], symbol, [*start.values()])
    sgd = optax.sgd(params.learning_rate, params.momentum)
    state = sgd.init(eqx.filter(network, eqx.is_array))
    return SimpleNamespace(network=network, optimizer=sgd, state=state, key=next(keys))


@eqx.filter_jit  # compiled at the first call, and again for each new shape of data
def train_step(network, optimizer, state, key, data, target):
    def loss_fn(network):
        scores = jax.vmap(network)(data, key=jax.random.split(key, len(data)))  # a mask of dropout for each image
        return optax.softmax_cross_entropy_with_integer_labels(scores, target).mean()

    loss, gradients = eqx.filter_value_and_grad(loss_fn)(network)
    updates, state = optimizer.update(gradients, state)
    return eqx.apply_updates(network, updates), state, loss  # a module cannot change: each step makes a new one


def train(model, x, y, step=train_step):
    losses = []
    for data, target in minibatches(x, y, params.batch_size):
        model.key, key = jax.random.split(model.key)
        model.network, model.state, loss = step(model.network, model.optimizer, model.state, key, data, target)
        losses.append(loss)
    return float(np.mean(losses))


def train_eager(model, x, y):
    """The same step without `eqx.filter_jit`, one operation after the other: for debugging, it is much slower."""
    return train(model, x, y, train_step.__wrapped__)


def set_learning_rate(model, learning_rate):
    model.optimizer = optax.sgd(learning_rate, params.momentum)  # the velocity is in the state


def predict(model, x):
    network = eqx.filter_jit(eqx.filter_vmap(eqx.nn.inference_mode(model.network)))  # without dropout
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([network(x[i : i + params.batch_size]) for i in starts])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Equinox' layouts are the canonical ones, but for the bias (out, 1, 1) of a convolution."""
    return {name: np.asarray(array).squeeze() for name, array in parameters(model.network).items()}


def import_weights(model, weights):
    given = {name: jax.numpy.reshape(weights[name], own.shape) for name, own in parameters(model.network).items()}
    model.network = eqx.tree_at(lambda tree: [*parameters(tree).values()], model.network, [*given.values()])


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
