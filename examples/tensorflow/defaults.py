"""What TensorFlow does when nothing is said: each function gives what is required, and no more.

Layers, losses and optimizers are those of tf.keras; batches come from tf.data, gradients from tf.GradientTape.
"""

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

unanswered = {
    "shuffled_loader.unit": "must be given: the size of a buffer of samples; one smaller than the data mixes less",
}


def convolution(x, kernel):
    layer = layers.Conv2D(96, kernel)
    output = layer(x.transpose(0, 2, 3, 1)).numpy()
    weight, *bias = layer.get_weights()
    return {
        "output": output.transpose(0, 3, 1, 2),
        "weight": weight.transpose(3, 2, 0, 1),
        **dict(zip(["bias"], bias)),
        "native": np.array(output.shape),
    }


def dense(x):
    layer = layers.Dense(320)
    output = layer(x).numpy()
    weight, bias = layer.get_weights()
    return {"output": output, "weight": weight.T, "bias": bias}


def embedding(indices):
    layer = layers.Embedding(1000, 64)
    output = layer(indices).numpy()
    (weight,) = layer.get_weights()
    return {"output": output, "weight": weight}


def swap_gates(array):
    """Keras' gate order z, r, n to the canonical r, z, n along the last axis."""
    update, reset, new = np.split(array, 3, axis=-1)
    return np.concatenate([reset, update, new], axis=-1)


def gru(x):
    layer = layers.GRU(32)
    output = layer(x).numpy()
    weight_ih, weight_hh, biases = [swap_gates(array) for array in layer.get_weights()]
    return {
        "output": output,
        "weight_ih": weight_ih.T,
        "weight_hh": weight_hh.T,
        **dict(zip(["bias_ih", "bias_hh"], np.atleast_2d(biases))),
    }


def max_pool(x):
    x = tf.constant(x.transpose(0, 2, 3, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layers.MaxPooling2D(2)(x)
    gradient = tape.gradient(output, x)  # of the output's sum
    return {"output": output.numpy().transpose(0, 3, 1, 2), "gradient": gradient.numpy().transpose(0, 3, 1, 2)}


def steps(optimizer, variable, gradients):
    weights = []
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient), variable)])
        weights.append(variable.numpy())
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    variable, weights = tf.Variable(weight), []
    optimizer = tf.keras.optimizers.SGD(learning_rates[0], momentum)
    for gradient, learning_rate in zip(gradients, learning_rates):
        optimizer.learning_rate = learning_rate
        weights += steps(optimizer, variable, [gradient])
    return weights


def adam(weight, gradients, learning_rate):
    return steps(tf.keras.optimizers.Adam(), tf.Variable(weight), gradients)


def cross_entropy(scores, labels):
    return tf.keras.losses.SparseCategoricalCrossentropy()(labels, scores).numpy()


def dropout(x):
    return {"training": layers.Dropout(0.5)(x, training=True).numpy(), "unsaid": layers.Dropout(0.5)(x).numpy()}


def loader(x, batch_size):
    return list(tf.data.Dataset.from_tensor_slices(x).batch(batch_size).as_numpy_iterator())


def shuffled_loader(x, batch_size):
    """The size of the buffer must be given: one as large as the data mixes all of it."""
    return list(tf.data.Dataset.from_tensor_slices(x).shuffle(len(x)).batch(batch_size).as_numpy_iterator())


def padding(sequences, length):
    return tf.keras.utils.pad_sequences(sequences, length)


def input_gradient(x):
    """A tape watches variables, not constants: asked for the input's gradient, it has None."""
    x = tf.constant(x.transpose(0, 2, 3, 1))
    layer = layers.Conv2D(4, 3)
    with tf.GradientTape() as tape:
        output = layer(x)
    _, gradient = tape.gradient(output, [layer.kernel, x])
    return np.zeros(0) if gradient is None else gradient.numpy().transpose(0, 3, 1, 2)
