"""A GRU on IMDB reviews in Chainer."""

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
from workloads.gru import imdb_for_library, params


def load_data():
    """Reviews (n, 150) and integer class labels."""
    return imdb_for_library()


class Symbol(chainer.Chain):
    def __init__(self):
        super().__init__()
        with self.init_scope(), chainer.using_config("dtype", np.dtype(params.dtype)):
            uniform, glorot = chainer.initializers.Uniform(params.embedding_bound), chainer.initializers.GlorotUniform()
            self.embedding = L.EmbedID(params.vocabulary, params.embedding, initialW=uniform)
            # NStepGRU applies the reset gate after the recurrent product; L.GRU and L.StatefulGRU do so before.
            self.gru = L.NStepGRU(1, params.embedding, params.units, dropout=0)
            self.fc = L.Linear(params.units, params.classes, initialW=glorot)

    def forward(self, words):
        embedded = self.embedding(words)
        last, _ = self.gru(None, F.separate(embedded, axis=0))  # one sequence a review: they may differ in length
        return self.fc(last[0])


def create_symbol():
    np.random.seed(params.seed)  # Chainer draws its weights from NumPy's generator
    return Symbol()


def gates(symbol, kind):
    """The GRU's "w" or "b": three from the input, for r, z and n, and three from the state."""
    return [getattr(symbol.gru[0], f"{kind}{k}") for k in range(6)]


def init_model(symbol):
    np.random.seed(params.seed)
    for weight in gates(symbol, "w"):  # NStepGRU would draw each gate for itself; its biases are zeros
        bound = np.sqrt(6 / (3 * params.units + weight.shape[1]))  # Glorot-uniform over the three gates together
        weight.array[...] = np.random.uniform(-bound, bound, weight.shape)
    device = chainer.get_device("@cupy:0" if cuda.available else "@numpy")
    symbol.to_device(device)
    optimizer = chainer.optimizers.Adam(params.learning_rate, params.beta1, params.beta2, params.epsilon)
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


def predict(model, x):
    starts = range(0, len(x), params.batch_size)
    with chainer.using_config("train", False), chainer.no_backprop_mode():
        scores = [model.network(model.device.send(x[start : start + params.batch_size])) for start in starts]
    return np.concatenate([cuda.to_cpu(batch.array) for batch in scores])


def evaluate(model, x, y):
    return float(F.accuracy(predict(model, x), y).array)


def parameters(model):
    """Chainer's parameters under their canonical names; the GRU's stand gate by gate, r, z, n."""
    network = model.network
    w, b = gates(network, "w"), gates(network, "b")
    named = {"embedding": [network.embedding.W], "fc.weight": [network.fc.W], "fc.bias": [network.fc.b]}
    named.update({"gru.weight_ih": w[:3], "gru.weight_hh": w[3:], "gru.bias_ih": b[:3], "gru.bias_hh": b[3:]})
    return named


def export_weights(model):
    named = parameters(model).items()
    return {name: np.concatenate([cuda.to_cpu(part.array) for part in parts]) for name, parts in named}


def import_weights(model, weights):
    for name, parts in parameters(model).items():
        for part, weight in zip(parts, np.split(weights[name], len(parts))):
            part.array[...] = model.device.send(weight)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
