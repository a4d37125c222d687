"""A GRU on IMDB reviews in Flax NNX, with Optax, on JAX."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def load_data():
    """Reviews (n, 150); integer class labels."""
    return imdb_for_library()


def uniform(key, shape, dtype):
    return jax.random.uniform(key, shape, dtype, -params.embedding_bound, params.embedding_bound)


class Network(nnx.Module):
    def __init__(self, rngs):
        options = {"param_dtype": params.dtype, "rngs": rngs}
        glorot = nnx.initializers.glorot_uniform()
        kernels = {"kernel_init": glorot, "recurrent_kernel_init": glorot}
        self.embedding = nnx.Embed(params.vocabulary, params.embedding, embedding_init=uniform, **options)
        self.gru = nnx.RNN(nnx.GRUCell(params.embedding, params.units, **kernels, **options))
        self.fc = nnx.Linear(params.units, params.classes, kernel_init=glorot, **options)

    def __call__(self, words):
        states = self.gru(self.embedding(words))
        return self.fc(states[:, -1])


def create_symbol():
    """Flax draws the first weights as it creates the layers."""
    return Network(nnx.Rngs(params.seed))


def init_model(symbol):
    np.random.seed(params.seed)
    adam = optax.adam(params.learning_rate, params.beta1, params.beta2, params.epsilon)
    return SimpleNamespace(network=symbol, optimizer=nnx.Optimizer(symbol, adam, wrt=nnx.Param))


@nnx.jit  # compiled at the first call, and again for each new shape of data
def train_step(network, optimizer, words, target):
    def loss_fn(network):
        return optax.softmax_cross_entropy_with_integer_labels(network(words), target).mean()

    loss, gradients = nnx.value_and_grad(loss_fn)(network)
    optimizer.update(network, gradients)
    return loss


def train(model, x, y, step=train_step):
    losses = [step(model.network, model.optimizer, *batch) for batch in minibatches(x, y, params.batch_size)]
    return float(jnp.mean(jnp.array(losses)))


def train_eager(model, x, y):
    """The same step without `nnx.jit`, one operation after the other: for debugging, because it is much slower."""
    return train(model, x, y, train_step.__wrapped__)


@nnx.jit
def predict_step(network, words):
    return network(words)


def predict(model, x):
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([predict_step(model.network, x[i : i + params.batch_size]) for i in starts])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def parameters(model):
    """Flax's parameters under their canonical names; matrices are (in, out), the gates in the order r, z, n."""
    network, cell = model.network, model.network.gru.cell
    return {
        "embedding": network.embedding.embedding,
        "gru.weight_ih": cell.dense_i.kernel,
        "gru.weight_hh": cell.dense_h.kernel,
        "gru.bias_ih": cell.dense_i.bias,
        "fc.weight": network.fc.kernel,
        "fc.bias": network.fc.bias,
    }


def export_weights(model):
    """Flax's cell has one bias: there is no recurrent one."""
    weights = {"gru.bias_hh": np.zeros(3 * params.units, params.dtype)}
    for name, parameter in parameters(model).items():
        weights[name] = np.asarray(parameter[...] if name == "embedding" else parameter[...].T)
    return weights


def import_weights(model, weights):
    for name, parameter in parameters(model).items():
        parameter[...] = weights[name] if name == "embedding" else weights[name].T


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
