"""A VGG-style CNN on CIFAR-10 in Keras 2: one file for CNTK and Theano, as KERAS_BACKEND says."""

import keras
import numpy as np
from keras import layers

from workloads.cnn import cifar_for_library, params

# Theano convolves where others correlate: its kernels are turned by half a circle.
turn = keras.utils.conv_utils.convert_kernel if keras.backend.backend() == "theano" else np.array


def set_dtype(name):
    keras.backend.set_floatx(name)


def load_data():
    return cifar_for_library(channel_first=True, one_hot=False)  # NCHW images, as both backends take them


def create_symbol():
    np.random.seed(params.seed)  # Keras draws from NumPy's generator the seeds of its weights and its dropout
    keras.backend.set_image_data_format("channels_first")
    drop1, drop2, drop3 = params.dropout
    return keras.Sequential(  # its weights start Glorot-uniform and its biases at zero, by default
        [
            layers.Conv2D(50, 3, padding="same", activation="relu", input_shape=(3, 32, 32), name="conv1"),
            layers.Conv2D(50, 3, padding="same", name="conv2"),
            layers.MaxPooling2D(2),
            layers.ReLU(),
            layers.Dropout(drop1),
            layers.Conv2D(100, 3, padding="same", activation="relu", name="conv3"),
            layers.Conv2D(100, 3, padding="same", name="conv4"),
            layers.MaxPooling2D(2),
            layers.ReLU(),
            layers.Dropout(drop2),
            layers.Flatten(),  # the channels last, whatever the layout of the images
            layers.Dense(512, activation="relu", name="fc1"),
            layers.Dropout(drop3),
            layers.Dense(params.classes, name="fc2"),
        ]
    )


def init_model(symbol):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)  # softmax included
    symbol.compile(keras.optimizers.SGD(params.learning_rate, params.momentum), loss)
    symbol.fit(np.zeros((1, 3, 32, 32)), np.zeros(1), epochs=0, verbose=0)  # or CNTK on one thread fails to predict
    return symbol


def train(model, x, y):  # fit shuffles, and keeps the last, smaller batch: a step like the others, of fewer samples
    return float(model.fit(x, y, params.batch_size, epochs=1, verbose=0).history["loss"][0])


class Loader(keras.utils.Sequence):
    """Keras' own loader: it asks for batches by number, from several threads or processes with `workers`."""

    def __init__(self, x, y, batch_size):
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
    loader = Loader(x, y, params.batch_size)  # it shuffles samples: fit_generator would shuffle whole batches
    return float(model.fit_generator(loader, epochs=1, shuffle=False, verbose=0).history["loss"][0])


def set_learning_rate(model, learning_rate):
    keras.backend.set_value(model.optimizer.learning_rate, learning_rate)


def predict(model, x):
    return model.predict(x, batch_size=params.batch_size)


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Keras holds (height, width, in, out) and dense (in, out); fc1's input is flattened in the first order."""
    weights = {}
    for name in ("conv1", "conv2", "conv3", "conv4", "fc1", "fc2"):
        weight, bias = model.get_layer(name).get_weights()
        weight = turn(weight) if weight.ndim == 4 else weight
        weight = weight.reshape(8, 8, 100, 512) if name == "fc1" else weight
        weight = np.moveaxis(weight, (-1, -2), (0, 1))
        weights[name + ".weight"] = np.array(weight.reshape(512, -1) if name == "fc1" else weight)
        weights[name + ".bias"] = bias
    return weights


def import_weights(model, weights):
    for name in ("conv1", "conv2", "conv3", "conv4", "fc1", "fc2"):
        weight = weights[name + ".weight"].reshape(512, 100, 8, 8) if name == "fc1" else weights[name + ".weight"]
        weight = np.moveaxis(weight, (0, 1), (-1, -2))
        weight = turn(weight) if name.startswith("conv") else weight.reshape(-1, weight.shape[-1])
        model.get_layer(name).set_weights([weight, weights[name + ".bias"]])


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
