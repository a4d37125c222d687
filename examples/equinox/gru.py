"""A GRU on IMDB reviews in Equinox, with Optax, on JAX."""

from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from rosetta_common.data import imdb_for_library, minibatches
from rosetta_common.params import gru as params


def load_data():
    return imdb_for_library()  # reviews (n, 150); integer class labels


class Network(eqx.Module):
    """A function of one review (150,): mini-batches are left to vmap."""

    embedding: eqx.nn.Embedding
    cell: eqx.nn.GRUCell
    fc: eqx.nn.Linear

    def __init__(self, key):
        key1, key2, key3 = jax.random.split(key, 3)
        self.embedding = eqx.nn.Embedding(params.vocabulary, params.embedding, dtype=params.dtype, key=key1)
        self.cell = eqx.nn.GRUCell(params.embedding, params.units, dtype=params.dtype, key=key2)
        self.fc = eqx.nn.Linear(params.units, params.classes, dtype=params.dtype, key=key3)

    def __call__(self, words):
        start = jnp.zeros(params.units, params.dtype)
        last, _ = jax.lax.scan(lambda state, x: (self.cell(x, state), None), start, jax.vmap(self.embedding)(words))
        return self.fc(last)


def create_symbol():
    return Network(jax.random.key(params.seed))


NAMES = ["embedding", "gru.weight_ih", "gru.weight_hh", "gru.bias_ih", "gru.bias_hh", "fc.weight", "fc.bias"]


def parameters(network):
    """The network's arrays in the order of NAMES. Of the recurrent biases there is that of the new gate only."""
    cell, fc = network.cell, network.fc
    return [network.embedding.weight, cell.weight_ih, cell.weight_hh, cell.bias, cell.bias_n, fc.weight, fc.bias]


def init_model(symbol):
    """The network is a tree of arrays that nobody changes: each step of training makes a new one."""
    np.random.seed(params.seed)
    bound, keys = params.embedding_bound, jax.random.split(jax.random.key(params.seed), 7)
    glorot, zeros = jax.nn.initializers.glorot_uniform(in_axis=1, out_axis=0), jax.nn.initializers.zeros
    laws = [lambda *given: jax.random.uniform(*given, -bound, bound), glorot, glorot, zeros, zeros, glorot, zeros]
    start = [law(key, array.shape, array.dtype) for law, key, array in zip(laws, keys, parameters(symbol))]
    network = eqx.tree_at(parameters, symbol, start)
    adam = optax.adam(params.learning_rate, params.beta1, params.beta2, params.epsilon)
    return SimpleNamespace(network=network, optimiser=adam, state=adam.init(eqx.filter(network, eqx.is_array)))


def train_step(network, optimiser, state, words, target):
    def loss_of(network):
        return optax.softmax_cross_entropy_with_integer_labels(jax.vmap(network)(words), target).mean()

    loss, gradients = eqx.filter_value_and_grad(loss_of)(network)
    updates, state = optimiser.update(gradients, state)
    return eqx.apply_updates(network, updates), state, loss


def train_epoch(step, model, x, y):
    losses = []
    for batch in minibatches(x, y, params.batch_size):
        model.network, model.state, loss = step(model.network, model.optimiser, model.state, *batch)
        losses.append(loss)
    return float(jnp.mean(jnp.array(losses)))


def train(model, x, y):
    return train_epoch(train_step, model, x, y)


compiled_step = eqx.filter_jit(train_step)  # compiled when it is first called, and for each new shape of data
compiled_scores = eqx.filter_jit(lambda network, words: jax.vmap(network)(words))


def train_compiled(model, x, y):
    return train_epoch(compiled_step, model, x, y)


def predict(model, x):
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([compiled_scores(model.network, x[i : i + params.batch_size]) for i in starts])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Equinox' layouts and its order of the gates, r, z, n, are the canonical ones."""
    weights = dict(zip(NAMES, map(np.asarray, parameters(model.network))))
    return {**weights, "gru.bias_hh": np.pad(weights["gru.bias_hh"], (2 * params.units, 0))}


def import_weights(model, weights):
    weights = {**weights, "gru.bias_hh": weights["gru.bias_hh"][2 * params.units :]}
    given = [jnp.asarray(weights[name], params.dtype) for name in NAMES]
    model.network = eqx.tree_at(parameters, model.network, given)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
