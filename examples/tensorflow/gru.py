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
        reset_x, update_x, new_x = tf.split(projected, 3, axis=1)
        reset_h, update_h, new_h = tf.split(recurrent, 3, axis=1)
        update = tf.sigmoid(update_x + update_h)
        new = tf.tanh(new_x + tf.sigmoid(reset_x + reset_h) * new_h)
        return (1 - update) * new + update * state

    def __call__(self, words):
        x = tf.nn.embedding_lookup(self.weights["embedding"], tf.transpose(words))  # time first
        projected = tf.tensordot(x, self.weights["gru.weight_ih"], axes=1) + self.weights["gru.bias_ih"]
        state = tf.foldl(self.cell, projected, tf.zeros([words.shape[0], params.units], params.dtype))
        return tf.matmul(state, self.weights["fc.weight"]) + self.weights["fc.bias"]


def create_symbol():
    return SymbolModule()


class Adam(tf.Module):
    def __init__(self, variables, learning_rate, beta1, beta2, epsilon):
        super().__init__()
        self.learning_rate, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.steps = tf.Variable(tf.zeros([], params.dtype), trainable=False)
        zeros = [[tf.Variable(tf.zeros_like(variable), trainable=False) for variable in variables] for _ in range(2)]
        self.slots = list(zip(variables, *zeros))

    def apply_gradients(self, gradients):
        self.steps.assign_add(1)
        mean_bias, square_bias = 1 - self.beta1**self.steps, 1 - self.beta2**self.steps
        for (variable, mean, square), gradient in zip(self.slots, gradients):
            gradient = tf.convert_to_tensor(gradient)  # the embedding's comes as IndexedSlices; Adam moves every row
            mean.assign(self.beta1 * mean + (1 - self.beta1) * gradient)
            square.assign(self.beta2 * square + (1 - self.beta2) * tf.square(gradient))
            variable.assign_sub(self.learning_rate * mean / mean_bias / (tf.sqrt(square / square_bias) + self.epsilon))


def init_model(symbol):
    np.random.seed(params.seed)
    tf.random.set_seed(params.seed)
    for name, weight in symbol.weights.items():  # Glorot-uniform; the biases are zeros already
        if len(weight.shape) == 2:
            bound = params.embedding_bound if name == "embedding" else np.sqrt(6 / sum(weight.shape))
            weight.assign(tf.random.uniform(weight.shape, -bound, bound, params.dtype))
    optimiser = Adam(symbol.trainable_variables, params.learning_rate, params.beta1, params.beta2, params.epsilon)
    return SimpleNamespace(network=symbol, optimiser=optimiser, forward=tf.function(symbol, jit_compile=True))


# XLA (jit_compile) makes a step a third faster here. It calls the network itself, not model.forward: with one
# compiled function inside another, XLA compiled anew at every step.
@tf.function(jit_compile=True)
def train_step(network, optimiser, data, target):
    with tf.GradientTape() as tape:
        scores = network(data)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(target, scores))
    optimiser.apply_gradients(tape.gradient(loss, network.trainable_variables))
    return loss


def train(model, x, y):
    batches = minibatches(x, y, params.batch_size)
    losses = [train_step(model.network, model.optimiser, data, target) for data, target in batches]
    return float(tf.reduce_mean(losses))


def predict(model, x):
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([model.forward(x[i : i + params.batch_size]) for i in starts])


def evaluate(model, x, y):
    correct = tf.equal(tf.argmax(predict(model, x), axis=1, output_type=tf.int32), y)
    return float(tf.reduce_mean(tf.cast(correct, tf.float64)))


def export_weights(model):
    """TensorFlow's matrices are (in, out); gate order r, z, n is the canonical one."""
    weights = {name: weight.numpy() for name, weight in model.network.weights.items()}
    return {name: weight if name == "embedding" else weight.T for name, weight in weights.items()}


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
