"""A GRU on IMDB reviews in MLX."""

from functools import partial
from types import SimpleNamespace

import mlx.core as mx
import numpy as np
from mlx import nn, optimizers

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def load_data():
    """Reviews (n, 150) and integer class labels."""
    return imdb_for_library()


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(params.vocabulary, params.embedding)
        self.gru = nn.GRU(params.embedding, params.units)
        self.fc = nn.Linear(params.units, params.classes)

    def __call__(self, words):
        states = self.gru(self.embedding(words))
        return self.fc(states[:, -1])


def create_symbol():
    """A uniform embedding, Glorot-uniform matrices, biases of zero: MLX's defaults are other distributions."""
    mx.random.seed(params.seed)
    network, glorot, zeros = Network(), nn.init.glorot_uniform(), nn.init.constant(0)
    network.embedding.apply(nn.init.uniform(-params.embedding_bound, params.embedding_bound))
    for layer in (network.gru, network.fc):
        layer.apply(lambda array: glorot(array) if array.ndim > 1 else zeros(array))
    return network


def loss_fn(network, words, labels):
    return nn.losses.cross_entropy(network(words), labels, reduction="mean")  # softmax included: it takes logits


def init_model(symbol):
    """A compiled step has to name what else it changes: the weights and the optimizer's state."""
    np.random.seed(params.seed)
    betas = [params.beta1, params.beta2]
    optimizer = optimizers.Adam(params.learning_rate, betas, params.epsilon, bias_correction=True)  # off by default
    optimizer.init(symbol.trainable_parameters())
    loss_and_gradients = nn.value_and_grad(symbol, loss_fn)
    state = [symbol.state, optimizer.state]

    @partial(mx.compile, inputs=state, outputs=state)
    def step(words, labels):
        loss, gradients = loss_and_gradients(symbol, words, labels)
        optimizer.update(symbol, gradients)
        return loss

    return SimpleNamespace(network=symbol, optimizer=optimizer, state=state, step=step)


def train(model, x, y):
    """MLX is lazy: a step says what is to be computed, and `mx.eval` computes it."""
    losses = []
    for words, target in minibatches(x, y, params.batch_size):
        losses.append(model.step(mx.array(words), mx.array(target)))
        mx.eval(losses[-1], model.state)
    return mx.mean(mx.stack(losses)).item()


def train_eager(model, x, y):
    """The same with `mx.compile` switched off, one operation after the other: for debugging."""
    mx.disable_compile()
    loss = train(model, x, y)
    mx.enable_compile()
    return loss


def predict(model, x):
    batches = np.split(x, range(params.batch_size, len(x), params.batch_size))
    return np.concatenate([np.array(model.network(mx.array(data))) for data in batches])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Gates in the canonical order, r, z, n. Of the recurrent biases there is that of the new gate only."""
    network = model.network
    weights = {
        "embedding": network.embedding.weight,
        "gru.weight_ih": network.gru.Wx,
        "gru.weight_hh": network.gru.Wh,
        "gru.bias_ih": network.gru.b,
        "gru.bias_hh": mx.pad(network.gru.bhn, (2 * params.units, 0)),
        "fc.weight": network.fc.weight,
        "fc.bias": network.fc.bias,
    }
    return {name: np.array(weight) for name, weight in weights.items()}


def import_weights(model, weights):
    network, given = model.network, {name: mx.array(weight) for name, weight in weights.items()}
    network.embedding.weight = given["embedding"]
    network.gru.Wx, network.gru.Wh = given["gru.weight_ih"], given["gru.weight_hh"]
    network.gru.b, network.gru.bhn = given["gru.bias_ih"], given["gru.bias_hh"][2 * params.units :]
    network.fc.weight, network.fc.bias = given["fc.weight"], given["fc.bias"]


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
