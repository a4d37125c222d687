"""A GRU on IMDB reviews in Keras 3: one file for TensorFlow, JAX and PyTorch, as KERAS_BACKEND says."""

import keras
import numpy as np
from keras import layers

from workloads.gru import imdb_for_library, params


def set_dtype(name):
    keras.config.set_floatx(name)


def load_data():
    """Reviews (n, 150) and integer class labels."""
    return imdb_for_library()


def create_symbol():
    # A layer draws the seeds of its first weights when it is made, so the seed comes before the layers.
    keras.utils.set_random_seed(params.seed)  # Python's, NumPy's and the backend's
    uniform = keras.initializers.RandomUniform(-params.embedding_bound, params.embedding_bound)
    return keras.Sequential(
        [
            keras.Input((params.max_length,), dtype="int32"),
            layers.Embedding(params.vocabulary, params.embedding, embeddings_initializer=uniform, name="embedding"),
            # Glorot-uniform, as all other weights by default; the recurrent ones would be orthogonal.
            layers.GRU(params.units, recurrent_initializer="glorot_uniform", name="gru"),
            layers.Dense(params.classes, name="fc"),
        ]
    )


def init_model(symbol):
    """The weights are there already."""
    betas = {"beta_1": params.beta1, "beta_2": params.beta2}
    optimizer = keras.optimizers.Adam(params.learning_rate, **betas, epsilon=params.epsilon)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)  # softmax included
    symbol.compile(optimizer, loss)
    return symbol


def train(model, x, y):
    keras.utils.set_random_seed(params.seed + int(model.optimizer.iterations))  # or TensorFlow shuffles each fit alike
    # fit keeps the last, smaller batch: a step like the others, though of fewer samples.
    return model.fit(x, y, params.batch_size, epochs=1, shuffle=True, verbose=0).history["loss"][0]


def predict(model, x):
    return model.predict(x, batch_size=params.batch_size, verbose=0)


def evaluate(model, x, y):
    metric = keras.metrics.SparseCategoricalAccuracy()
    metric.update_state(y, predict(model, x))
    return float(metric.result())


def swap_gates(array):
    """Keras' gate order z, r, n from the canonical r, z, n along the last axis, and back."""
    first, second, new = np.split(array, 3, axis=-1)
    return np.concatenate([second, first, new], axis=-1)


def export_weights(model):
    """Keras' matrices are (in, out); both biases of the GRU are rows of one array."""
    (embedding,) = model.get_layer("embedding").get_weights()
    gru = [swap_gates(array) for array in model.get_layer("gru").get_weights()]
    weight, bias = model.get_layer("fc").get_weights()
    weights = {"embedding": embedding, "gru.weight_ih": gru[0].T, "gru.weight_hh": gru[1].T}
    weights.update({"gru.bias_ih": gru[2][0], "gru.bias_hh": gru[2][1], "fc.weight": weight.T, "fc.bias": bias})
    return {name: np.array(array) for name, array in weights.items()}  # on PyTorch they are views


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
