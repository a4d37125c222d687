"""A GRU on IMDB reviews in Haiku, with Optax, on JAX."""

from functools import partial
from types import SimpleNamespace

import haiku as hk
import jax
import jax.numpy as jnp
import jmp
import numpy as np
import optax

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def set_dtype(name):
    jax.config.update("jax_enable_x64", name == "float64")
    hk.mixed_precision.set_policy(hk.Embed, jmp.get_policy(name))  # its weights are float32 by default


def load_data():
    return imdb_for_library()  # reviews (n, 150); integer class labels


def forward(words):
    glorot = hk.initializers.VarianceScaling(1.0, "fan_avg", "uniform")
    uniform = hk.initializers.RandomUniform(-params.embedding_bound, params.embedding_bound)
    vectors = hk.Embed(params.vocabulary, params.embedding, w_init=uniform, name="embedding")(words)
    gru = hk.GRU(params.units, w_i_init=glorot, w_h_init=glorot, name="gru")
    _, last = hk.dynamic_unroll(gru, vectors, gru.initial_state(len(words)), time_major=False)
    return hk.Linear(params.classes, w_init=glorot, name="fc")(last)


def create_symbol():
    """A pair of pure functions: `init` creates the weights of the modules in `forward`, `apply` computes with them."""
    return hk.without_apply_rng(hk.transform(forward))  # nothing in `forward` is random


def init_model(symbol):
    np.random.seed(params.seed)
    weights = symbol.init(jax.random.key(params.seed), jnp.zeros((1, params.max_length), int))
    adam = optax.adam(params.learning_rate, params.beta1, params.beta2, params.epsilon)
    return SimpleNamespace(network=symbol, weights=weights, optimizer=adam, state=adam.init(weights))


@partial(jax.jit, static_argnames=("network", "optimizer"))  # compiled at the first call, and for each new shape
def train_step(network, optimizer, weights, state, words, target):
    def loss_fn(weights):
        return optax.softmax_cross_entropy_with_integer_labels(network.apply(weights, words), target).mean()

    loss, gradients = jax.value_and_grad(loss_fn)(weights)
    updates, state = optimizer.update(gradients, state)
    return optax.apply_updates(weights, updates), state, loss


def train(model, x, y, step=train_step):
    losses = []
    for batch in minibatches(x, y, params.batch_size):
        model.weights, model.state, loss = step(model.network, model.optimizer, model.weights, model.state, *batch)
        losses.append(loss)
    return float(np.mean(losses))


def train_eager(model, x, y):
    """The same step without `jax.jit`, one operation after the other: for debugging, because it is much slower."""
    return train(model, x, y, train_step.__wrapped__)


@partial(jax.jit, static_argnames="network")
def predict_step(network, weights, words):
    return network.apply(weights, words)


def predict(model, x):
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([predict_step(model.network, model.weights, x[i : i + params.batch_size]) for i in starts])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Matrices are (in, out), the gates in the order z, r, n; z is the share of the new state. There is one bias."""
    weights = {"embedding": np.array(model.weights["embedding"]["embeddings"])}
    for name, own in {"weight_ih": "w_i", "weight_hh": "w_h", "bias_ih": "b"}.items():
        z, r, n = np.split(np.transpose(model.weights["gru"][own]), 3)
        weights["gru." + name] = np.concatenate([r, -z, n])
    weights["gru.bias_hh"] = np.zeros_like(weights["gru.bias_ih"])
    fc = model.weights["fc"]
    return {**weights, "fc.weight": np.array(fc["w"]).T, "fc.bias": np.array(fc["b"])}


def import_weights(model, weights):
    gru = {}
    for name, own in {"weight_ih": "w_i", "weight_hh": "w_h", "bias_ih": "b"}.items():
        r, z, n = np.split(weights["gru." + name], 3)
        gru[own] = np.concatenate([-z, r, n]).T
    fc = {"w": weights["fc.weight"].T, "b": weights["fc.bias"]}
    model.weights = jax.tree.map(jnp.array, {"embedding": {"embeddings": weights["embedding"]}, "gru": gru, "fc": fc})


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
