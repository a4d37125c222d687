"""A VGG-style CNN on CIFAR-10 in TensorFlow, on its own level: tf.nn, tf.Module, tf.GradientTape."""

from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from rosetta_common.data import cifar_for_library, minibatches
from rosetta_common.params import cnn as params


def load_data():
    return cifar_for_library(channel_first=False, one_hot=False)  # NHWC images, the default; integer class labels


class SymbolModule(tf.Module):
    def __init__(self):
        super().__init__()
        shapes = {"conv1": (3, 3, 3, 50), "conv2": (3, 3, 50, 50), "conv3": (3, 3, 50, 100), "conv4": (3, 3, 100, 100)}
        shapes.update(fc1=(8 * 8 * 100, 512), fc2=(512, params.classes))
        self.weights = {name: tf.Variable(tf.zeros(shape, params.dtype)) for name, shape in shapes.items()}
        self.biases = {name: tf.Variable(tf.zeros(shape[-1:], params.dtype)) for name, shape in shapes.items()}

    def conv(self, name, x):
        return tf.nn.bias_add(tf.nn.conv2d(x, self.weights[name], strides=1, padding="SAME"), self.biases[name])

    def __call__(self, x, training):
        drop1, drop2, drop3 = params.dropout if training else (0, 0, 0)
        x = self.conv("conv2", tf.nn.relu(self.conv("conv1", x)))
        x = tf.nn.dropout(tf.nn.relu(tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")), drop1)
        x = self.conv("conv4", tf.nn.relu(self.conv("conv3", x)))
        x = tf.nn.dropout(tf.nn.relu(tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")), drop2)
        x = tf.nn.relu(tf.matmul(tf.reshape(x, [-1, 8 * 8 * 100]), self.weights["fc1"]) + self.biases["fc1"])
        return tf.matmul(tf.nn.dropout(x, drop3), self.weights["fc2"]) + self.biases["fc2"]


def create_symbol():
    return SymbolModule()


class Momentum:
    def __init__(self, variables, learning_rate, momentum):
        self.learning_rate, self.momentum = tf.Variable(learning_rate, False, dtype=params.dtype), momentum
        self.slots = [(variable, tf.Variable(tf.zeros_like(variable), trainable=False)) for variable in variables]

    def apply_gradients(self, gradients):
        for (variable, velocity), gradient in zip(self.slots, gradients):
            velocity.assign(self.momentum * velocity + gradient)  # classical, not Nesterov's
            variable.assign_sub(self.learning_rate * velocity)


def init_model(symbol):
    np.random.seed(params.seed)
    tf.random.set_seed(params.seed)
    for weight in symbol.weights.values():  # Glorot-uniform; the biases are zeros already
        bound = np.sqrt(6 / (np.prod(weight.shape[:-2]) * sum(weight.shape[-2:])))
        weight.assign(tf.random.uniform(weight.shape, -bound, bound, params.dtype))
    optimiser = Momentum(symbol.trainable_variables, params.learning_rate, params.momentum)
    return SimpleNamespace(network=symbol, optimiser=optimiser, forward=tf.function(symbol))


@tf.function  # traced to a graph once for each model and shape of data
def train_step(network, optimiser, data, target):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(target, network(data, training=True)))
    optimiser.apply_gradients(tape.gradient(loss, network.trainable_variables))
    return loss


def train(model, x, y):
    batches = minibatches(x, y, params.batch_size)
    losses = [train_step(model.network, model.optimiser, data, target) for data, target in batches]
    return float(tf.reduce_mean(losses))


def train_with_loader(model, x, y):
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x))  # a smaller buffer would mix less
    batches = dataset.batch(params.batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
    losses = [train_step(model.network, model.optimiser, data, target) for data, target in batches]
    return float(tf.reduce_mean(losses))


def set_learning_rate(model, learning_rate):
    model.optimiser.learning_rate.assign(learning_rate)  # a variable: a number would be a constant of the graph


def predict(model, x):
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([model.forward(x[i : i + params.batch_size], training=False) for i in starts])


def evaluate(model, x, y):
    return float(tf.reduce_mean(tf.cast(tf.math.in_top_k(y, predict(model, x), k=1), tf.float64)))


def export_weights(model):
    """TensorFlow holds (height, width, in, out) and dense (in, out); fc1's input is flattened in the first order."""
    weights = {name + ".bias": bias.numpy() for name, bias in model.network.biases.items()}
    for name, weight in model.network.weights.items():
        weight = weight.numpy().reshape(8, 8, 100, 512) if name == "fc1" else weight.numpy()
        weight = np.moveaxis(weight, (-1, -2), (0, 1))
        weights[name + ".weight"] = weight.reshape(512, -1) if name == "fc1" else weight
    return weights


def import_weights(model, weights):
    for name, variable in model.network.weights.items():
        weight = weights[name + ".weight"].reshape(512, 100, 8, 8) if name == "fc1" else weights[name + ".weight"]
        variable.assign(np.moveaxis(weight, (0, 1), (-1, -2)).reshape(variable.shape))
        model.network.biases[name].assign(weights[name + ".bias"])


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
