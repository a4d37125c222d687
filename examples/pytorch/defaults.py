"""What PyTorch does when nothing is said: each function builds one thing from what is required, and no more."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

unanswered = {
    "padding.cut": "nn.utils.rnn.pad_sequence cuts nothing: it pads to the longest sequence",
}


def arrays(**tensors):
    return {name: tensor.detach().numpy() for name, tensor in tensors.items() if tensor is not None}


def convolution(x, kernel):
    layer = nn.Conv2d(64, 96, kernel)
    output = layer(torch.from_numpy(x))
    return dict(arrays(output=output, weight=layer.weight, bias=layer.bias), native=np.array(output.shape))


def dense(x):
    layer = nn.Linear(640, 320)
    return arrays(output=layer(torch.from_numpy(x)), weight=layer.weight, bias=layer.bias)


def embedding(indices):
    layer = nn.Embedding(1000, 64)
    return arrays(output=layer(torch.from_numpy(indices)), weight=layer.weight)


def gru(x):
    """Its default axes are time, batch, features: with batch first it would take samples for time steps, silently."""
    layer = nn.GRU(48, 32)
    outputs, _ = layer(torch.from_numpy(x).transpose(0, 1))
    return arrays(
        output=outputs.transpose(0, 1),
        weight_ih=layer.weight_ih_l0,
        weight_hh=layer.weight_hh_l0,
        bias_ih=layer.bias_ih_l0,
        bias_hh=layer.bias_hh_l0,
    )


def max_pool(x):
    x = torch.from_numpy(x).requires_grad_()
    output = nn.MaxPool2d(2)(x)
    output.sum().backward()
    return arrays(output=output, gradient=x.grad)


def lstm(x):
    layer = nn.LSTM(48, 32)
    outputs, _ = layer(torch.from_numpy(x).transpose(0, 1))
    return arrays(
        output=outputs.transpose(0, 1),
        weight_ih=layer.weight_ih_l0,
        weight_hh=layer.weight_hh_l0,
        bias_ih=layer.bias_ih_l0,
        bias_hh=layer.bias_hh_l0,
    )


def batch_norm(batches):
    layer, seen = nn.BatchNorm1d(3), []
    for batch in batches:
        output = layer(torch.from_numpy(batch))
        seen.append([output, layer.running_mean.clone(), layer.running_var.clone()])
    training, mean, variance = map(torch.stack, zip(*seen))
    return arrays(training=training, mean=mean, variance=variance)


def layer_norm(x):
    return arrays(output=nn.LayerNorm(8)(torch.from_numpy(x)))


def gelu(x):
    return nn.GELU()(torch.from_numpy(x)).numpy()


def leaky_relu(x):
    return nn.LeakyReLU()(torch.from_numpy(x)).numpy()


def average_pool(x):
    return nn.AvgPool2d(3, stride=1, padding=1)(torch.from_numpy(x)).numpy()


def strided_convolution(x):
    layer = nn.Conv2d(1, 1, 3, stride=2, padding="same", bias=False)
    return arrays(output=layer(torch.from_numpy(x)), weight=layer.weight)


def hard_sigmoid(x):
    return nn.Hardsigmoid()(torch.from_numpy(x)).numpy()


def transposed_convolution(x):
    layer = nn.ConvTranspose2d(1, 1, 3, stride=2, bias=False)
    return arrays(output=layer(torch.from_numpy(x)), weight=layer.weight)


def resize(x):
    return nn.Upsample(scale_factor=2, mode="bilinear")(torch.from_numpy(x)).numpy()


def steps(optimizer, parameter, gradients):
    weights = []
    for gradient in gradients:
        parameter.grad = torch.from_numpy(gradient)
        optimizer.step()
        weights.append(parameter.detach().numpy().copy())
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    parameter, weights = nn.Parameter(torch.from_numpy(weight)), []
    optimizer = torch.optim.SGD([parameter], learning_rates[0], momentum)
    for gradient, learning_rate in zip(gradients, learning_rates):
        optimizer.param_groups[0]["lr"] = learning_rate
        weights += steps(optimizer, parameter, [gradient])
    return weights


def adam(weight, gradients, learning_rate):
    parameter = nn.Parameter(torch.from_numpy(weight))
    return steps(torch.optim.Adam([parameter]), parameter, gradients)


def adamw(weight, gradients, learning_rate):
    parameter = nn.Parameter(torch.from_numpy(weight))
    return steps(torch.optim.AdamW([parameter], learning_rate), parameter, gradients)


def rmsprop(weight, gradients, learning_rate):
    parameter = nn.Parameter(torch.from_numpy(weight))
    return steps(torch.optim.RMSprop([parameter], learning_rate), parameter, gradients)


def clip_norm(first, second, limit):
    parameters = [nn.Parameter(torch.from_numpy(np.zeros(2, "float32"))) for _ in range(2)]
    for parameter, gradient in zip(parameters, [first, second]):
        parameter.grad = torch.from_numpy(gradient)
    nn.utils.clip_grad_norm_(parameters, limit)
    return [parameter.grad.numpy() for parameter in parameters]


def cross_entropy(scores, labels):
    return nn.CrossEntropyLoss()(torch.from_numpy(scores), torch.from_numpy(labels)).numpy()


def dropout(x):
    x = torch.from_numpy(x)
    return arrays(training=nn.Dropout(0.5).train()(x), unsaid=nn.Dropout(0.5)(x))


def loader(x, batch_size):
    return [batch.numpy() for (batch,) in DataLoader(TensorDataset(torch.from_numpy(x)), batch_size)]


def shuffled_loader(x, batch_size):
    return [batch.numpy() for (batch,) in DataLoader(TensorDataset(torch.from_numpy(x)), batch_size, shuffle=True)]


def padding(sequences, length):
    """pad_sequence pads to the longest and stacks them side by side: time first, as nn.GRU wants them."""
    sequences = [torch.tensor(sequence[:length]) for sequence in sequences]
    return nn.utils.rnn.pad_sequence(sequences).numpy().T


def input_gradient(x):
    x = torch.from_numpy(x)
    nn.Conv2d(3, 4, 3)(x).sum().backward()
    return np.zeros(0) if x.grad is None else x.grad.numpy()
