"""A VGG-style CNN on CIFAR-10."""

from workloads.cnn.data import cifar_for_library
from workloads.cnn.data import read_cifar as read
from workloads.cnn.hyperparameters import params

__all__ = ["cifar_for_library", "params", "read"]
