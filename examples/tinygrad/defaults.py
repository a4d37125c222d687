"""What tinygrad does when nothing is said: each function builds one thing from what is required, and no more."""

import numpy as np
from tinygrad import Context, Tensor, nn

unanswered = {
    "gru": "tinygrad has a cell for LSTM only",
    "loader": "tinygrad has no loader",
    "shuffled_loader": "tinygrad has no loader",
    "padding": "tinygrad has nothing that pads sequences; its pad is told how much goes where",
    "input_gradient": "tinygrad is lazy: backward defines the input's gradient too, and computes it only if it is read",
    "rmsprop": "tinygrad has no RMSprop",
    "clip_norm": "tinygrad has nothing that clips gradients",
}


def arrays(**tensors):
    return {name: tensor.numpy() for name, tensor in tensors.items() if tensor is not None}


def convolution(x, kernel):
    layer = nn.Conv2d(64, 96, kernel)
    output = layer(Tensor(x))
    return arrays(output=output, weight=layer.weight, bias=layer.bias, native=Tensor(list(output.shape)))


def dense(x):
    layer = nn.Linear(640, 320)
    return arrays(output=layer(Tensor(x)), weight=layer.weight, bias=layer.bias)


def embedding(indices):
    layer = nn.Embedding(1000, 64)
    return arrays(output=layer(Tensor(indices)), weight=layer.weight)


def max_pool(x):
    x = Tensor(x)
    output = x.max_pool2d()
    return arrays(output=output, gradient=output.sum().gradient(x)[0])


def lstm(x):
    """A cell is one step: the loop over time is the caller's."""
    cell, state, outputs = nn.LSTMCell(48, 32), None, []
    for step in x.swapaxes(0, 1):
        state = cell(Tensor(step), state)
        outputs.append(state[0])
    return arrays(
        output=Tensor.stack(*outputs, dim=1),
        weight_ih=cell.weight_ih,
        weight_hh=cell.weight_hh,
        bias_ih=cell.bias_ih,
        bias_hh=cell.bias_hh,
    )


@Context(TRAINING=1)
def batch_norm(batches):
    layer, seen = nn.BatchNorm(3), []
    for batch in batches:
        output = layer(Tensor(batch)).numpy()
        seen.append([output, layer.running_mean.numpy(), layer.running_var.numpy()])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    return arrays(output=nn.LayerNorm(8)(Tensor(x)))


def gelu(x):
    return Tensor(x).gelu().numpy()


def leaky_relu(x):
    return Tensor(x).leaky_relu().numpy()


def average_pool(x):
    return Tensor(x).avg_pool2d((3, 3), stride=1, padding=1).numpy()


def strided_convolution(x):
    layer = nn.Conv2d(1, 1, 3, stride=2, padding="same", bias=False)
    return arrays(output=layer(Tensor(x)), weight=layer.weight)


def hard_sigmoid(x):
    return Tensor(x).hardsigmoid().numpy()


def transposed_convolution(x):
    layer = nn.ConvTranspose2d(1, 1, 3, stride=2, bias=False)
    return arrays(output=layer(Tensor(x)), weight=layer.weight)


def resize(x):
    return Tensor(x).interpolate((6, 6)).numpy()


@Context(TRAINING=1)
def steps(optimizer, weight, gradients):
    weights = []
    for gradient in gradients:
        weight.grad = Tensor(gradient)
        optimizer.step()
        weights.append(weight.numpy())
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    weight, weights = Tensor(weight), []
    optimizer = nn.optim.SGD([weight], learning_rates[0], momentum)
    for gradient, learning_rate in zip(gradients, learning_rates):
        optimizer.lr.assign(Tensor([learning_rate])).realize()
        weights += steps(optimizer, weight, [gradient])
    return weights


def adam(weight, gradients, learning_rate):
    weight = Tensor(weight)
    return steps(nn.optim.Adam([weight]), weight, gradients)


def adamw(weight, gradients, learning_rate):
    weight = Tensor(weight)
    return steps(nn.optim.AdamW([weight], learning_rate), weight, gradients)


def cross_entropy(scores, labels):
    return Tensor(scores).sparse_categorical_crossentropy(Tensor(labels)).numpy()


@Context(TRAINING=1)
def in_training(function):
    return function()


def dropout(x):
    x = Tensor(x)
    return arrays(training=in_training(x.dropout), unsaid=x.dropout())
