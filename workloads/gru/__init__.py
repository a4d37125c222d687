"""A GRU on IMDB."""

from workloads.gru.data import imdb_for_library
from workloads.gru.data import read_imdb as read
from workloads.gru.hyperparameters import params

__all__ = ["imdb_for_library", "params", "read"]
