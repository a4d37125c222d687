"""A VGG-style CNN on CIFAR-10 in MXNet Gluon."""

from types import SimpleNamespace

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon
from mxnet.gluon import nn

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def load_data():
    """NCHW images; integer class labels."""
    return cifar_for_library(channel_first=True, one_hot=False)


def create_symbol():
    drop1, drop2, drop3 = params.dropout
    symbol = nn.HybridSequential(prefix="")
    symbol.add(
        nn.Conv2D(50, kernel_size=3, padding=1, activation="relu", in_channels=3, prefix="conv1_"),
        nn.Conv2D(50, kernel_size=3, padding=1, in_channels=50, prefix="conv2_"),
        nn.MaxPool2D(),
        nn.Activation("relu"),
        nn.Dropout(drop1),
        nn.Conv2D(100, kernel_size=3, padding=1, activation="relu", in_channels=50, prefix="conv3_"),
        nn.Conv2D(100, kernel_size=3, padding=1, in_channels=100, prefix="conv4_"),
        nn.MaxPool2D(),
        nn.Activation("relu"),
        nn.Dropout(drop2),
        nn.Flatten(),
        nn.Dense(512, activation="relu", in_units=100 * 8 * 8, prefix="fc1_"),
        nn.Dropout(drop3),
        nn.Dense(params.classes, in_units=512, prefix="fc2_"),
    )
    return symbol


def init_model(symbol):
    np.random.seed(params.seed)
    mx.random.seed(params.seed)
    device = mx.gpu() if mx.context.num_gpus() else mx.cpu()
    # Glorot-uniform, not Gluon's uniform ± 0.07; biases are zero by default.
    symbol.initialize(mx.init.Xavier(), ctx=device)
    symbol.cast(params.dtype)
    symbol.hybridize(static_alloc=True, static_shape=True)  # a graph of fixed memory: faster than line by line
    optimizer = mx.optimizer.SGD(learning_rate=params.learning_rate, momentum=params.momentum)
    loss = gluon.loss.SoftmaxCrossEntropyLoss()  # softmax included: the network ends in logits
    trainer = gluon.Trainer(symbol.collect_params(), optimizer)
    return SimpleNamespace(network=symbol, device=device, loss=loss, trainer=trainer)


def to_ndarray(array):
    return mx.nd.array(array, dtype=array.dtype)  # its default is float32 for every array


def train_epoch(model, batches):
    losses = []
    for data, target in batches:
        data, target = data.as_in_context(model.device), target.as_in_context(model.device)
        with autograd.record():  # records for backward(), and switches dropout on
            loss = model.loss(model.network(data), target)  # one loss a sample
        loss.backward()
        model.trainer.step(params.batch_size)  # divides the summed gradients by the batch size
        losses.append(loss.mean().asscalar())
    mx.nd.waitall()  # MXNet computes behind Python's back: the last update may still be under way
    return float(np.mean(losses))


def train(model, x, y):
    return train_epoch(model, (map(to_ndarray, batch) for batch in minibatches(x, y, params.batch_size)))


def train_with_loader(model, x, y):
    dataset = gluon.data.ArrayDataset(x, y)
    return train_epoch(model, gluon.data.DataLoader(dataset, params.batch_size, shuffle=True, last_batch="discard"))


def set_learning_rate(model, learning_rate):
    model.trainer.set_learning_rate(learning_rate)


def predict(model, x):
    batches = [to_ndarray(x[start : start + params.batch_size]) for start in range(0, len(x), params.batch_size)]
    scores = [model.network(data.as_in_context(model.device)) for data in batches]
    return mx.nd.concat(*scores, dim=0).asnumpy()


def evaluate(model, x, y):
    metric = mx.metric.Accuracy()
    metric.update(mx.nd.array(y), mx.nd.array(predict(model, x)))
    return metric.get()[1]


def parameters(model):
    """Gluon's parameters under their canonical names: (out, in, 3, 3) and (out, in) are its layouts as well."""
    return {name.replace("_", "."): parameter for name, parameter in model.network.collect_params().items()}


def export_weights(model):
    return {name: parameter.data().asnumpy() for name, parameter in parameters(model).items()}


def import_weights(model, weights):
    for name, parameter in parameters(model).items():
        parameter.set_data(to_ndarray(weights[name]))


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
