"""A GRU on IMDB reviews in Keras 2: one file for CNTK and Theano, as KERAS_BACKEND says."""

import keras
import numpy as np
from keras import layers

from workloads.gru import imdb_for_library, params


def set_dtype(name):
    keras.backend.set_floatx(name)


def load_data():
    """Reviews (n, 150) and integer class labels."""
    return imdb_for_library()


def create_symbol():
    np.random.seed(params.seed)  # Keras draws from NumPy's generator the seeds of its weights
    uniform = keras.initializers.RandomUniform(-params.embedding_bound, params.embedding_bound)
    embedding = {"input_length": params.max_length, "embeddings_initializer": uniform}
    # By default the reset gate comes before the recurrent product, and the recurrent weights start orthogonal.
    gru = {"reset_after": True, "recurrent_initializer": "glorot_uniform"}
    return keras.Sequential(
        [
            layers.Embedding(params.vocabulary, params.embedding, name="embedding", **embedding),
            layers.GRU(params.units, name="gru", **gru),
            layers.Dense(params.classes, name="fc"),
        ]
    )


def init_model(symbol):
    """The weights are there already."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)  # softmax included
    optimizer = keras.optimizers.Adam(params.learning_rate, params.beta1, params.beta2, epsilon=params.epsilon)
    symbol.compile(optimizer, loss)
    return symbol


def train(model, x, y):
    # fit shuffles, and keeps the last, smaller batch: a step like the others, though of fewer samples.
    return float(model.fit(x, y, params.batch_size, epochs=1, verbose=0).history["loss"][0])


def predict(model, x):
    return model.predict(x, batch_size=params.batch_size)


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def swap_gates(array):
    """Keras' gate order z, r, n from the canonical r, z, n along the last axis, and back."""
    first, second, new = np.split(array, 3, axis=-1)
    return np.concatenate([second, first, new], axis=-1)


def export_weights(model):
    """Keras' matrices are (in, out); both biases of the GRU are rows of one array."""
    (embedding,) = model.get_layer("embedding").get_weights()
    w_ih, w_hh, biases = [swap_gates(array) for array in model.get_layer("gru").get_weights()]
    weight, bias = model.get_layer("fc").get_weights()
    weights = {"embedding": embedding, "gru.weight_ih": w_ih.T, "gru.weight_hh": w_hh.T}
    weights.update({"gru.bias_ih": biases[0], "gru.bias_hh": biases[1], "fc.weight": weight.T, "fc.bias": bias})
    return weights


def import_weights(model, weights):
    model.get_layer("embedding").set_weights([weights["embedding"]])
    biases = np.stack([weights["gru.bias_ih"], weights["gru.bias_hh"]])
    gru = [weights["gru.weight_ih"].T, weights["gru.weight_hh"].T, biases]
    model.get_layer("gru").set_weights([swap_gates(array) for array in gru])
    model.get_layer("fc").set_weights([weights["fc.weight"].T, weights["fc.bias"]])


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
