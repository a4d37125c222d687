"""The points, as they are stored and for a framework."""

import numpy as np

from rosetta_common.data import DataError, located
from workloads.logistic.hyperparameters import params


def read():
    """x_train, x_test, y_train, y_test: uint8 (n, features) of 0 and 1, and int64 (n,). Raises DataError."""
    path = located("points.npz")
    try:
        with np.load(path, allow_pickle=False) as file:
            return tuple(file[name] for name in ("x_train", "x_test", "y_train", "y_test"))
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path} holds no points ({error}): make them again.") from None


def points_for_library():
    """The points as `params.dtype`, and labels int32 (n,)."""
    x_train, x_test, y_train, y_test = read()
    return x_train.astype(params.dtype), x_test.astype(params.dtype), y_train.astype(np.int32), y_test.astype(np.int32)
