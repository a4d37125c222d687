"""What Keras 3 does when nothing is said: each function builds one thing from what is required, and no more."""

import keras
import numpy as np
from keras import layers, ops

unanswered = {
    "input_gradient": "Keras hands out no gradients: fit keeps them to itself, and each backend takes its own",
}


def convolution(x, kernel):
    layer = layers.Conv2D(96, kernel)
    output = ops.convert_to_numpy(layer(x.transpose(0, 2, 3, 1)))
    weight, *bias = layer.get_weights()
    return {
        "output": output.transpose(0, 3, 1, 2),
        "weight": weight.transpose(3, 2, 0, 1),
        **dict(zip(["bias"], bias)),
        "native": np.array(output.shape),
    }


def dense(x):
    layer = layers.Dense(320)
    output = ops.convert_to_numpy(layer(x))
    weight, bias = layer.get_weights()
    return {"output": output, "weight": weight.T, "bias": bias}


def embedding(indices):
    layer = layers.Embedding(1000, 64)
    output = ops.convert_to_numpy(layer(indices))
    (weight,) = layer.get_weights()
    return {"output": output, "weight": weight}


def swap_gates(array):
    """Keras' gate order z, r, n to the canonical r, z, n along the last axis."""
    update, reset, new = np.split(array, 3, axis=-1)
    return np.concatenate([reset, update, new], axis=-1)


def gru(x):
    layer = layers.GRU(32)
    output = ops.convert_to_numpy(layer(x))
    weight_ih, weight_hh, biases = [swap_gates(array) for array in layer.get_weights()]
    return {
        "output": output,
        "weight_ih": weight_ih.T,
        "weight_hh": weight_hh.T,
        **dict(zip(["bias_ih", "bias_hh"], np.atleast_2d(biases))),
    }


def gradient(function, x):
    """Keras has no function that derives: each backend has its own."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(function)(x)
    if keras.backend.backend() == "torch":
        x = ops.convert_to_tensor(x).requires_grad_()
        function(x).backward()
        return x.grad
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        total = function(x)
    return tape.gradient(total, x)


def max_pool(x):
    x = x.transpose(0, 2, 3, 1)
    layer = layers.MaxPooling2D(2)
    arrays = {"output": layer(x), "gradient": gradient(lambda x: ops.sum(layer(x)), x)}
    return {name: ops.convert_to_numpy(array).transpose(0, 3, 1, 2) for name, array in arrays.items()}


def lstm(x):
    layer = layers.LSTM(32)
    output = ops.convert_to_numpy(layer(x))
    weight_ih, weight_hh, bias = layer.get_weights()
    return {"output": output, "weight_ih": weight_ih.T, "weight_hh": weight_hh.T, "bias_ih": bias}


def batch_norm(batches):
    layer, seen = layers.BatchNormalization(), []
    for batch in batches:
        output = ops.convert_to_numpy(layer(batch, training=True))
        _, _, mean, variance = layer.get_weights()
        seen.append([output, mean.copy(), variance.copy()])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    return {"output": ops.convert_to_numpy(layers.LayerNormalization()(x))}


def gelu(x):
    """The activation; the operation keras.ops.gelu has another default."""
    return ops.convert_to_numpy(keras.activations.gelu(x))


def leaky_relu(x):
    """The layer; the operation keras.ops.leaky_relu has another default."""
    return ops.convert_to_numpy(layers.LeakyReLU()(x))


def average_pool(x):
    output = layers.AveragePooling2D(3, strides=1, padding="same")(x.transpose(0, 2, 3, 1))
    return ops.convert_to_numpy(output).transpose(0, 3, 1, 2)


def strided_convolution(x):
    layer = layers.Conv2D(1, 3, strides=2, padding="same", use_bias=False)
    output = ops.convert_to_numpy(layer(x.transpose(0, 2, 3, 1)))
    (weight,) = layer.get_weights()
    return {"output": output.transpose(0, 3, 1, 2), "weight": weight.transpose(3, 2, 0, 1)}


def hard_sigmoid(x):
    return ops.convert_to_numpy(keras.activations.hard_sigmoid(x))


def transposed_convolution(x):
    layer = layers.Conv2DTranspose(1, 3, strides=2, use_bias=False)
    output = ops.convert_to_numpy(layer(x.transpose(0, 2, 3, 1)))
    (weight,) = layer.get_weights()
    return {"output": output.transpose(0, 3, 1, 2), "weight": weight.transpose(3, 2, 0, 1)}


def resize(x):
    output = layers.UpSampling2D(interpolation="bilinear")(x.transpose(0, 2, 3, 1))
    return ops.convert_to_numpy(output).transpose(0, 3, 1, 2)


def steps(optimizer, variable, gradients):
    weights = []
    for gradient in gradients:
        optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
        weights.append(np.array(ops.convert_to_numpy(variable)))  # on PyTorch it is a view
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    variable, weights = keras.Variable(weight), []
    optimizer = keras.optimizers.SGD(learning_rates[0], momentum)
    for gradient, learning_rate in zip(gradients, learning_rates):
        optimizer.learning_rate = learning_rate
        weights += steps(optimizer, variable, [gradient])
    return weights


def adam(weight, gradients, learning_rate):
    return steps(keras.optimizers.Adam(), keras.Variable(weight), gradients)


def adamw(weight, gradients, learning_rate):
    return steps(keras.optimizers.AdamW(learning_rate), keras.Variable(weight), gradients)


def rmsprop(weight, gradients, learning_rate):
    return steps(keras.optimizers.RMSprop(learning_rate), keras.Variable(weight), gradients)


def clip_norm(first, second, limit):
    """A step of rate 1 from zero shows the gradients."""
    variables = [keras.Variable(np.zeros(2, "float32")) for _ in range(2)]
    optimizer = keras.optimizers.SGD(1.0, clipnorm=limit)
    optimizer.apply([ops.convert_to_tensor(first), ops.convert_to_tensor(second)], variables)
    return [-np.array(ops.convert_to_numpy(variable)) for variable in variables]


def cross_entropy(scores, labels):
    return ops.convert_to_numpy(keras.losses.SparseCategoricalCrossentropy()(labels, scores))


def dropout(x):
    arrays = {"training": layers.Dropout(0.5)(x, training=True), "unsaid": layers.Dropout(0.5)(x)}
    return {name: ops.convert_to_numpy(array) for name, array in arrays.items()}


class Watched(keras.Sequential):
    """Writes down the batches that fit makes."""

    def train_step(self, *arguments):  # the batch comes last: on JAX a state comes before
        x, _ = arguments[-1]
        self.batches.append(ops.convert_to_numpy(x))
        return super().train_step(*arguments)


def watched_model():
    model = Watched([layers.Dense(1)])
    model.batches = []
    model.compile(loss="mse", run_eagerly=True)
    return model


def loader(x, batch_size):
    """Batches are made by fit: it shuffles by default."""
    model = watched_model()
    model.fit(x, x, batch_size, verbose=0)
    return model.batches


def shuffled_loader(x, batch_size):
    """There is nothing to switch on: fit has shuffled already."""
    return loader(x, batch_size)


def padding(sequences, length):
    return keras.utils.pad_sequences(sequences, length)
