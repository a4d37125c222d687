"""The data sets as their publishers offer them: one place for addresses and digests, for the host and for scripts."""

from __future__ import annotations

import msgspec


class Source(msgspec.Struct, frozen=True):
    """A data set: the file that is published, its SHA-256, and what it is once it is unpacked (or as it is)."""

    name: str
    file: str
    url: str
    sha256: str
    layout: str
    citation: str


BATCHES = "cifar-10-batches-py"
SOURCES = {
    "cnn": Source(
        "CIFAR-10",
        "cifar-10-python.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        BATCHES,
        "Alex Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical report, University of "
        "Toronto, 2009. https://www.cs.toronto.edu/~kriz/cifar.html",
    ),
    "gru": Source(
        "IMDB",
        "imdb.npz",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz",
        "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
        "imdb.npz",
        "Andrew L. Maas and others, Learning Word Vectors for Sentiment Analysis, ACL 2011; here as word ranks. "
        "https://ai.stanford.edu/~amaas/data/sentiment/",
    ),
}
LICENSE = (
    "Neither data set comes with an explicit license. "
    "Their authors published them for research and ask to be cited as here."
)
