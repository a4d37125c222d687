"""A VGG-style CNN on CIFAR-10 in Lasagne on Theano."""

from types import SimpleNamespace

import lasagne.layers as L
import numpy as np
import theano
import theano.tensor as T
from lasagne.nonlinearities import linear, rectify, softmax
from lasagne.objectives import categorical_crossentropy
from lasagne.updates import momentum

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def load_data():
    """NCHW images; integer class labels."""
    return cifar_for_library(channel_first=True, one_hot=False)


def create_symbol():
    """The network's last layer, which knows the others. Kernels and matrices start Glorot-uniform, by default."""
    np.random.seed(params.seed)  # Lasagne draws its weights, and the seeds of its dropout, from NumPy's generator
    theano.config.floatX = params.dtype
    drop1, drop2, drop3 = params.dropout
    x = L.InputLayer((None, 3, 32, 32))
    x = L.Conv2DLayer(x, 50, 3, pad="same", name="conv1")  # ReLU is the default
    x = L.Conv2DLayer(x, 50, 3, pad="same", nonlinearity=linear, name="conv2")
    x = L.NonlinearityLayer(L.MaxPool2DLayer(x, 2), rectify)
    x = L.DropoutLayer(x, drop1)
    x = L.Conv2DLayer(x, 100, 3, pad="same", name="conv3")
    x = L.Conv2DLayer(x, 100, 3, pad="same", nonlinearity=linear, name="conv4")
    x = L.NonlinearityLayer(L.MaxPool2DLayer(x, 2), rectify)
    x = L.DropoutLayer(x, drop2)
    x = L.DenseLayer(x, 512, name="fc1")  # flattens what it gets
    x = L.DropoutLayer(x, drop3)
    return L.DenseLayer(x, params.classes, nonlinearity=linear, name="fc2")


def init_model(symbol):
    """Theano compiles a function for each use of the network: one step of training, and prediction."""
    images, labels = L.get_all_layers(symbol)[0].input_var, T.ivector("labels")
    loss = categorical_crossentropy(softmax(L.get_output(symbol)), labels).mean()
    rate = theano.shared(np.array(params.learning_rate, params.dtype))
    updates = momentum(loss, L.get_all_params(symbol, trainable=True), rate, params.momentum)
    scores = L.get_output(symbol, deterministic=True)  # without dropout
    return SimpleNamespace(
        network=symbol,
        rate=rate,
        step=theano.function([images, labels], loss, updates=updates),
        scores=theano.function([images], scores),
    )


def train(model, x, y):
    return float(np.mean([model.step(data, target) for data, target in minibatches(x, y, params.batch_size)]))


def set_learning_rate(model, learning_rate):
    """A variable that the compiled step shares: a plain number would be a constant of it."""
    model.rate.set_value(np.array(learning_rate, params.dtype))


def predict(model, x):
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([model.scores(x[start : start + params.batch_size]) for start in starts])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Theano convolves where others correlate: its kernels are turned by half a circle. Dense weights are (in, out)."""
    weights = {}
    for layer in L.get_all_layers(model.network):
        if hasattr(layer, "W"):
            weight = layer.W.get_value()
            weights[layer.name + ".weight"] = weight.T.copy() if weight.ndim == 2 else weight[:, :, ::-1, ::-1].copy()
            weights[layer.name + ".bias"] = layer.b.get_value()
    return weights


def import_weights(model, weights):
    for layer in L.get_all_layers(model.network):
        if hasattr(layer, "W"):
            weight = weights[layer.name + ".weight"]
            layer.W.set_value(weight.T if weight.ndim == 2 else weight[:, :, ::-1, ::-1])
            layer.b.set_value(weights[layer.name + ".bias"])


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
