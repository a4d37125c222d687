"""A GRU on IMDB reviews in MXNet Gluon."""

from types import SimpleNamespace

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon
from mxnet.gluon import nn, rnn

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def load_data():
    """Reviews (n, 150) and integer class labels."""
    return imdb_for_library()


class Network(nn.HybridBlock):
    def __init__(self):
        super().__init__()
        with self.name_scope():
            uniform = mx.init.Uniform(params.embedding_bound)
            self.embedding = nn.Embedding(params.vocabulary, params.embedding, weight_initializer=uniform)
            self.gru = rnn.GRU(params.units, input_size=params.embedding)
            self.fc = nn.Dense(params.classes, in_units=params.units)

    def hybrid_forward(self, F, words):  # noqa: N803 (Gluon's own name: F is mx.nd, or mx.sym once hybridized)
        outputs = self.gru(self.embedding(words.transpose()))  # time first: Gluon's default, and the faster layout
        last = F.slice_axis(outputs, axis=0, begin=-1, end=None)
        return self.fc(last.squeeze(axis=0))


def create_symbol():
    return Network()


def init_model(symbol):
    np.random.seed(params.seed)
    mx.random.seed(params.seed)
    device = mx.gpu() if mx.context.num_gpus() else mx.cpu()
    # Glorot-uniform, not Gluon's uniform ± 0.07; biases are zero by default.
    symbol.initialize(mx.init.Xavier(), ctx=device)
    symbol.cast(params.dtype)
    symbol.hybridize(static_alloc=True, static_shape=True)  # a graph of fixed memory: faster than line by line
    optimizer = mx.optimizer.Adam(params.learning_rate, params.beta1, params.beta2, params.epsilon)
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


def predict(model, x):
    batches = [to_ndarray(x[start : start + params.batch_size]) for start in range(0, len(x), params.batch_size)]
    scores = [model.network(data.as_in_context(model.device)) for data in batches]
    return mx.nd.concat(*scores, dim=0).asnumpy()


def evaluate(model, x, y):
    metric = mx.metric.Accuracy()
    metric.update(mx.nd.array(y), mx.nd.array(predict(model, x)))
    return metric.get()[1]


def parameters(model):
    """Gluon's parameters under their canonical names; its gate order is the canonical r, z, n."""
    network = model.network
    return {
        "embedding": network.embedding.weight,
        "gru.weight_ih": network.gru.l0_i2h_weight,
        "gru.weight_hh": network.gru.l0_h2h_weight,
        "gru.bias_ih": network.gru.l0_i2h_bias,
        "gru.bias_hh": network.gru.l0_h2h_bias,
        "fc.weight": network.fc.weight,
        "fc.bias": network.fc.bias,
    }


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
