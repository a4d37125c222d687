"""What Paddle does when nothing is said: each function builds one thing from what is required, and no more."""

import numpy as np
import paddle
from paddle import nn
from paddle.io import DataLoader, TensorDataset

unanswered = {
    "padding": "Paddle has nothing that pads sequences; its tutorials pad with a few lines of NumPy",
}


def arrays(**tensors):
    return {name: tensor.numpy() for name, tensor in tensors.items() if tensor is not None}


def convolution(x, kernel):
    layer = nn.Conv2D(64, 96, kernel)
    output = layer(paddle.to_tensor(x))
    return dict(arrays(output=output, weight=layer.weight, bias=layer.bias), native=np.array(output.shape))


def dense(x):
    layer = nn.Linear(640, 320)
    return arrays(output=layer(paddle.to_tensor(x)), weight=layer.weight.T, bias=layer.bias)


def embedding(indices):
    layer = nn.Embedding(1000, 64)
    return arrays(output=layer(paddle.to_tensor(indices)), weight=layer.weight)


def gru(x):
    layer = nn.GRU(48, 32)
    outputs, _ = layer(paddle.to_tensor(x))
    return arrays(
        output=outputs,
        weight_ih=layer.weight_ih_l0,
        weight_hh=layer.weight_hh_l0,
        bias_ih=layer.bias_ih_l0,
        bias_hh=layer.bias_hh_l0,
    )


def max_pool(x):
    x = paddle.to_tensor(x, stop_gradient=False)
    output = nn.MaxPool2D(2)(x)
    output.sum().backward()
    return arrays(output=output, gradient=x.grad)


def steps(optimizer, parameter, gradients):
    weights = []
    for gradient in gradients:
        (parameter * paddle.to_tensor(gradient)).sum().backward()
        optimizer.step()
        optimizer.clear_grad()
        weights.append(parameter.numpy())
    return weights


def parameter(weight):
    return paddle.create_parameter(weight.shape, str(weight.dtype), attr=nn.initializer.Assign(weight))


def momentum(weight, gradients, learning_rates, momentum):
    weight, weights = parameter(weight), []
    optimizer = paddle.optimizer.Momentum(learning_rates[0], momentum, parameters=[weight])
    for gradient, learning_rate in zip(gradients, learning_rates):
        optimizer.set_lr(learning_rate)
        weights += steps(optimizer, weight, [gradient])
    return weights


def adam(weight, gradients, learning_rate):
    weight = parameter(weight)
    return steps(paddle.optimizer.Adam(parameters=[weight]), weight, gradients)


def cross_entropy(scores, labels):
    return nn.CrossEntropyLoss()(paddle.to_tensor(scores), paddle.to_tensor(labels)).numpy()


def dropout(x):
    x, training = paddle.to_tensor(x), nn.Dropout()
    training.train()
    return arrays(training=training(x), unsaid=nn.Dropout()(x))


def loader(x, batch_size):
    return [batch.numpy() for (batch,) in DataLoader(TensorDataset([x]), batch_size=batch_size)]


def shuffled_loader(x, batch_size):
    return [batch.numpy() for (batch,) in DataLoader(TensorDataset([x]), batch_size=batch_size, shuffle=True)]


def input_gradient(x):
    x = paddle.to_tensor(x)
    nn.Conv2D(3, 4, 3)(x).sum().backward()
    return np.zeros(0) if x.grad is None else x.grad.numpy()
