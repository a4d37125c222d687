"""What MLX does when nothing is said: each function builds one thing from what is required, and no more."""

import mlx.core as mx
import numpy as np
from mlx import nn, optimizers

unanswered = {
    "adam.learning_rate": "must be given: optimizers.Adam has no rate of its own",
    "loader": "MLX has no loader; mlx-data is a package of its own",
    "shuffled_loader": "MLX has no loader; mlx-data is a package of its own",
    "padding": "MLX has nothing that pads sequences; its pad is told how much goes where",
    "input_gradient": "MLX derives only what is asked for: value_and_grad of a network gives no gradient to the input",
    "strided_convolution": "must be given: MLX pads by a number, the same on both sides",
    "hard_sigmoid": "MLX has no hard sigmoid",
}


def arrays(**given):
    return {name: np.array(array) for name, array in given.items()}


def convolution(x, kernel):
    """Images in its own order, channels last, and kernels (out, h, w, in) turned to the canonical one."""
    layer = nn.Conv2d(64, 96, kernel)
    output = layer(mx.array(x.transpose(0, 2, 3, 1)))
    found = arrays(output=output.transpose(0, 3, 1, 2), weight=layer.weight.transpose(0, 3, 1, 2), bias=layer.bias)
    return dict(found, native=np.array(output.shape))


def dense(x):
    layer = nn.Linear(640, 320)
    return arrays(output=layer(mx.array(x)), weight=layer.weight, bias=layer.bias)


def embedding(indices):
    layer = nn.Embedding(1000, 64)
    return arrays(output=layer(mx.array(indices)), weight=layer.weight)


def gru(x):
    """Of the recurrent biases it has that of the new gate alone."""
    layer = nn.GRU(48, 32)
    return arrays(output=layer(mx.array(x)), weight_ih=layer.Wx, weight_hh=layer.Wh, bias_ih=layer.b, bias_hh=layer.bhn)


def max_pool(x):
    """Its pool wants no stride: that is as wide as the pool."""
    images, pool = mx.array(x.transpose(0, 2, 3, 1)), nn.MaxPool2d(2)
    gradient = mx.grad(lambda images: pool(images).sum())(images)
    return arrays(output=pool(images).transpose(0, 3, 1, 2), gradient=gradient.transpose(0, 3, 1, 2))


def lstm(x):
    """It returns the hidden and the cell states of all steps."""
    layer = nn.LSTM(48, 32)
    output, _ = layer(mx.array(x))
    return arrays(output=output, weight_ih=layer.Wx, weight_hh=layer.Wh, bias_ih=layer.bias)


def batch_norm(batches):
    layer, seen = nn.BatchNorm(3), []
    for batch in batches:
        output = layer(mx.array(batch))
        seen.append([output, layer.running_mean, layer.running_var])
    training, mean, variance = map(mx.stack, map(list, zip(*seen)))
    return arrays(training=training, mean=mean, variance=variance)


def layer_norm(x):
    return arrays(output=nn.LayerNorm(8)(mx.array(x)))


def gelu(x):
    return np.array(nn.GELU()(mx.array(x)))


def leaky_relu(x):
    return np.array(nn.LeakyReLU()(mx.array(x)))


def average_pool(x):
    output = nn.AvgPool2d(3, stride=1, padding=1)(mx.array(x.transpose(0, 2, 3, 1)))
    return np.array(output.transpose(0, 3, 1, 2))


def transposed_convolution(x):
    layer = nn.ConvTranspose2d(1, 1, 3, stride=2, bias=False)
    output = layer(mx.array(x.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)
    return arrays(output=output, weight=layer.weight.transpose(0, 3, 1, 2))


def resize(x):
    output = nn.Upsample(scale_factor=2, mode="linear")(mx.array(x.transpose(0, 2, 3, 1)))
    return np.array(output.transpose(0, 3, 1, 2))


def steps(optimizer, weight, gradients):
    weights = {"weight": mx.array(weight)}
    found = []
    for gradient in gradients:
        weights = optimizer.apply_gradients({"weight": mx.array(gradient)}, weights)
        found.append(np.array(weights["weight"]))
    return found


def momentum(weight, gradients, learning_rates, momentum):
    optimizer, weights = optimizers.SGD(learning_rates[0], momentum), []
    for gradient, learning_rate in zip(gradients, learning_rates):
        optimizer.learning_rate = learning_rate
        [weight] = steps(optimizer, weight, [gradient])
        weights.append(weight)
    return weights


def adam(weight, gradients, learning_rate):
    """It wants the learning rate."""
    return steps(optimizers.Adam(learning_rate=learning_rate), weight, gradients)


def adamw(weight, gradients, learning_rate):
    return steps(optimizers.AdamW(learning_rate), weight, gradients)


def rmsprop(weight, gradients, learning_rate):
    return steps(optimizers.RMSprop(learning_rate), weight, gradients)


def clip_norm(first, second, limit):
    clipped, _ = optimizers.clip_grad_norm([mx.array(first), mx.array(second)], limit)
    return [np.array(gradient) for gradient in clipped]


def cross_entropy(scores, labels):
    return np.array(nn.losses.cross_entropy(mx.array(scores), mx.array(labels)))


def dropout(x):
    x, training = mx.array(x), nn.Dropout()
    training.train()
    return arrays(training=training(x), unsaid=nn.Dropout()(x))
