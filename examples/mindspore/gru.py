"""A GRU on IMDB reviews in MindSpore."""

from types import SimpleNamespace

import mindspore
import numpy as np
from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Uniform, initializer
from mindspore.dataset import NumpySlicesDataset

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def load_data():
    """Reviews (n, 150) and integer class labels."""
    return imdb_for_library()


class Network(nn.Cell):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(
            params.vocabulary, params.embedding, embedding_table=Uniform(params.embedding_bound)
        )
        self.gru = nn.GRUCell(params.embedding, params.units)
        self.fc = nn.Dense(params.units, params.classes)

    def construct(self, words):
        """A loop over a tensor stays one in the graph; nn.GRU's becomes 150 copies, much longer to compile."""
        vectors = self.embedding(words.swapaxes(0, 1))
        state, time = ops.zeros((words.shape[0], params.units), vectors.dtype), Tensor(0)
        while time < vectors.shape[0]:
            state = self.gru(vectors[time], state)
            time = time + 1
        return self.fc(state)


def create_symbol():
    """Glorot-uniform matrices, biases of zero: by default both are uniform, by the number of inputs."""
    mindspore.set_seed(params.seed)
    network = Network()
    for layer in (network.gru, network.fc):
        for weight in layer.trainable_params():
            distribution = "xavier_uniform" if weight.ndim > 1 else "zeros"
            weight.set_data(initializer(distribution, weight.shape, weight.dtype))
    return network


def init_model(symbol):
    np.random.seed(params.seed)
    betas = {"beta1": params.beta1, "beta2": params.beta2}
    optimizer = nn.Adam(symbol.trainable_params(), params.learning_rate, **betas, eps=params.epsilon)
    loss_fn = nn.CrossEntropyLoss()  # softmax included: it takes logits

    def forward(words, labels):
        return loss_fn(symbol(words), labels)

    loss_and_gradients = mindspore.value_and_grad(forward, None, optimizer.parameters)

    @mindspore.jit
    def step(words, labels):
        loss, gradients = loss_and_gradients(words, labels)
        optimizer(gradients)
        return loss

    return SimpleNamespace(network=symbol, step=step, predict=mindspore.jit(symbol))


def train_epoch(model, batches):
    return float(np.mean([float(model.step(Tensor(data), Tensor(target))) for data, target in batches]))


def train(model, x, y):
    return train_epoch(model, minibatches(x, y, params.batch_size))


def train_with_loader(model, x, y):
    mindspore.dataset.config.set_seed(np.random.randint(2**31))  # otherwise every epoch has the order of the first
    dataset = NumpySlicesDataset((x, y), shuffle=True).batch(params.batch_size, drop_remainder=True)
    return train_epoch(model, dataset.create_tuple_iterator(num_epochs=1, output_numpy=True))


def predict(model, x):
    batches = np.split(x, range(params.batch_size, len(x), params.batch_size))
    return np.concatenate([model.predict(Tensor(data)).asnumpy() for data in batches])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Gates in the canonical order, r, z, n; two biases, as in the canonical form."""
    weights = {weight.name: weight.asnumpy() for weight in model.network.trainable_params()}
    return {name.replace("embedding.embedding_table", "embedding"): weight for name, weight in weights.items()}


def import_weights(model, weights):
    """Written into the arrays that a compiled graph holds: it would not see what `set_data` replaces them by."""
    for weight in model.network.trainable_params():
        ops.assign(weight, Tensor(weights[weight.name.replace("embedding.embedding_table", "embedding")]))


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
