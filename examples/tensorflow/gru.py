"""A GRU on IMDB reviews in TensorFlow, on its own level: tf.foldl, tf.Module, tf.GradientTape."""

from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from rosetta_common.data import imdb_for_library, minibatches
from rosetta_common.params import gru as params


def load_data():
    """Reviews (n, 150) and class labels, both int32."""
    return imdb_for_library()


class SymbolModule(tf.Module):
    def __init__(self):
        super().__init__()
        gates = 3 * params.units  # reset, update, new: side by side
        shapes = {"embedding": (params.vocabulary, params.embedding), "fc.weight": (params.units, params.classes)}
        shapes.update({"gru.weight_ih": (params.embedding, gates), "gru.weight_hh": (params.units, gates)})
        shapes.update({"gru.bias_ih": (gates,), "gru.bias_hh": (gates,), "fc.bias": (params.classes,)})
        self.weights = {name: tf.Variable(tf.zeros(shape, params.dtype)) for name, shape in shapes.items()}

    def cell(self, state, projected):
        """One time step; the reset gate is applied after the recurrent product, as cuDNN does."""
        recurrent = tf.matmul(state, self.weights["gru.weight_hh"]) + self.weights["gru.bias_hh"]
        (r_x, z_x, n_x), (r_h, z_h, n_h) = (tf.split(gates, 3, axis=1) for gates in (projected, recurrent))
        z, n = tf.sigmoid(z_x + z_h), tf.tanh(n_x + tf.sigmoid(r_x + r_h) * n_h)
        return (1 - z) * n + z * state

    def __call__(self, words):
        x = tf.nn.embedding_lookup(self.weights["embedding"], tf.transpose(words))  # time first
        projected = tf.tensordot(x, self.weights["gru.weight_ih"], axes=1) + self.weights["gru.bias_ih"]
        state = tf.foldl(self.cell, projected, tf.zeros([words.shape[0], params.units], params.dtype))
        return tf.matmul(state, self.weights["fc.weight"]) + self.weights["fc.bias"]


def create_symbol():
    return SymbolModule()


class Adam:
    def __init__(self, variables, learning_rate, beta1, beta2, epsilon):
        self.learning_rate, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.steps = tf.Variable(tf.zeros([], params.dtype), trainable=False)
        zeros = [[tf.Variable(tf.zeros_like(variable), trainable=False) for variable in variables] for _ in range(2)]
        self.slots = list(zip(variables, *zeros))

    def apply_gradients(self, gradients):
        step = self.steps.assign_add(1)
        # The embedding's gradient comes as IndexedSlices, the rows that were seen; Adam moves every row.
        for (variable, mean, square), gradient in zip(self.slots, map(tf.convert_to_tensor, gradients)):
            mean.assign(self.beta1 * mean + (1 - self.beta1) * gradient)
            square.assign(self.beta2 * square + (1 - self.beta2) * tf.square(gradient))
            unbiased, root = mean / (1 - self.beta1**step), tf.sqrt(square / (1 - self.beta2**step))
            variable.assign_sub(self.learning_rate * unbiased / (root + self.epsilon))


def init_model(symbol):
    np.random.seed(params.seed)
    tf.random.set_seed(params.seed)
    for name, weight in symbol.weights.items():  # Glorot-uniform; the biases are zeros already
        if len(weight.shape) == 2:
            bound = params.embedding_bound if name == "embedding" else np.sqrt(6 / sum(weight.shape))
            weight.assign(tf.random.uniform(weight.shape, -bound, bound, params.dtype))
    optimiser = Adam(symbol.trainable_variables, params.learning_rate, params.beta1, params.beta2, params.epsilon)
    return SimpleNamespace(network=symbol, optimiser=optimiser, forward=tf.function(symbol, jit_compile=True))


@tf.function(jit_compile=True)  # by XLA: a third faster; calling model.forward in it would compile at each step
def train_step(network, optimiser, data, target):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(target, network(data)))
    optimiser.apply_gradients(tape.gradient(loss, network.trainable_variables))
    return loss


def train(model, x, y):
    batches = minibatches(x, y, params.batch_size)
    losses = [train_step(model.network, model.optimiser, data, target) for data, target in batches]
    return float(tf.reduce_mean(losses))


def train_with_loader(model, x, y):
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x))  # a smaller buffer would mix less
    batches = dataset.batch(params.batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
    losses = [train_step(model.network, model.optimiser, data, target) for data, target in batches]
    return float(tf.reduce_mean(losses))


def predict(model, x):
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([model.forward(x[i : i + params.batch_size]) for i in starts])


def evaluate(model, x, y):
    return float(tf.reduce_mean(tf.cast(tf.math.in_top_k(y, predict(model, x), k=1), tf.float64)))


def export_weights(model):
    """TensorFlow's matrices are (in, out); gate order r, z, n is the canonical one."""
    weights = model.network.weights.items()
    return {name: weight.numpy() if name == "embedding" else weight.numpy().T for name, weight in weights}


def import_weights(model, weights):
    for name, weight in model.network.weights.items():
        weight.assign(weights[name] if name == "embedding" else weights[name].T)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
