"""A GRU on IMDB reviews in Equinox, with Optax, on JAX."""

from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def load_data():
    return imdb_for_library()  # reviews (n, 150); integer class labels


class Network(eqx.Module):
    """A function of one review (150,): `jax.vmap` makes it one of a mini-batch."""

    embedding: eqx.nn.Embedding
    cell: eqx.nn.GRUCell
    fc: eqx.nn.Linear

    def __init__(self, key):
        key1, key2, key3 = jax.random.split(key, 3)
        self.embedding = eqx.nn.Embedding(params.vocabulary, params.embedding, key=key1)
        self.cell = eqx.nn.GRUCell(params.embedding, params.units, key=key2)
        self.fc = eqx.nn.Linear(params.units, params.classes, key=key3)

    def __call__(self, words):
        start, vectors = jnp.zeros(params.units), jax.vmap(self.embedding)(words)
        last, _ = jax.lax.scan(lambda state, x: (self.cell(x, state), None), start, vectors)
        return self.fc(last)


def create_symbol():
    return Network(jax.random.key(params.seed))


def parameters(network):
    """The network's arrays by their canonical names. Of the recurrent biases Equinox has that of the new gate only."""
    cell, fc = network.cell, network.fc
    gates = {"gru.weight_ih": cell.weight_ih, "gru.weight_hh": cell.weight_hh, "gru.bias_ih": cell.bias}
    gates["gru.bias_hh"] = cell.bias_n
    return {"embedding": network.embedding.weight, **gates, "fc.weight": fc.weight, "fc.bias": fc.bias}


def init_model(symbol):
    np.random.seed(params.seed)
    bound, start = params.embedding_bound, {}
    glorot, zeros = jax.nn.initializers.glorot_uniform(in_axis=1, out_axis=0), jax.nn.initializers.zeros
    for key, (name, array) in zip(jax.random.split(jax.random.key(params.seed), 7), parameters(symbol).items()):
        if name == "embedding":
            start[name] = jax.random.uniform(key, array.shape, minval=-bound, maxval=bound)
        else:
            start[name] = (glorot if array.ndim > 1 else zeros)(key, array.shape)
    network = eqx.tree_at(lambda tree: [*parameters(tree).values()], symbol, [*start.values()])
    adam = optax.adam(params.learning_rate, params.beta1, params.beta2, params.epsilon)
    return SimpleNamespace(network=network, optimizer=adam, state=adam.init(eqx.filter(network, eqx.is_array)))


@eqx.filter_jit  # compiled at the first call, and again for each new shape of data
def train_step(network, optimizer, state, words, target):
    def loss_fn(network):
        return optax.softmax_cross_entropy_with_integer_labels(jax.vmap(network)(words), target).mean()

    loss, gradients = eqx.filter_value_and_grad(loss_fn)(network)
    updates, state = optimizer.update(gradients, state)
    return eqx.apply_updates(network, updates), state, loss  # a module cannot change: each step makes a new one


def train(model, x, y, step=train_step):
    losses = []
    for words, target in minibatches(x, y, params.batch_size):
        model.network, model.state, loss = step(model.network, model.optimizer, model.state, words, target)
        losses.append(loss)
    return float(np.mean(losses))


def train_eager(model, x, y):
    """The same step without `eqx.filter_jit`, one operation after the other: for debugging, it is much slower."""
    return train(model, x, y, train_step.__wrapped__)


def predict(model, x):
    network = eqx.filter_jit(eqx.filter_vmap(model.network))
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([network(x[i : i + params.batch_size]) for i in starts])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Equinox' layouts and its order of the gates, r, z, n, are the canonical ones."""
    weights = {name: np.asarray(array) for name, array in parameters(model.network).items()}
    return {**weights, "gru.bias_hh": np.pad(weights["gru.bias_hh"], (2 * params.units, 0))}


def import_weights(model, weights):
    weights = {**weights, "gru.bias_hh": weights["gru.bias_hh"][2 * params.units :]}
    given = [jnp.asarray(weights[name]) for name in parameters(model.network)]
    model.network = eqx.tree_at(lambda tree: [*parameters(tree).values()], model.network, given)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
