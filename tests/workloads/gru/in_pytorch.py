"""The GRU in PyTorch, for the oracle to be held against."""

import numpy as np
import torch
from torch import nn

from workloads.gru import imdb_for_library, params


class GRUNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30000, 125)
        self.gru = nn.GRU(125, 100, batch_first=True)
        self.fc = nn.Linear(100, 2)

    def forward(self, words):
        return self.fc(self.gru(self.embedding(words))[0][:, -1])


def build():
    """The network of the seed in PyTorch; its parameters by canonical name."""
    network = GRUNetwork().double()
    return network, {
        name.removesuffix("_l0").replace("embedding.weight", "embedding"): parameter
        for name, parameter in network.named_parameters()
    }


def optimizer(parameters):
    betas = (params.beta1, params.beta2)
    return torch.optim.Adam(parameters, lr=params.learning_rate, betas=betas, eps=params.epsilon)


def samples(count):
    """The first samples as the network takes them, and their labels."""
    reviews, _, labels, _ = imdb_for_library()
    return reviews[:count].astype(np.int64), labels[:count].astype(np.int64)
