"""A VGG-style CNN on CIFAR-10 in MindSpore."""

from functools import partial
from types import SimpleNamespace

import mindspore
import numpy as np
from mindspore import Tensor, nn
from mindspore.dataset import NumpySlicesDataset

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def load_data():
    return cifar_for_library(channel_first=True, one_hot=False)  # NCHW images; integer class labels


class Network(nn.Cell):
    def __init__(self):
        super().__init__()
        start = {"weight_init": "xavier_uniform", "bias_init": "zeros"}  # by default both are uniform
        conv = partial(nn.Conv2d, kernel_size=3, has_bias=True, **start)  # by default without biases
        dense = partial(nn.Dense, **start)
        drop1, drop2, drop3 = params.dropout
        self.conv1, self.conv2 = conv(3, 50), conv(50, 50)
        self.conv3, self.conv4 = conv(50, 100), conv(100, 100)
        self.fc1, self.fc2 = dense(100 * 8 * 8, 512), dense(512, params.classes)
        self.pool, self.relu, self.flatten = nn.MaxPool2d(kernel_size=2, stride=2), nn.ReLU(), nn.Flatten()
        self.drop1, self.drop2, self.drop3 = nn.Dropout(p=drop1), nn.Dropout(p=drop2), nn.Dropout(p=drop3)

    def construct(self, x):
        x = self.relu(self.conv1(x))
        x = self.drop1(self.relu(self.pool(self.conv2(x))))
        x = self.relu(self.conv3(x))
        x = self.drop2(self.relu(self.pool(self.conv4(x))))
        x = self.drop3(self.relu(self.fc1(self.flatten(x))))
        return self.fc2(x)


def create_symbol():
    mindspore.set_seed(params.seed)
    return Network()


def init_model(symbol):
    np.random.seed(params.seed)
    optimizer = nn.Momentum(symbol.trainable_params(), params.learning_rate, params.momentum)
    loss_fn = nn.CrossEntropyLoss()  # softmax included: it takes logits

    def forward(images, labels):
        return loss_fn(symbol(images), labels)

    loss_and_gradients = mindspore.value_and_grad(forward, None, optimizer.parameters)

    def step(images, labels):
        loss, gradients = loss_and_gradients(images, labels)
        optimizer(gradients)
        return loss

    return SimpleNamespace(network=symbol, optimizer=optimizer, step=mindspore.jit(step), eager_step=step)


def train_epoch(model, step, batches):
    model.network.set_train()  # a step is compiled at its first call, and keeps the mode of that call
    return float(np.mean([float(step(Tensor(data), Tensor(target))) for data, target in batches]))


def train(model, x, y):
    return train_epoch(model, model.step, minibatches(x, y, params.batch_size))


def train_eager(model, x, y):
    """The step without `mindspore.jit`, one operation after the other: for debugging."""
    return train_epoch(model, model.eager_step, minibatches(x, y, params.batch_size))


def train_with_loader(model, x, y):
    mindspore.dataset.config.set_seed(np.random.randint(2**31))  # otherwise every epoch has the order of the first
    dataset = NumpySlicesDataset((x, y), shuffle=True).batch(params.batch_size, drop_remainder=True)
    return train_epoch(model, model.step, dataset.create_tuple_iterator(num_epochs=1, output_numpy=True))


def set_learning_rate(model, learning_rate):
    mindspore.ops.assign(model.optimizer.learning_rate, Tensor(learning_rate, mindspore.float32))  # set_data is ignored


def predict(model, x):
    model.network.set_train(False)
    batches = np.split(x, range(params.batch_size, len(x), params.batch_size))
    return np.concatenate([model.network(Tensor(data)).asnumpy() for data in batches])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """As in the canonical form: kernels (out, in, 3, 3), dense weights (out, in)."""
    return {weight.name: weight.asnumpy() for weight in model.network.trainable_params()}


def import_weights(model, weights):
    for weight in model.network.trainable_params():
        mindspore.ops.assign(weight, Tensor(weights[weight.name]))


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
