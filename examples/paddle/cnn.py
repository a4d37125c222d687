"""A VGG-style CNN on CIFAR-10 in PaddlePaddle."""

from types import SimpleNamespace

import numpy as np
import paddle
from paddle import nn
from paddle.io import DataLoader, TensorDataset

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def set_dtype(name):
    paddle.set_default_dtype(name)


def load_data():
    """NCHW images; integer class labels, which Paddle wants as int64."""
    x_train, x_test, y_train, y_test = cifar_for_library(channel_first=True, one_hot=False)
    return x_train, x_test, y_train.astype(np.int64), y_test.astype(np.int64)


def conv(in_channels, out_channels):
    """Glorot-uniform kernels; by default they are normal. Biases start at zero, by default."""
    return nn.Conv2D(in_channels, out_channels, 3, padding="SAME", weight_attr=nn.initializer.XavierUniform())


def create_symbol():
    paddle.seed(params.seed)
    drop1, drop2, drop3 = params.dropout
    return nn.Sequential(
        ("conv1", conv(3, 50)),
        ("relu1", nn.ReLU()),
        ("conv2", conv(50, 50)),
        ("pool2", nn.MaxPool2D(2)),
        ("relu2", nn.ReLU()),
        ("drop2", nn.Dropout(drop1)),
        ("conv3", conv(50, 100)),
        ("relu3", nn.ReLU()),
        ("conv4", conv(100, 100)),
        ("pool4", nn.MaxPool2D(2)),
        ("relu4", nn.ReLU()),
        ("drop4", nn.Dropout(drop2)),
        ("flatten", nn.Flatten()),
        ("fc1", nn.Linear(100 * 8 * 8, 512)),  # its weights start Glorot-uniform, by default
        ("relu5", nn.ReLU()),
        ("drop5", nn.Dropout(drop3)),
        ("fc2", nn.Linear(512, params.classes)),
    )


def init_model(symbol):
    np.random.seed(params.seed)
    optimizer = paddle.optimizer.Momentum(params.learning_rate, params.momentum, parameters=symbol.parameters())
    loss = nn.CrossEntropyLoss()  # softmax included: the network ends in logits
    compiled = paddle.jit.to_static(symbol.forward)  # at its first call; the network itself stays as it is
    return SimpleNamespace(network=symbol, compiled=compiled, loss=loss, optimizer=optimizer)


def train_epoch(model, forward, batches):
    model.network.train()
    losses = []
    for images, labels in batches:
        images, labels = paddle.to_tensor(images), paddle.to_tensor(labels)
        loss = model.loss(forward(images), labels)
        loss.backward()
        model.optimizer.step()
        model.optimizer.clear_grad()
        losses.append(loss.item())
    return float(np.mean(losses))


def train(model, x, y):
    return train_epoch(model, model.network, minibatches(x, y, params.batch_size))


def train_compiled(model, x, y):
    return train_epoch(model, model.compiled, minibatches(x, y, params.batch_size))


def train_with_loader(model, x, y):
    loader = DataLoader(TensorDataset([x, y]), batch_size=params.batch_size, shuffle=True, drop_last=True)
    return train_epoch(model, model.network, loader)


def set_learning_rate(model, learning_rate):
    model.optimizer.set_lr(learning_rate)


@paddle.no_grad()
def predict(model, x):
    model.network.eval()
    batches = np.split(x, range(params.batch_size, len(x), params.batch_size))
    return np.concatenate([model.network(paddle.to_tensor(images)).numpy() for images in batches])


def evaluate(model, x, y):
    return paddle.metric.accuracy(paddle.to_tensor(predict(model, x)), paddle.to_tensor(y[:, None])).item()


def export_weights(model):
    """Kernels are (out, in, 3, 3) as everywhere in the canonical form; dense weights lie as (in, out)."""
    weights = {name: weight.numpy() for name, weight in model.network.state_dict().items()}
    return {name: weight.T.copy() if weight.ndim == 2 else weight for name, weight in weights.items()}


def import_weights(model, weights):
    for name, weight in model.network.state_dict().items():
        weight.set_value(weights[name].T if weight.ndim == 2 else weights[name])


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
