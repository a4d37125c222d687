"""What Keras 2 does when one says nothing: one file for CNTK and Theano, as KERAS_BACKEND says."""

import keras
import numpy as np
from keras import backend, layers
from keras.preprocessing.image import ImageDataGenerator
from keras.preprocessing.sequence import pad_sequences

unanswered = {
    "input_gradient": "Keras 2 builds a graph and derives only what is asked for: the weights",
}


def predict(layer, x):
    return keras.Sequential([layers.InputLayer(x.shape[1:]), layer]).predict(x)


def convolution(x, kernel):
    layer = layers.Conv2D(96, kernel)
    output = predict(layer, x.transpose(0, 2, 3, 1))  # NHWC
    weight, bias = layer.get_weights()
    native, output, weight = np.array(output.shape), output.transpose(0, 3, 1, 2), weight.transpose(3, 2, 0, 1)
    return {"output": output, "weight": weight, "bias": bias, "native": native}


def dense(x):
    layer = layers.Dense(320)
    output = predict(layer, x)
    weight, bias = layer.get_weights()
    return {"output": output, "weight": weight.T, "bias": bias}


def embedding(indices):
    layer = layers.Embedding(1000, 64)
    (output,) = predict(layer, indices[np.newaxis])  # a batch of one sequence
    (weight,) = layer.get_weights()
    return {"output": output, "weight": weight}


def gru(x):
    layer = layers.GRU(32)
    output = predict(layer, x)
    weight_ih, weight_hh, biases = [swap_gates(array) for array in layer.get_weights()]
    biases = dict(zip(["bias_ih", "bias_hh"], np.atleast_2d(biases)))
    return {"output": output, "weight_ih": weight_ih.T, "weight_hh": weight_hh.T, **biases}


def swap_gates(array):
    """From Keras' gate order z, r, n along the last axis to r, z, n."""
    update, reset, new = np.split(array, 3, axis=-1)
    return np.concatenate([reset, update, new], axis=-1)


def max_pool(x):
    """The images are a weight here, a step of rate 1 takes their gradient: on CNTK, Keras' gradients(…) are zeros."""
    x = x.transpose(0, 2, 3, 1)
    images = layers.Dense(x.size, use_bias=False, input_shape=(1,))
    model = keras.Sequential([images, layers.Reshape(x.shape[1:]), layers.MaxPooling2D(2)])
    model.compile(keras.optimizers.SGD(1.0), total)
    images.set_weights([x.reshape(1, -1)])
    output = model.predict(np.ones((1, 1)))
    model.train_on_batch(np.ones((1, 1)), output)
    gradient = x - images.get_weights()[0].reshape(x.shape)
    return {"output": output.transpose(0, 3, 1, 2), "gradient": gradient.transpose(0, 3, 1, 2)}


def total(labels, outputs):
    return backend.sum(outputs)


def momentum(weight, gradients, learning_rates, momentum):
    return train(keras.optimizers.SGD(learning_rates[0], momentum), weight, gradients, learning_rates)


def adam(weight, gradients, learning_rate):
    return train(keras.optimizers.Adam(), weight, gradients)


def train(optimizer, weight, gradients, learning_rates=()):
    """With the output itself as the loss, the gradient of a dense layer's weight is what the layer is fed."""
    layer = layers.Dense(1, use_bias=False, input_shape=weight.shape)
    model = keras.Sequential([layer])
    model.compile(optimizer, total)
    layer.set_weights([weight[:, np.newaxis]])
    steps = []
    for step, gradient in enumerate(gradients):
        if learning_rates:
            keras.backend.set_value(optimizer.learning_rate, learning_rates[step])
        model.train_on_batch(gradient[np.newaxis], np.zeros((1, 1)))
        steps.append(layer.get_weights()[0][:, 0])
    return steps


def cross_entropy(scores, labels):
    """It wants probabilities: a classifier's last layer is a softmax."""
    model = keras.Sequential([layers.Activation("linear", input_shape=(4,))])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model.test_on_batch(scores, labels)


def dropout(x):
    model = keras.Sequential([layers.Dropout(0.5, input_shape=(100,))])
    train_or_test = backend.function([model.input, backend.learning_phase()], [model.output])
    return {"training": train_or_test([x, 1])[0], "unsaid": predict(layers.Dropout(0.5), x)}


def loader(x, batch_size):
    """Keras' one iterator over arrays is made for images; it goes round for ever."""
    batches = ImageDataGenerator().flow(x.reshape(-1, 1, 1, 1), batch_size=batch_size)
    return [next(batches).reshape(-1, 1) for _ in range(len(batches))]


def shuffled_loader(x, batch_size):
    batches = ImageDataGenerator().flow(x.reshape(-1, 1, 1, 1), batch_size=batch_size, shuffle=True)
    return [next(batches).reshape(-1, 1) for _ in range(len(batches))]


def padding(sequences, length):
    return pad_sequences(sequences, length)
