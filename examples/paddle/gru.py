"""A GRU on IMDB reviews in PaddlePaddle."""

import numpy as np
import paddle
from paddle import nn
from paddle.io import DataLoader, TensorDataset
from paddle.static import InputSpec

from rosetta_common.data import imdb_for_library, minibatches
from rosetta_common.params import gru as params


def load_data():
    """Reviews (n, 150) and class labels; Paddle wants both as int64."""
    return tuple(array.astype(np.int64) for array in imdb_for_library())


class SymbolLayer(nn.Layer):
    def __init__(self):
        super().__init__()
        uniform = nn.initializer.Uniform(-params.embedding_bound, params.embedding_bound)
        glorot, zeros = nn.initializer.XavierUniform(), nn.initializer.Constant(0)
        laws = {"weight_ih_attr": glorot, "weight_hh_attr": glorot, "bias_ih_attr": zeros, "bias_hh_attr": zeros}
        self.embedding = nn.Embedding(params.vocabulary, params.embedding, weight_attr=uniform)
        self.gru = nn.GRU(params.embedding, params.units, **laws)  # else all uniform
        self.fc = nn.Linear(params.units, params.classes)  # its weights start Glorot-uniform, by default

    def forward(self, words):
        outputs, _ = self.gru(self.embedding(words))
        return self.fc(outputs[:, -1])


def create_symbol():
    paddle.seed(params.seed)
    paddle.set_default_dtype(params.dtype)
    return SymbolLayer()


def init_model(symbol):
    np.random.seed(params.seed)
    rates = {"beta1": params.beta1, "beta2": params.beta2, "epsilon": params.epsilon}
    rule = paddle.optimizer.Adam(params.learning_rate, **rates, parameters=symbol.parameters())
    paddle.jit.enable_to_static(False)  # step by step, until train_compiled turns it on
    network = paddle.jit.to_static(symbol)
    model = paddle.Model(network, InputSpec([None, params.max_length], "int64", "words"))
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


def predict(model, x):
    return model.predict(TensorDataset([x]), params.batch_size, stack_outputs=True, verbose=0)[0]


def evaluate(model, x, y):
    return model.evaluate(TensorDataset([x, y[:, None]]), params.batch_size, verbose=0)["acc"]


def parameters(model):
    """Paddle's parameters under their canonical names; gate order r, z, n is the canonical one."""
    network = model.network
    return {
        "embedding": network.embedding.weight,
        "gru.weight_ih": network.gru.weight_ih_l0,
        "gru.weight_hh": network.gru.weight_hh_l0,
        "gru.bias_ih": network.gru.bias_ih_l0,
        "gru.bias_hh": network.gru.bias_hh_l0,
        "fc.weight": network.fc.weight,
        "fc.bias": network.fc.bias,
    }


def export_weights(model):
    """Dense weights lie as (in, out); those of the GRU as (out, in), which is canonical."""
    weights = {name: parameter.numpy() for name, parameter in parameters(model).items()}
    return {**weights, "fc.weight": weights["fc.weight"].T.copy()}


def import_weights(model, weights):
    for name, parameter in parameters(model).items():
        parameter.set_value(weights[name].T if name == "fc.weight" else weights[name])


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
