"""The CNN in PyTorch, for the oracle to be held against."""

import torch
from torch import nn

from workloads.cnn import params, read


def build():
    """The network of the seed in PyTorch, without dropout; its parameters by canonical name."""
    layers = {
        "conv1": nn.Conv2d(3, 50, 3, padding=1),
        "conv2": nn.Conv2d(50, 50, 3, padding=1),
        "conv3": nn.Conv2d(50, 100, 3, padding=1),
        "conv4": nn.Conv2d(100, 100, 3, padding=1),
        "fc1": nn.Linear(6400, 512),
        "fc2": nn.Linear(512, 10),
    }
    conv1, conv2, conv3, conv4, fc1, fc2 = layers.values()
    first = nn.Sequential(conv1, nn.ReLU(), conv2, nn.MaxPool2d(2), nn.ReLU())
    second = nn.Sequential(conv3, nn.ReLU(), conv4, nn.MaxPool2d(2), nn.ReLU())
    network = nn.Sequential(first, second, nn.Flatten(), fc1, nn.ReLU(), fc2).double()
    return network, {
        f"{name}.{kind}": getattr(layer, kind) for name, layer in layers.items() for kind in ("weight", "bias")
    }


def optimizer(parameters):
    return torch.optim.SGD(parameters, lr=params.learning_rate, momentum=params.momentum)


def samples(count):
    """The first samples as the network takes them, and their labels: none has a tie in a max pooling."""
    images, _, labels, _ = read()
    return images[:count] / 255.0, labels[:count]
