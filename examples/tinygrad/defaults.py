"""What tinygrad does when nothing is said: each function builds one thing from what is required, and no more."""

from tinygrad import Context, Tensor, nn

unanswered = {
    "gru": "tinygrad has a cell for LSTM only",
    "loader": "tinygrad has no loader",
    "shuffled_loader": "tinygrad has no loader",
    "padding": "tinygrad has nothing that pads sequences; its pad is told how much goes where",
    "input_gradient": "tinygrad is lazy: backward defines the input's gradient too, and computes it only if it is read",
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


def cross_entropy(scores, labels):
    return Tensor(scores).sparse_categorical_crossentropy(Tensor(labels)).numpy()


def dropout(x):
    x = Tensor(x)
    with Context(TRAINING=1):
        training = x.dropout()
    return arrays(training=training, unsaid=x.dropout())
