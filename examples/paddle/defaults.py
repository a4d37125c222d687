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


def lstm(x):
    layer = nn.LSTM(48, 32)
    outputs, _ = layer(paddle.to_tensor(x))
    return arrays(
        output=outputs,
        weight_ih=layer.weight_ih_l0,
        weight_hh=layer.weight_hh_l0,
        bias_ih=layer.bias_ih_l0,
        bias_hh=layer.bias_hh_l0,
    )


def batch_norm(batches):
    layer, seen = nn.BatchNorm1D(3), []
    for batch in batches:
        output = layer(paddle.to_tensor(batch))
        seen.append([output.numpy(), layer._mean.numpy(), layer._variance.numpy()])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    return arrays(output=nn.LayerNorm(8)(paddle.to_tensor(x)))


def gelu(x):
    return nn.GELU()(paddle.to_tensor(x)).numpy()


def leaky_relu(x):
    return nn.LeakyReLU()(paddle.to_tensor(x)).numpy()


def average_pool(x):
    return nn.AvgPool2D(3, stride=1, padding=1)(paddle.to_tensor(x)).numpy()


def strided_convolution(x):
    layer = nn.Conv2D(1, 1, 3, stride=2, padding="SAME", bias_attr=False)
    return arrays(output=layer(paddle.to_tensor(x)), weight=layer.weight)


def hard_sigmoid(x):
    return nn.Hardsigmoid()(paddle.to_tensor(x)).numpy()


def transposed_convolution(x):
    layer = nn.Conv2DTranspose(1, 1, 3, stride=2, bias_attr=False)
    return arrays(output=layer(paddle.to_tensor(x)), weight=layer.weight)


def resize(x):
    return nn.Upsample(scale_factor=2, mode="bilinear")(paddle.to_tensor(x)).numpy()


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


def adamw(weight, gradients, learning_rate):
    weight = parameter(weight)
    return steps(paddle.optimizer.AdamW(learning_rate, parameters=[weight]), weight, gradients)


def rmsprop(weight, gradients, learning_rate):
    weight = parameter(weight)
    return steps(paddle.optimizer.RMSProp(learning_rate, parameters=[weight]), weight, gradients)


def clip_norm(first, second, limit):
    weights = [parameter(np.zeros(2, "float32")) for _ in range(2)]
    sum((weight * paddle.to_tensor(gradient)).sum() for weight, gradient in zip(weights, [first, second])).backward()
    nn.utils.clip_grad_norm_(weights, limit)
    return [weight.grad.numpy() for weight in weights]


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
