"""A VGG-style CNN on CIFAR-10 in Keras 3: one file for TensorFlow, JAX and PyTorch, as KERAS_BACKEND says."""

import keras
import numpy as np
from keras import layers

from workloads.cnn import cifar_for_library, params


def set_dtype(name):
    keras.config.set_floatx(name)


def load_data():
    return cifar_for_library(channel_first=False, one_hot=False)  # NHWC images, Keras' default; integer class labels


def create_symbol():
    # A layer draws the seeds of its first weights and its dropout when it is made: the seed comes before the layers.
    keras.utils.set_random_seed(params.seed)  # Python's, NumPy's and the backend's
    drop1, drop2, drop3 = params.dropout
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(50, 3, padding="same", activation="relu", name="conv1"),
            layers.Conv2D(50, 3, padding="same", name="conv2"),
            layers.MaxPooling2D(2),
            layers.ReLU(),
            layers.Dropout(drop1),
            layers.Conv2D(100, 3, padding="same", activation="relu", name="conv3"),
            layers.Conv2D(100, 3, padding="same", name="conv4"),
            layers.MaxPooling2D(2),
            layers.ReLU(),
            layers.Dropout(drop2),
            layers.Flatten(),
            layers.Dense(512, activation="relu", name="fc1"),
            layers.Dropout(drop3),
            layers.Dense(params.classes, name="fc2"),
        ]
    )


def init_model(symbol):
    """The weights are there already: Glorot-uniform, the biases zero, Keras' defaults."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)  # softmax included
    symbol.compile(keras.optimizers.SGD(params.learning_rate, momentum=params.momentum), loss)
    return symbol


def train(model, x, y):
    keras.utils.set_random_seed(params.seed + int(model.optimizer.iterations))  # or TensorFlow shuffles each fit alike
    # fit keeps the last, smaller batch: a step like the others, though of fewer samples.
    return model.fit(x, y, params.batch_size, epochs=1, shuffle=True, verbose=0).history["loss"][0]


class Loader(keras.utils.PyDataset):
    """Keras' own loader: it asks for batches by number, from several threads or processes with `workers`."""

    def __init__(self, x, y, batch_size):
        super().__init__()
        self.x, self.y, self.batch_size = x, y, batch_size
        self.on_epoch_end()

    def on_epoch_end(self):
        self.order = np.random.permutation(len(self.x))

    def __len__(self):
        return int(np.ceil(len(self.x) / self.batch_size))

    def __getitem__(self, number):
        batch = self.order[number * self.batch_size : (number + 1) * self.batch_size]
        return self.x[batch], self.y[batch]


def train_with_loader(model, x, y):
    # The shuffle of fit would be one of whole batches; this loader shuffles samples.
    return model.fit(Loader(x, y, params.batch_size), epochs=1, shuffle=False, verbose=0).history["loss"][0]


def set_learning_rate(model, learning_rate):
    model.optimizer.learning_rate = learning_rate


def predict(model, x):
    return model.predict(x, batch_size=params.batch_size, verbose=0)


def evaluate(model, x, y):
    return float(keras.ops.mean(keras.metrics.sparse_categorical_accuracy(y, predict(model, x))))


def export_weights(model):
    """Keras holds (height, width, in, out) and dense (in, out); fc1's input is flattened in the first order."""
    weights = {}
    for name in ("conv1", "conv2", "conv3", "conv4", "fc1", "fc2"):
        weight, bias = model.get_layer(name).get_weights()
        weight = weight.reshape(8, 8, 100, 512) if name == "fc1" else weight
        weight = np.moveaxis(weight, (-1, -2), (0, 1))
        weights[name + ".weight"] = np.array(weight.reshape(512, -1) if name == "fc1" else weight)
        weights[name + ".bias"] = np.array(bias)  # on PyTorch it is a view
    return weights


def import_weights(model, weights):
    for name in ("conv1", "conv2", "conv3", "conv4", "fc1", "fc2"):
        weight = weights[name + ".weight"].reshape(512, 100, 8, 8) if name == "fc1" else weights[name + ".weight"]
        layer = model.get_layer(name)
        weight = np.moveaxis(weight, (0, 1), (-1, -2)).reshape(layer.kernel.shape)
        layer.set_weights([weight, weights[name + ".bias"]])


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
