"""What TensorFlow's own level does when nothing is said: each function gives what is required, and no more."""

import numpy as np
import tensorflow as tf

unanswered = {
    "convolution.weights": "must be given: tf.nn.conv2d is a function of the weights, there is no layer",
    "convolution.bias": "tf.nn.conv2d adds none: tf.nn.bias_add does",
    "convolution.padding": "must be given: tf.nn.conv2d has no default (the general tf.nn.convolution has: VALID)",
    "convolution.stride": "must be given: tf.nn.conv2d has no default (the general tf.nn.convolution has: 1)",
    "convolution.number": "the size of a kernel is never said: it is that of the weights",
    "convolution.pair": "the size of a kernel is never said: it is that of the weights",
    "dense.weights": "must be given: tf.matmul is a function of the weights, there is no layer",
    "dense.bias": "tf.matmul adds none",
    "embedding.weights": "must be given: tf.nn.embedding_lookup is a function of the weights, there is no layer",
    "gru": "TensorFlow has no GRU outside Keras: its tf.compat.v1.nn.rnn_cell.GRUCell is not available with Keras 3",
    "max_pool.stride": "must be given: tf.nn.max_pool2d has no default (the general tf.nn.pool has: 1)",
    "max_pool.edge": "must be given: the padding decides, without default (but the general tf.nn.pool's is VALID)",
    "shuffled_loader.unit": "must be given: the size of a buffer of samples; one smaller than the data mixes less",
}


def convolution(x, kernel):
    weight = tf.Variable(tf.random.normal([*kernel, 64, 96]))
    output = tf.nn.conv2d(x.transpose(0, 2, 3, 1), weight, strides=1, padding="VALID")
    return {
        "output": output.numpy().transpose(0, 3, 1, 2),
        "weight": weight.numpy().transpose(3, 2, 0, 1),
        "native": np.array(output.shape),
    }


def dense(x):
    weight = tf.Variable(tf.random.normal([640, 320]))
    return {"output": tf.matmul(x, weight).numpy(), "weight": weight.numpy().T}


def embedding(indices):
    weight = tf.Variable(tf.random.normal([1000, 64]))
    return {"output": tf.nn.embedding_lookup(weight, indices).numpy(), "weight": weight.numpy()}


def max_pool(x):
    x = tf.constant(x.transpose(0, 2, 3, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = tf.nn.max_pool2d(x, 2, strides=2, padding="VALID")
    gradient = tape.gradient(output, x)  # of the output's sum
    return {"output": output.numpy().transpose(0, 3, 1, 2), "gradient": gradient.numpy().transpose(0, 3, 1, 2)}


def steps(optimiser, variable, gradients):
    weights = []
    for gradient in gradients:
        optimiser.apply_gradients([(tf.constant(gradient), variable)])
        weights.append(variable.numpy())
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    """TensorFlow's own optimizers are those of version 1, version 2 has Keras' only. The rate may be a function."""
    variable, rate, weights = tf.Variable(weight), tf.Variable(0.0), []
    optimiser = tf.compat.v1.train.MomentumOptimizer(rate.read_value, momentum)
    for gradient, learning_rate in zip(gradients, learning_rates):
        rate.assign(learning_rate)
        weights += steps(optimiser, variable, [gradient])
    return weights


def adam(weight, gradients, learning_rate):
    return steps(tf.compat.v1.train.AdamOptimizer(), tf.Variable(weight), gradients)


def cross_entropy(scores, labels):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores).numpy()


def dropout(x):
    """A function, which knows no modes: it drops whenever it is called."""
    return {"training": tf.nn.dropout(x, 0.5).numpy(), "unsaid": tf.nn.dropout(x, 0.5).numpy()}


def loader(x, batch_size):
    return list(tf.data.Dataset.from_tensor_slices(x).batch(batch_size).as_numpy_iterator())


def shuffled_loader(x, batch_size):
    """The size of the buffer must be given: one as large as the data mixes all of it."""
    return list(tf.data.Dataset.from_tensor_slices(x).shuffle(len(x)).batch(batch_size).as_numpy_iterator())


def padding(sequences, length):
    return tf.ragged.constant(sequences).to_tensor(shape=(None, length)).numpy()


def input_gradient(x):
    """A tape watches variables, not constants: asked for the input's gradient, it has None."""
    x = tf.constant(x.transpose(0, 2, 3, 1))
    weight = tf.Variable(tf.random.normal([3, 3, 3, 4]))
    with tf.GradientTape() as tape:
        output = tf.nn.conv2d(x, weight, strides=1, padding="VALID")
    _, gradient = tape.gradient(output, [weight, x])
    return np.zeros(0) if gradient is None else gradient.numpy().transpose(0, 3, 1, 2)
