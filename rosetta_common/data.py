"""Where data sets lie, how their files are read safely, and shuffled mini-batches: what all workloads share.

The official layouts are read from the folder that the environment variable ROSETTA_DATA names. Without the variable the
small embedded sample of a workload serves.
"""

import glob
import os
import pickle

import numpy as np

WORKLOADS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "workloads")

# Called with the number of samples of each mini-batch that training takes; the runner sets it to
# show progress inside an epoch, which on two cores lasts minutes.
on_batch = None


class DataError(Exception):
    """The data folder does not hold what its layout promises; the message says where and what to do."""


def located(layout):
    """The path of a data set's file or folder: in the folder ROSETTA_DATA, or in the embedded sample that has it."""
    folder = os.environ.get("ROSETTA_DATA")
    if folder:
        return os.path.join(folder, layout)
    samples = glob.glob(os.path.join(WORKLOADS, "*", "sample", layout))
    if not samples:
        raise DataError(f"no workload has a sample of {layout}: let ROSETTA_DATA name a folder that holds it.")
    return samples[0]


class ArrayUnpickler(pickle.Unpickler):
    """Unpickles NumPy arrays and plain containers only: a batch file can run no code."""

    allowed = (
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("_codecs", "encode"),
    )

    def find_class(self, module, name):
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}")
        if name == "_reconstruct":  # NumPy 1 cannot import the module's name of NumPy 2, nor 2 that of 1 quietly
            return np.empty(0).__reduce__()[0]
        return pickle.Unpickler.find_class(self, module, name)


def minibatches(x, y, batch_size, shuffle=True):
    """One epoch of mini-batches (x[i], y[i]), freshly shuffled by NumPy's global generator.

    A last batch that would be smaller than batch_size is dropped. Each batch is gathered when it
    is asked for: to shuffle all of CIFAR-10 at once would copy 614 MB an epoch.
    """
    order = np.random.permutation(len(x)) if shuffle else np.arange(len(x))
    for start in range(0, len(x) - batch_size + 1, batch_size):
        batch = order[start : start + batch_size]
        if on_batch is not None:
            on_batch(len(batch))
        yield x[batch], y[batch]
