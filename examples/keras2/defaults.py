"""What Keras 2 does when one says nothing: one file for CNTK and Theano, as KERAS_BACKEND says."""

import keras
import numpy as np
from keras import backend, layers
from keras.preprocessing.image import ImageDataGenerator
from keras.preprocessing.sequence import pad_sequences

unanswered = {
    "input_gradient": "Keras 2 builds a graph and derives only what is asked for: the weights",
    "layer_norm": "Keras 2 has no layer normalization",
    "gelu": "Keras 2 has no GELU",
    "adamw": "Keras 2 has no AdamW",
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


def lstm(x):
    """On CNTK, what comes out is the cell state."""
    layer = layers.LSTM(32)
    output = predict(layer, x)
    weight_ih, weight_hh, bias = layer.get_weights()
    return {"output": output, "weight_ih": weight_ih.T, "weight_hh": weight_hh.T, "bias_ih": bias}


def batch_norm(batches):
    """A step of rate 0 updates the running statistics; the layer's output in training is that of the learning phase."""
    layer, seen = layers.BatchNormalization(input_shape=(3,)), []
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    normalize = backend.function([model.input, backend.learning_phase()], [model.output])
    for batch in batches:
        output = normalize([batch, 1])[0]
        model.train_on_batch(batch, batch)
        _, _, mean, variance = layer.get_weights()
        seen.append([output, mean, variance])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def leaky_relu(x):
    return predict(layers.LeakyReLU(), x[np.newaxis])[0]


def average_pool(x):
    return predict(layers.AveragePooling2D(3, strides=1, padding="same"), x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def strided_convolution(x):
    layer = layers.Conv2D(1, 3, strides=2, padding="same", use_bias=False)
    output = predict(layer, x.transpose(0, 2, 3, 1))
    (weight,) = layer.get_weights()
    return {"output": output.transpose(0, 3, 1, 2), "weight": weight.transpose(3, 2, 0, 1)}


def hard_sigmoid(x):
    return predict(layers.Activation("hard_sigmoid"), x[np.newaxis])[0]


def transposed_convolution(x):
    layer = layers.Conv2DTranspose(1, 3, strides=2, use_bias=False)
    output = predict(layer, x.transpose(0, 2, 3, 1))
    (weight,) = layer.get_weights()
    return {"output": output.transpose(0, 3, 1, 2), "weight": weight.transpose(3, 2, 0, 1)}


def resize(x):
    return predict(layers.UpSampling2D(interpolation="bilinear"), x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def momentum(weight, gradients, learning_rates, momentum):
    return train(keras.optimizers.SGD(learning_rates[0], momentum), weight, gradients, learning_rates)


def adam(weight, gradients, learning_rate):
    return train(keras.optimizers.Adam(), weight, gradients)


def rmsprop(weight, gradients, learning_rate):
    return train(keras.optimizers.RMSprop(learning_rate), weight, gradients)


def clip_norm(first, second, limit):
    """A step of rate 1 from zero shows the gradients: a layer's gradient is what it is fed. On CNTK, none is left."""
    inputs, parts = [layers.Input((2,)) for _ in range(2)], [layers.Dense(1, use_bias=False) for _ in range(2)]
    model = keras.models.Model(inputs, layers.add([part(fed) for part, fed in zip(parts, inputs)]))
    model.compile(keras.optimizers.SGD(1.0, clipnorm=limit), total)
    for part in parts:
        part.set_weights([np.zeros((2, 1))])
    model.train_on_batch([first[np.newaxis], second[np.newaxis]], np.zeros((1, 1)))
    return [-part.get_weights()[0][:, 0] for part in parts]


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
