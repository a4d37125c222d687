"""A GRU on IMDB reviews in PaddlePaddle."""

from types import SimpleNamespace

import numpy as np
import paddle
from paddle import nn
from paddle.io import DataLoader, TensorDataset

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def set_dtype(name):
    paddle.set_default_dtype(name)


def load_data():
    """Reviews (n, 150) and class labels; Paddle wants both as int64."""
    return tuple(array.astype(np.int64) for array in imdb_for_library())


class GRUClassifier(nn.Layer):
    def __init__(self):
        super().__init__()
        uniform = nn.initializer.Uniform(-params.embedding_bound, params.embedding_bound)
        glorot, zeros = nn.initializer.XavierUniform(), nn.initializer.Constant(0)
        starts = {"weight_ih_attr": glorot, "weight_hh_attr": glorot, "bias_ih_attr": zeros, "bias_hh_attr": zeros}
        self.embedding = nn.Embedding(params.vocabulary, params.embedding, weight_attr=uniform)
        self.gru = nn.GRU(params.embedding, params.units, **starts)  # by default all are uniform
        self.fc = nn.Linear(params.units, params.classes)  # its weights start Glorot-uniform, by default

    def forward(self, words):
        outputs, _ = self.gru(self.embedding(words))
        return self.fc(outputs[:, -1])


def create_symbol():
    paddle.seed(params.seed)
    return GRUClassifier()


def init_model(symbol):
    np.random.seed(params.seed)
    rates = (params.learning_rate, params.beta1, params.beta2, params.epsilon)
    optimizer = paddle.optimizer.Adam(*rates, parameters=symbol.parameters())
    loss = nn.CrossEntropyLoss()  # softmax included: the network ends in logits
    compiled = paddle.jit.to_static(symbol.forward)  # at its first call; the network itself stays as it is
    return SimpleNamespace(network=symbol, compiled=compiled, loss=loss, optimizer=optimizer)


def train_epoch(model, forward, batches):
    model.network.train()
    losses = []
    for words, labels in batches:
        words, labels = paddle.to_tensor(words), paddle.to_tensor(labels)
        loss = model.loss(forward(words), labels)
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


@paddle.no_grad()
def predict(model, x):
    model.network.eval()
    batches = np.split(x, range(params.batch_size, len(x), params.batch_size))
    return np.concatenate([model.network(paddle.to_tensor(words)).numpy() for words in batches])


def evaluate(model, x, y):
    return paddle.metric.accuracy(paddle.to_tensor(predict(model, x)), paddle.to_tensor(y[:, None])).item()


def parameters(network):
    """Paddle's parameters under their canonical names; gate order r, z, n is the canonical one."""
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
    weights = {name: parameter.numpy() for name, parameter in parameters(model.network).items()}
    return {**weights, "fc.weight": weights["fc.weight"].T.copy()}


def import_weights(model, weights):
    for name, parameter in parameters(model.network).items():
        parameter.set_value(weights[name].T if name == "fc.weight" else weights[name])


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
