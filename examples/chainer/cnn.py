"""A VGG-style CNN on CIFAR-10 in Chainer."""

from types import SimpleNamespace

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
from chainer.backends import cuda
from chainer.dataset import concat_examples
from chainer.datasets import TupleDataset
from chainer.iterators import SerialIterator

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params

LAYERS = ["conv1", "conv2", "conv3", "conv4", "fc1", "fc2"]


def load_data():
    """NCHW images; integer class labels."""
    return cifar_for_library(channel_first=True, one_hot=False)


class Symbol(chainer.Chain):
    def __init__(self):
        super().__init__()
        with self.init_scope(), chainer.using_config("dtype", np.dtype(params.dtype)):
            glorot = chainer.initializers.GlorotUniform()  # Chainer's default is LeCun's normal distribution
            self.conv1 = L.Convolution2D(3, 50, ksize=3, pad=1, initialW=glorot)
            self.conv2 = L.Convolution2D(50, 50, ksize=3, pad=1, initialW=glorot)
            self.conv3 = L.Convolution2D(50, 100, ksize=3, pad=1, initialW=glorot)
            self.conv4 = L.Convolution2D(100, 100, ksize=3, pad=1, initialW=glorot)
            self.fc1 = L.Linear(100 * 8 * 8, 512, initialW=glorot)
            self.fc2 = L.Linear(512, params.classes, initialW=glorot)

    def forward(self, x):
        drop1, drop2, drop3 = params.dropout
        x = F.relu(self.conv1(x))
        x = F.relu(F.max_pooling_2d(self.conv2(x), ksize=2))  # ReLU after the pool: it sees a quarter of the values
        x = F.dropout(x, drop1)
        x = F.relu(self.conv3(x))
        x = F.relu(F.max_pooling_2d(self.conv4(x), ksize=2))
        x = F.dropout(x, drop2)
        x = F.dropout(F.relu(self.fc1(x)), drop3)
        return self.fc2(x)


def create_symbol():
    np.random.seed(params.seed)  # Chainer draws weights and dropout masks from NumPy's generator
    return Symbol()


def init_model(symbol):
    np.random.seed(params.seed)
    device = chainer.get_device("@cupy:0" if cuda.available else "@numpy")
    symbol.to_device(device)
    optimizer = chainer.optimizers.MomentumSGD(lr=params.learning_rate, momentum=params.momentum)
    optimizer.setup(symbol)
    return SimpleNamespace(network=symbol, device=device, optimizer=optimizer)


def update(model, data, target):
    loss = F.softmax_cross_entropy(model.network(data), target)  # softmax included: the network ends in logits
    model.network.cleargrads()
    loss.backward()
    model.optimizer.update()
    return float(loss.array)


def train(model, x, y):
    batches = minibatches(x, y, params.batch_size)
    losses = [update(model, model.device.send(data), model.device.send(target)) for data, target in batches]
    return float(np.mean(losses))


def train_with_loader(model, x, y):
    iterator = SerialIterator(TupleDataset(x, y), params.batch_size, repeat=False, shuffle=True)
    full = (batch for batch in iterator if len(batch) == params.batch_size)  # the last batch may be smaller
    losses = [update(model, *concat_examples(batch, model.device)) for batch in full]
    return float(np.mean(losses))


def set_learning_rate(model, learning_rate):
    model.optimizer.lr = learning_rate


def predict(model, x):
    starts = range(0, len(x), params.batch_size)
    with chainer.using_config("train", False), chainer.no_backprop_mode():
        scores = [model.network(model.device.send(x[start : start + params.batch_size])) for start in starts]
    return np.concatenate([cuda.to_cpu(batch.array) for batch in scores])


def evaluate(model, x, y):
    return float(F.accuracy(predict(model, x), y).array)


def export_weights(model):
    """Conv kernels (out, in, 3, 3) and dense weights (out, in): Chainer's layout is the canonical one."""
    layers = {name: getattr(model.network, name) for name in LAYERS}
    weights = {f"{name}.weight": cuda.to_cpu(layer.W.array).copy() for name, layer in layers.items()}
    return {**weights, **{f"{name}.bias": cuda.to_cpu(layer.b.array).copy() for name, layer in layers.items()}}


def import_weights(model, weights):
    for name in LAYERS:
        layer = getattr(model.network, name)
        layer.W.array[...] = model.device.send(weights[name + ".weight"])
        layer.b.array[...] = model.device.send(weights[name + ".bias"])


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
