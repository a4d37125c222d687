"""A VGG-style CNN on CIFAR-10 in tinygrad."""

from math import prod
from types import SimpleNamespace

import numpy as np
from tinygrad import Context, Tensor, TinyJit, nn

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def load_data():
    """NCHW images; integer class labels."""
    return cifar_for_library(channel_first=True, one_hot=False)


class CNN:
    def __init__(self):
        self.conv1 = nn.Conv2d(3, 50, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(50, 50, kernel_size=3, padding=1)
        self.conv3 = nn.Conv2d(50, 100, kernel_size=3, padding=1)
        self.conv4 = nn.Conv2d(100, 100, kernel_size=3, padding=1)
        self.fc1 = nn.Linear(100 * 8 * 8, 512)
        self.fc2 = nn.Linear(512, params.classes)

    def __call__(self, x):
        """`contiguous` materializes a block; without it, the next layer recomputes it for each of its outputs."""
        drop1, drop2, drop3 = params.dropout
        x = self.conv2(self.conv1(x).relu())
        x = x.max_pool2d((2, 2)).relu().dropout(drop1).contiguous()
        x = self.conv4(self.conv3(x).relu())
        x = x.max_pool2d((2, 2)).relu().dropout(drop2).contiguous()
        x = self.fc1(x.flatten(1)).relu().dropout(drop3)
        return self.fc2(x)


def glorot_uniform(weight):
    """Tensor.glorot_uniform leaves the size of a kernel out of the outputs that it counts."""
    out_channels, in_channels, *kernel_size = weight.shape
    bound = (6 / ((out_channels + in_channels) * prod(kernel_size))) ** 0.5
    return Tensor.uniform(*weight.shape, low=-bound, high=bound)


def create_symbol():
    """Kernels and matrices start Glorot-uniform, biases at zero; by default both are uniform."""
    Tensor.manual_seed(params.seed)
    network = CNN()
    for weight in nn.state.get_parameters(network):
        weight.assign(glorot_uniform(weight) if weight.ndim > 1 else weight.zeros_like()).realize()
    return network


def init_model(symbol):
    np.random.seed(params.seed)
    optimizer = nn.optim.SGD(nn.state.get_parameters(symbol), params.learning_rate, params.momentum)

    @Context(TRAINING=1)  # dropout on
    def step(images, labels):
        optimizer.zero_grad()
        loss = symbol(images).sparse_categorical_crossentropy(labels).backward()  # softmax included: it takes logits
        return loss.realize(*optimizer.schedule_step())

    return SimpleNamespace(network=symbol, optimizer=optimizer, step=TinyJit(step), eager_step=step)


def train_epoch(step, x, y):
    batches = minibatches(x, y, params.batch_size)
    return float(np.mean([step(Tensor(data).realize(), Tensor(target).realize()).item() for data, target in batches]))


def train(model, x, y):
    """TinyJit records the kernels of a step and replays them from the third step on."""
    return train_epoch(model.step, x, y)


def train_eager(model, x, y):
    """Each step builds its graph anew and schedules its kernels."""
    return train_epoch(model.eager_step, x, y)


def set_learning_rate(model, learning_rate):
    """In place, because the jitted step goes on reading this array."""
    model.optimizer.lr.assign(Tensor([learning_rate])).realize()


def predict(model, x):
    batches = np.split(x, range(params.batch_size, len(x), params.batch_size))
    return np.concatenate([model.network(Tensor(data)).numpy() for data in batches])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Layouts are the canonical ones: kernels (out, in, 3, 3), dense weights (out, in)."""
    return {name: weight.numpy() for name, weight in nn.state.get_state_dict(model.network).items()}


def import_weights(model, weights):
    """In place, because the jitted step goes on reading these arrays; `load_state_dict` would replace them."""
    for name, weight in nn.state.get_state_dict(model.network).items():
        weight.assign(Tensor(weights[name])).realize()


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
