"""A VGG-style CNN on CIFAR-10 in CNTK."""

from types import SimpleNamespace

import cntk
import numpy as np
from cntk.layers import Convolution2D, Dense, Dropout, MaxPooling, Sequential, default_options

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params

LAYERS = ["conv1", "conv2", "conv3", "conv4", "fc1", "fc2"]


def load_data():
    """NCHW images; one-hot labels, as CNTK's losses and metrics want them."""
    return cifar_for_library(channel_first=True, one_hot=True)


def create_symbol():
    # Each layer takes the next seed from here on; set_fixed_random_seed would give all of them the same numbers.
    cntk.cntk_py.reset_random_seed(params.seed)
    drop1, drop2, drop3 = params.dropout
    with default_options(dtype=params.dtype, init=cntk.glorot_uniform(), activation=cntk.relu, pad=True):
        features = cntk.input_variable((3, 32, 32))
        network = Sequential(
            [
                Convolution2D((3, 3), 50, name="conv1"),
                Convolution2D((3, 3), 50, activation=None, name="conv2"),
                MaxPooling((2, 2), strides=2, pad=False),
                cntk.relu,  # ReLU after the pool: it then sees a quarter of the values
                Dropout(drop1),
                Convolution2D((3, 3), 100, name="conv3"),
                Convolution2D((3, 3), 100, activation=None, name="conv4"),
                MaxPooling((2, 2), strides=2, pad=False),
                cntk.relu,
                Dropout(drop2),
                Dense(512, name="fc1"),
                Dropout(drop3),
                Dense(params.classes, activation=None, name="fc2"),
            ]
        )
        return network(features)


def init_model(symbol):
    np.random.seed(params.seed)
    labels = cntk.input_variable(params.classes, dtype=params.dtype)
    loss = cntk.cross_entropy_with_softmax(symbol, labels)  # softmax included: the network ends in logits
    learner = cntk.momentum_sgd(
        symbol.parameters,
        lr=cntk.learning_parameter_schedule(params.learning_rate),  # of the mean gradient of the mini-batch
        momentum=cntk.momentum_schedule(params.momentum),
        unit_gain=False,  # CNTK's default, True, would multiply the gradient by 1 - momentum
    )
    trainer = cntk.Trainer(symbol, (loss, None), [learner])
    return SimpleNamespace(network=symbol, features=symbol.arguments[0], labels=labels, trainer=trainer)


def train_epoch(model, batches):
    losses = []
    for data, target in batches:
        model.trainer.train_minibatch({model.features: data, model.labels: target})
        losses.append(model.trainer.previous_minibatch_loss_average)
    return float(np.mean(losses))


def train(model, x, y):
    return train_epoch(model, minibatches(x, y, params.batch_size))


def train_with_loader(model, x, y):
    order = np.random.permutation(len(x))  # the source takes the samples as they stand: it does not shuffle
    full = len(x) - len(x) % params.batch_size
    source = cntk.io.MinibatchSourceFromData({"x": x[order], "y": y[order]}, max_samples=full)
    batches = iter(lambda: source.next_minibatch(params.batch_size), {})
    return train_epoch(model, ((batch[source.streams.x], batch[source.streams.y]) for batch in batches))


def set_learning_rate(model, learning_rate):
    [learner] = model.trainer.parameter_learners
    learner.reset_learning_rate(cntk.learning_parameter_schedule(learning_rate))


def predict(model, x):
    batches = [x[start : start + params.batch_size] for start in range(0, len(x), params.batch_size)]
    return np.concatenate([model.network.eval({model.features: data}) for data in batches])


def evaluate(model, x, y):
    return 1 - float(np.mean(cntk.classification_error(predict(model, x), y, axis=1).eval()))


def export_weights(model):
    """CNTK keeps conv kernels (out, in, 3, 3), conv biases (out, 1, 1), dense weights (*input shape, out)."""
    weights = {}
    for name in LAYERS:
        layer = getattr(model.network, name)
        kernel = layer.W.value
        dense = kernel.reshape(-1, kernel.shape[-1]).T
        weights[name + ".weight"] = kernel.copy() if name.startswith("conv") else dense.copy()
        weights[name + ".bias"] = layer.b.value.flatten()
    return weights


def import_weights(model, weights):
    for name in LAYERS:
        layer, kernel = getattr(model.network, name), weights[name + ".weight"]
        layer.W.value = (kernel if name.startswith("conv") else kernel.T).reshape(layer.W.shape)
        layer.b.value = weights[name + ".bias"].reshape(layer.b.shape)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
