"""A VGG-style CNN on CIFAR-10 in MLX."""

from functools import partial
from types import SimpleNamespace

import mlx.core as mx
import numpy as np
from mlx import nn, optimizers
from mlx.utils import tree_flatten, tree_unflatten

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def load_data():
    return cifar_for_library(channel_first=False, one_hot=False)  # NHWC images, the only order that MLX has


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        drop1, drop2, drop3 = params.dropout
        self.conv1 = nn.Conv2d(3, 50, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(50, 50, kernel_size=3, padding=1)
        self.conv3 = nn.Conv2d(50, 100, kernel_size=3, padding=1)
        self.conv4 = nn.Conv2d(100, 100, kernel_size=3, padding=1)
        self.fc1, self.fc2 = nn.Linear(100 * 8 * 8, 512), nn.Linear(512, params.classes)
        self.pool = nn.MaxPool2d(2, stride=2)
        self.drop1, self.drop2, self.drop3 = nn.Dropout(drop1), nn.Dropout(drop2), nn.Dropout(drop3)

    def __call__(self, x):
        x = nn.relu(self.conv1(x))
        x = self.drop1(nn.relu(self.pool(self.conv2(x))))
        x = nn.relu(self.conv3(x))
        x = self.drop2(nn.relu(self.pool(self.conv4(x))))
        x = self.drop3(nn.relu(self.fc1(x.transpose(0, 3, 1, 2).flatten(1))))  # flattened channel by channel
        return self.fc2(x)


def create_symbol():
    """Glorot-uniform kernels and matrices, biases of zero: by default MLX draws all of them by the number of inputs."""
    mx.random.seed(params.seed)
    network, glorot, zeros = Network(), nn.init.glorot_uniform(), nn.init.constant(0)
    for layer in (network.conv1, network.conv2, network.conv3, network.conv4, network.fc1, network.fc2):
        layer.apply(lambda array: glorot(array) if array.ndim > 1 else zeros(array))
    return network


def loss_fn(network, images, labels):
    return nn.losses.cross_entropy(network(images), labels, reduction="mean")  # softmax included: it takes logits


def init_model(symbol):
    """A compiled step has to name what else it changes: weights, the optimizer's state, and the random key."""
    np.random.seed(params.seed)
    optimizer = optimizers.SGD(params.learning_rate, params.momentum)
    optimizer.init(symbol.trainable_parameters())
    loss_and_gradients = nn.value_and_grad(symbol, loss_fn)
    state = [symbol.state, optimizer.state, mx.random.state]

    @partial(mx.compile, inputs=state, outputs=state)
    def step(images, labels):
        loss, gradients = loss_and_gradients(symbol, images, labels)
        optimizer.update(symbol, gradients)
        return loss

    return SimpleNamespace(network=symbol, optimizer=optimizer, state=state, step=step)


def train(model, x, y):
    """MLX is lazy: a step says what is to be computed, and `mx.eval` computes it."""
    model.network.train()
    losses = []
    for data, target in minibatches(x, y, params.batch_size):
        losses.append(model.step(mx.array(data), mx.array(target)))
        mx.eval(losses[-1], model.state)
    return mx.mean(mx.stack(losses)).item()


def train_eager(model, x, y):
    """The same with `mx.compile` switched off, one operation after the other: for debugging."""
    mx.disable_compile()
    loss = train(model, x, y)
    mx.enable_compile()
    return loss


def set_learning_rate(model, learning_rate):
    model.optimizer.learning_rate = learning_rate


def predict(model, x):
    model.network.eval()
    batches = np.split(x, range(params.batch_size, len(x), params.batch_size))
    return np.concatenate([np.array(model.network(mx.array(data))) for data in batches])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Kernels are (out, 3, 3, in); dense weights (out, in), as in the canonical form."""
    weights = {name: np.array(weight) for name, weight in tree_flatten(model.network.trainable_parameters())}
    return {name: weight.transpose(0, 3, 1, 2) if weight.ndim == 4 else weight for name, weight in weights.items()}


def import_weights(model, weights):
    named = [(name, weight.transpose(0, 2, 3, 1) if weight.ndim == 4 else weight) for name, weight in weights.items()]
    model.network.update(tree_unflatten([(name, mx.array(weight)) for name, weight in named]))


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
