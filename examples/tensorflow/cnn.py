"""A VGG-style CNN on CIFAR-10 in TensorFlow: Keras layers, and a training loop written out with tf.GradientTape."""

from types import SimpleNamespace

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def set_dtype(name):
    tf.keras.config.set_floatx(name)


def load_data():
    return cifar_for_library(channel_first=False, one_hot=False)  # NHWC images, the default; integer class labels


class CNN(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.conv1 = layers.Conv2D(50, 3, padding="same", activation="relu")
        self.conv2 = layers.Conv2D(50, 3, padding="same")
        self.conv3 = layers.Conv2D(100, 3, padding="same", activation="relu")
        self.conv4 = layers.Conv2D(100, 3, padding="same")
        self.dropout1, self.dropout2, self.dropout3 = map(layers.Dropout, params.dropout)
        self.pool, self.flatten = layers.MaxPooling2D(2), layers.Flatten()
        self.fc1 = layers.Dense(512, activation="relu")
        self.fc2 = layers.Dense(params.classes)

    def call(self, x, training=False):
        x = self.conv2(self.conv1(x))
        x = self.dropout1(tf.nn.relu(self.pool(x)), training=training)
        x = self.conv4(self.conv3(x))
        x = self.dropout2(tf.nn.relu(self.pool(x)), training=training)
        x = self.dropout3(self.fc1(self.flatten(x)), training=training)
        return self.fc2(x)


def create_symbol():
    """The weights start Glorot-uniform and the biases at zero, by default."""
    tf.keras.utils.set_random_seed(params.seed)  # Python's, NumPy's and TensorFlow's; layers draw theirs when made
    network = CNN()
    network(tf.zeros((1, 32, 32, 3)))  # the first call creates the weights
    return network


def init_model(symbol):
    optimizer = tf.keras.optimizers.SGD(params.learning_rate, momentum=params.momentum)
    optimizer.build(symbol.trainable_variables)  # a tf.function may not create variables after its first call
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)  # softmax included
    return SimpleNamespace(network=symbol, forward=tf.function(symbol), optimizer=optimizer, loss=loss)


@tf.function  # traced to a graph once for each model and shape of data
def train_step(network, optimizer, loss_fn, images, labels):
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, network(images, training=True))
    gradients = tape.gradient(loss, network.trainable_variables)
    optimizer.apply_gradients(zip(gradients, network.trainable_variables))
    return loss


def train_epoch(model, batches):
    losses = [train_step(model.network, model.optimizer, model.loss, images, labels) for images, labels in batches]
    return float(tf.reduce_mean(losses))


def train(model, x, y):
    return train_epoch(model, minibatches(x, y, params.batch_size))


def train_with_loader(model, x, y):
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x))  # a smaller buffer would mix less
    return train_epoch(model, dataset.batch(params.batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE))


def set_learning_rate(model, learning_rate):
    model.optimizer.learning_rate = learning_rate


def predict(model, x):
    batches = np.split(x, range(params.batch_size, len(x), params.batch_size))
    return np.concatenate([model.forward(images, training=False) for images in batches])


def evaluate(model, x, y):
    return float(tf.reduce_mean(tf.keras.metrics.sparse_categorical_accuracy(y, predict(model, x))))


def export_weights(model):
    """Kernels are (height, width, in, out) and dense ones (in, out); fc1's input is flattened in the first order."""
    weights = {}
    for name in ("conv1", "conv2", "conv3", "conv4", "fc1", "fc2"):
        weight, bias = getattr(model.network, name).get_weights()
        weight = weight.reshape(8, 8, 100, 512) if name == "fc1" else weight
        weight = np.moveaxis(weight, (-1, -2), (0, 1))
        weights[name + ".weight"] = weight.reshape(512, -1) if name == "fc1" else weight
        weights[name + ".bias"] = bias
    return weights


def import_weights(model, weights):
    for name in ("conv1", "conv2", "conv3", "conv4", "fc1", "fc2"):
        layer = getattr(model.network, name)
        weight = weights[name + ".weight"].reshape(512, 100, 8, 8) if name == "fc1" else weights[name + ".weight"]
        layer.set_weights([np.moveaxis(weight, (0, 1), (-1, -2)).reshape(layer.kernel.shape), weights[name + ".bias"]])


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
