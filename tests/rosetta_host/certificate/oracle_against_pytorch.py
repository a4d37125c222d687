"""Hold the oracle against PyTorch in float64: scores, losses, gradients, and five steps of each optimizer.

Runs in PyTorch's environment, on the embedded sample. The figure of each line is the largest difference
anywhere in the tensor over the largest magnitude in PyTorch's tensor (maximum norm); of the steps it is
that of how far the weights moved, which is far less than the weights. Exit 1 if one exceeds the limit.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # so that it runs from anywhere

from rosetta_common import data, params, weights
from rosetta_host.certificate import oracle

LIMIT, STEPS, BATCH = 1e-12, 5, 64


def cnn():
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


class GRUNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30000, 125)
        self.gru = nn.GRU(125, 100, batch_first=True)
        self.fc = nn.Linear(100, 2)

    def forward(self, words):
        return self.fc(self.gru(self.embedding(words))[0][:, -1])


def gru():
    network = GRUNetwork().double()
    return network, {
        name.removesuffix("_l0").replace("embedding.weight", "embedding"): parameter
        for name, parameter in network.named_parameters()
    }


class Report:
    """Prints one line a quantity, and remembers whether all kept to the limit."""

    def __init__(self, limit):
        self.limit, self.ok = limit, True

    def compare(self, what, ours, theirs):
        theirs = np.asarray(theirs)
        figure = np.abs(ours - theirs).max() / np.abs(theirs).max()
        ok = bool(figure <= self.limit)  # not a number is not ok
        self.ok &= ok
        print(f"{what:30} {figure:.1e} {'ok' if ok else 'FAILED'}", flush=True)


def compare(workload, build, optimizer, x, y, report):
    """Both start at the canonical weights and then go their own way: nothing is synchronized in between."""
    network, parameters = build()
    start = {name: array.astype(np.float64) for name, array in weights.canonical(workload).items()}
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(torch.from_numpy(start[name]))
    own, ours, theirs = start, oracle.optimizer(workload), optimizer(network.parameters())
    for step in range(STEPS):
        part = slice(step * BATCH, (step + 1) * BATCH)
        theirs.zero_grad()
        scores = network(torch.from_numpy(x[part]))
        loss = nn.functional.cross_entropy(scores, torch.from_numpy(y[part]))
        loss.backward()
        own_loss, gradients = oracle.gradients(workload, own, x[part], y[part])
        if step == 0:
            report.compare(f"{workload} scores", oracle.scores(workload, own, x[part]), scores.detach())
            for name, parameter in parameters.items():
                report.compare(f"{workload} gradient of {name}", gradients[name], parameter.grad)
        report.compare(f"{workload} loss of step {step + 1}", own_loss, loss.detach())
        theirs.step()
        movement = ours.movement(gradients)
        own = {name: weight + movement[name] for name, weight in own.items()}
    for name, parameter in parameters.items():
        moved = parameter.detach().numpy() - start[name]
        report.compare(f"{workload} movement of {name}", own[name] - start[name], moved)


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=params.cnn.learning_rate, momentum=params.cnn.momentum)


def adam(parameters):
    p = params.gru
    return torch.optim.Adam(parameters, lr=p.learning_rate, betas=(p.beta1, p.beta2), eps=p.epsilon)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=float, default=LIMIT, help="largest figure that passes (default: %(default)s)")
    report = Report(parser.parse_args().limit)
    os.environ.pop("ROSETTA_DATA", None)  # the sample's first images have no tie in a max pooling
    first = slice(0, STEPS * BATCH)
    images, _, classes, _ = data.read_cifar()
    compare("cnn", cnn, sgd, images[first] / 255.0, classes[first], report)
    reviews, _, labels, _ = data.imdb_for_library()
    compare("gru", gru, adam, reviews[first].astype(np.int64), labels[first].astype(np.int64), report)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
