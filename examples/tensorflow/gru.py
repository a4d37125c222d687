"""A GRU on IMDB reviews in TensorFlow: Keras layers, and a training loop written out with tf.GradientTape."""

from types import SimpleNamespace

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def set_dtype(name):
    tf.keras.config.set_floatx(name)


def load_data():
    """Reviews (n, 150) and class labels, both int32."""
    return imdb_for_library()


class GRUClassifier(tf.keras.Model):
    def __init__(self):
        super().__init__()
        uniform = tf.keras.initializers.RandomUniform(-params.embedding_bound, params.embedding_bound)
        self.embedding = layers.Embedding(params.vocabulary, params.embedding, embeddings_initializer=uniform)
        # Glorot-uniform, as all other weights by default; the recurrent ones would be orthogonal.
        self.gru = layers.GRU(params.units, recurrent_initializer="glorot_uniform")
        self.fc = layers.Dense(params.classes)

    def call(self, words):
        return self.fc(self.gru(self.embedding(words)))


def create_symbol():
    tf.keras.utils.set_random_seed(params.seed)  # Python's, NumPy's and TensorFlow's; layers draw theirs when made
    network = GRUClassifier()
    network(tf.zeros((1, params.max_length), tf.int32))  # the first call creates the weights
    return network


def init_model(symbol):
    optimizer = tf.keras.optimizers.Adam(params.learning_rate, params.beta1, params.beta2, params.epsilon)
    optimizer.build(symbol.trainable_variables)  # a tf.function may not create variables after its first call
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)  # softmax included
    return SimpleNamespace(network=symbol, forward=tf.function(symbol), optimizer=optimizer, loss=loss)


@tf.function  # traced to a graph once for each model and shape of data
def train_step(network, optimizer, loss_fn, words, labels):
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, network(words, training=True))
    gradients = tape.gradient(loss, network.trainable_variables)
    optimizer.apply_gradients(zip(gradients, network.trainable_variables))
    return loss


def train_epoch(model, batches):
    losses = [train_step(model.network, model.optimizer, model.loss, words, labels) for words, labels in batches]
    return float(tf.reduce_mean(losses))


def train(model, x, y):
    return train_epoch(model, minibatches(x, y, params.batch_size))


def train_with_loader(model, x, y):
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x))  # a smaller buffer would mix less
    return train_epoch(model, dataset.batch(params.batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE))


def predict(model, x):
    batches = np.split(x, range(params.batch_size, len(x), params.batch_size))
    return np.concatenate([model.forward(words, training=False) for words in batches])


def evaluate(model, x, y):
    accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
    accuracy.update_state(y, predict(model, x))
    return float(accuracy.result())


def swap_gates(array):
    """Keras' gate order z, r, n from the canonical r, z, n along the last axis, and back."""
    first, second, new = np.split(array, 3, axis=-1)
    return np.concatenate([second, first, new], axis=-1)


def export_weights(model):
    """Matrices are (in, out); both biases of the GRU are rows of one array."""
    network = model.network
    (embedding,) = network.embedding.get_weights()
    weight_ih, weight_hh, (bias_ih, bias_hh) = [swap_gates(array) for array in network.gru.get_weights()]
    weight, bias = network.fc.get_weights()
    weights = {"embedding": embedding, "gru.weight_ih": weight_ih.T, "gru.weight_hh": weight_hh.T}
    return {**weights, "gru.bias_ih": bias_ih, "gru.bias_hh": bias_hh, "fc.weight": weight.T, "fc.bias": bias}


def import_weights(model, weights):
    network, biases = model.network, np.stack([weights["gru.bias_ih"], weights["gru.bias_hh"]])
    network.embedding.set_weights([weights["embedding"]])
    gru = [weights["gru.weight_ih"].T, weights["gru.weight_hh"].T, biases]
    network.gru.set_weights([swap_gates(array) for array in gru])
    network.fc.set_weights([weights["fc.weight"].T, weights["fc.bias"]])


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
