"""CIFAR-10 as it is stored, and in the layout that a framework wants.

The official layout, `cifar-10-batches-py/` as in cifar-10-python.tar.gz, is read. Nothing here uses the Internet: the
host fetches and checks the data before any example reads it.
"""

import os
import pickle

import numpy as np

from rosetta_common.data import ArrayUnpickler, DataError, located
from workloads.cnn.hyperparameters import params

IMAGE = (3, 32, 32)
TRAIN_FILES = [f"data_batch_{i}" for i in range(1, 6)]


def _read_batch(path):
    """One CIFAR-10 batch file -> uint8 images (n, 3, 32, 32) and integer labels (n,)."""
    try:
        with open(path, "rb") as file:
            batch = ArrayUnpickler(file, encoding="bytes").load()
        images, labels = np.asarray(batch[b"data"]), np.asarray(batch[b"labels"])
    except (OSError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
        raise DataError(f"{path} is no CIFAR-10 batch ({error}): fetch or unpack the data again.") from None
    if images.dtype != np.uint8 or images.shape != (len(labels), 3072):
        content = f"images of shape {images.shape} and type {images.dtype} for {len(labels)} labels"
        raise DataError(f"{path} holds {content}, not uint8 ({len(labels)}, 3072): fetch or unpack the data again.")
    return images.reshape((-1, *IMAGE)), labels


def read_cifar():
    """The images as they are stored.

    Returns x_train, x_test, y_train, y_test: uint8 (n, 3, 32, 32) and int64 (n,).
    Raises DataError where the folder does not hold them.
    """
    batches = located("cifar-10-batches-py")
    train = [_read_batch(os.path.join(batches, name)) for name in TRAIN_FILES]
    x_test, y_test = _read_batch(os.path.join(batches, "test_batch"))
    x_train, y_train = (np.concatenate(parts) for parts in zip(*train))
    return x_train, x_test, y_train, y_test


def cifar_for_library(channel_first=True, one_hot=False):
    """CIFAR-10 for a framework: images in [0, 1] as `params.dtype`.

    channel_first: (n, 3, 32, 32), else (n, 32, 32, 3).
    one_hot: labels (n, 10) in the images' dtype, else int32 (n,).
    Returns x_train, x_test, y_train, y_test. Raises DataError.
    """
    x_train, x_test, y_train, y_test = read_cifar()

    def images(x):
        x = x if channel_first else np.ascontiguousarray(x.transpose(0, 2, 3, 1))
        scaled = x.astype(params.dtype)
        scaled /= 255
        return scaled

    def labels(y):
        return np.eye(params.classes, dtype=params.dtype)[y] if one_hot else y.astype(np.int32)

    return images(x_train), images(x_test), labels(y_train), labels(y_test)
