"""A VGG-style CNN on CIFAR-10 in Flax NNX, with Optax, on JAX."""

from functools import partial
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def load_data():
    return cifar_for_library(channel_first=False, one_hot=False)  # NHWC images; integer class labels


class Network(nnx.Module):
    def __init__(self, rngs):
        drop1, drop2, drop3 = params.dropout
        options = {"kernel_init": nnx.initializers.glorot_uniform(), "param_dtype": params.dtype, "rngs": rngs}
        conv = partial(nnx.Conv, kernel_size=(3, 3), **options)
        self.conv1, self.conv2, self.drop1 = conv(3, 50), conv(50, 50), nnx.Dropout(drop1, rngs=rngs)
        self.conv3, self.conv4, self.drop2 = conv(50, 100), conv(100, 100), nnx.Dropout(drop2, rngs=rngs)
        self.fc1 = nnx.Linear(8 * 8 * 100, 512, **options)
        self.drop3 = nnx.Dropout(drop3, rngs=rngs)
        self.fc2 = nnx.Linear(512, params.classes, **options)

    def __call__(self, x):
        x = nnx.relu(self.conv1(x))
        x = self.drop1(nnx.relu(nnx.max_pool(self.conv2(x), (2, 2), (2, 2))))
        x = nnx.relu(self.conv3(x))
        x = self.drop2(nnx.relu(nnx.max_pool(self.conv4(x), (2, 2), (2, 2))))
        x = nnx.relu(self.fc1(x.reshape(len(x), -1)))
        return self.fc2(self.drop3(x))


def create_symbol():
    """Flax draws the first weights as it creates the layers, and the masks of dropout as they are needed."""
    return Network(nnx.Rngs(params.seed))


def init_model(symbol):
    np.random.seed(params.seed)
    sgd = optax.sgd(params.learning_rate, params.momentum)
    return SimpleNamespace(network=symbol, optimizer=nnx.Optimizer(symbol, sgd, wrt=nnx.Param))


@nnx.jit  # compiled at the first call, and again for each new shape of data
def train_step(network, optimizer, data, target):
    def loss_fn(network):
        return optax.softmax_cross_entropy_with_integer_labels(network(data), target).mean()

    loss, gradients = nnx.value_and_grad(loss_fn)(network)
    optimizer.update(network, gradients)
    return loss


def train(model, x, y, step=train_step):
    model.network.train()
    losses = [step(model.network, model.optimizer, *batch) for batch in minibatches(x, y, params.batch_size)]
    return float(jnp.mean(jnp.array(losses)))


def train_eager(model, x, y):
    """The same step without `nnx.jit`, one operation after the other: for debugging, because it is much slower."""
    return train(model, x, y, train_step.__wrapped__)


@nnx.jit
def predict_step(network, data):
    return network(data)


def set_learning_rate(model, learning_rate):
    """The rate belongs to the Optax transformation and the velocity does not: another transformation takes it over."""
    model.optimizer.tx = optax.sgd(learning_rate, params.momentum)


def predict(model, x):
    model.network.eval()  # without dropout
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([predict_step(model.network, x[i : i + params.batch_size]) for i in starts])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Flax holds kernels (height, width, in, out) and (in, out); fc1's input is flattened in the first order."""
    weights = {}
    for name in ("conv1", "conv2", "conv3", "conv4", "fc1", "fc2"):
        layer = getattr(model.network, name)
        kernel = np.asarray(layer.kernel[...]).reshape((8, 8, 100, 512) if name == "fc1" else layer.kernel.shape)
        kernel = np.moveaxis(kernel, (-1, -2), (0, 1))
        weights[name + ".weight"] = kernel.reshape(512, -1) if name == "fc1" else kernel
        weights[name + ".bias"] = np.asarray(layer.bias[...])
    return weights


def import_weights(model, weights):
    for name in ("conv1", "conv2", "conv3", "conv4", "fc1", "fc2"):
        layer = getattr(model.network, name)
        kernel = weights[name + ".weight"]
        kernel = kernel.reshape(512, 100, 8, 8) if name == "fc1" else kernel
        layer.kernel[...] = np.moveaxis(kernel, (0, 1), (-1, -2)).reshape(layer.kernel.shape)
        layer.bias[...] = weights[name + ".bias"]


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
