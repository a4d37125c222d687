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


def lstm(x):
    layer = layers.LSTM(32)
    output = layer(x).numpy()
    weight_ih, weight_hh, bias = layer.get_weights()
    return {"output": output, "weight_ih": weight_ih.T, "weight_hh": weight_hh.T, "bias_ih": bias}


def batch_norm(batches):
    layer, seen = layers.BatchNormalization(), []
    for batch in batches:
        output = layer(batch, training=True).numpy()
        seen.append([output, layer.moving_mean.numpy(), layer.moving_variance.numpy()])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    return {"output": layers.LayerNormalization()(x).numpy()}


def gelu(x):
    return tf.nn.gelu(x).numpy()


def leaky_relu(x):
    return tf.nn.leaky_relu(x).numpy()


def average_pool(x):
    return tf.nn.avg_pool2d(x.transpose(0, 2, 3, 1), 3, strides=1, padding="SAME").numpy().transpose(0, 3, 1, 2)


def strided_convolution(x):
    layer = layers.Conv2D(1, 3, strides=2, padding="same", use_bias=False)
    output = layer(x.transpose(0, 2, 3, 1)).numpy()
    return {"output": output.transpose(0, 3, 1, 2), "weight": layer.kernel.numpy().transpose(3, 2, 0, 1)}


def hard_sigmoid(x):
    return tf.keras.activations.hard_sigmoid(x).numpy()


def transposed_convolution(x):
    layer = layers.Conv2DTranspose(1, 3, strides=2, use_bias=False)
    output = layer(x.transpose(0, 2, 3, 1)).numpy()
    return {"output": output.transpose(0, 3, 1, 2), "weight": layer.kernel.numpy().transpose(3, 2, 0, 1)}


def resize(x):
    return tf.image.resize(x.transpose(0, 2, 3, 1), (6, 6)).numpy().transpose(0, 3, 1, 2)


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


def adamw(weight, gradients, learning_rate):
    return steps(tf.keras.optimizers.AdamW(learning_rate), tf.Variable(weight), gradients)


def rmsprop(weight, gradients, learning_rate):
    return steps(tf.keras.optimizers.RMSprop(learning_rate), tf.Variable(weight), gradients)


def clip_norm(first, second, limit):
    """A step of rate 1 from zero shows the gradients."""
    variables = [tf.Variable(np.zeros(2, "float32")) for _ in range(2)]
    optimizer = tf.keras.optimizers.SGD(1.0, clipnorm=limit)
    optimizer.apply_gradients(zip([tf.constant(first), tf.constant(second)], variables))
    return [-variable.numpy() for variable in variables]


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
