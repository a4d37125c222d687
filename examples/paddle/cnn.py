"""A VGG-style CNN on CIFAR-10 in PaddlePaddle."""

import numpy as np
import paddle
from paddle import nn
from paddle.io import DataLoader, TensorDataset
from paddle.static import InputSpec

from rosetta_common.data import cifar_for_library, minibatches
from rosetta_common.params import cnn as params


def load_data():
    """NCHW images; integer class labels, which Paddle wants as int64."""
    x_train, x_test, y_train, y_test = cifar_for_library(channel_first=True, one_hot=False)
    return x_train, x_test, y_train.astype(np.int64), y_test.astype(np.int64)


def conv(into, out):
    """Glorot-uniform kernels: else they are normal. Biases start at zero, by default."""
    return nn.Conv2D(into, out, kernel_size=3, padding="SAME", weight_attr=nn.initializer.XavierUniform())


def create_symbol():
    paddle.seed(params.seed)
    paddle.set_default_dtype(params.dtype)
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
    rule = paddle.optimizer.Momentum(params.learning_rate, params.momentum, parameters=symbol.parameters())
    paddle.jit.enable_to_static(False)  # step by step, until train_compiled turns it on
    network = paddle.jit.to_static(symbol)
    model = paddle.Model(network, InputSpec([None, 3, 32, 32], params.dtype, "images"))
    model.prepare(rule, nn.CrossEntropyLoss(), paddle.metric.Accuracy())  # soft-max included: it takes logits
    return model


def train_epoch(model, batches):
    losses = []
    for data, target in batches:
        ([loss], _) = model.train_batch([data], [target])
        losses.append(loss)
    return float(np.mean(losses))


def train(model, x, y):
    return train_epoch(model, minibatches(x, y, params.batch_size))


def train_compiled(model, x, y):
    """Forward and backward pass are compiled at the first call, and predictions from here on.

    In evaluation mode a compiled network learns nothing, and does not say so: train_batch leaves that mode first.
    """
    paddle.jit.enable_to_static(True)
    return train(model, x, y)


def train_with_loader(model, x, y):
    dataset = TensorDataset([x, y])
    return train_epoch(model, DataLoader(dataset, batch_size=params.batch_size, shuffle=True, drop_last=True))


def set_learning_rate(model, learning_rate):
    model._optimizer.set_lr(learning_rate)  # paddle.Model has no function of its own for it


def predict(model, x):
    return model.predict(TensorDataset([x]), params.batch_size, stack_outputs=True, verbose=0)[0]


def evaluate(model, x, y):
    return model.evaluate(TensorDataset([x, y[:, None]]), params.batch_size, verbose=0)["acc"]


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
