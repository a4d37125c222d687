"""IMDB as it is stored, and as features for a framework.

The file `imdb.npz` is read, as Keras publishes it. Nothing here goes to the network: the host fetches and checks the
data before any example reads it.
"""

import io
import pickle
import zipfile

import numpy as np

from rosetta_common.data import ArrayUnpickler, DataError, located
from workloads.gru.hyperparameters import params

START, OUT_OF_VOCABULARY, FIRST_WORD = 1, 2, 3


def _read_npy(content):
    """The array of an .npy file; lists in it are unpickled by the restricted unpickler, and so on any NumPy."""
    file = io.BytesIO(content)
    versions = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    _, _, dtype = versions[np.lib.format.read_magic(file)](file)
    if dtype.hasobject:
        return ArrayUnpickler(file, encoding="bytes").load()
    return np.load(io.BytesIO(content), allow_pickle=False)


def read_imdb():
    """The reviews as they are stored.

    Returns x_train, x_test, y_train, y_test: object arrays of lists of word ranks (1 = the most
    frequent word), and int64 labels (n,), 1 = positive. Raises DataError.
    """
    path = located("imdb.npz")
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = [_read_npy(archive.read(name + ".npy")) for name in ("x_train", "x_test", "y_train", "y_test")]
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
        raise DataError(f"{path} is not the IMDB archive ({error}): fetch or unpack the data again.") from None
    x_train, x_test, y_train, y_test = arrays
    if len(x_train) != len(y_train) or len(x_test) != len(y_test):
        raise DataError(f"{path} holds more reviews than labels, or fewer: fetch or unpack the data again.")
    return x_train, x_test, y_train, y_test


def encode_review(ranks):
    """Word ranks -> `params.max_length` features: start, then rank + 3; the last kept, padded behind with 0."""
    words = np.asarray(ranks, dtype=np.int64) + FIRST_WORD
    words[words >= params.vocabulary] = OUT_OF_VOCABULARY
    words = np.concatenate([[START], words])[-params.max_length :]
    return np.pad(words, (0, params.max_length - len(words)), "constant")


def imdb_for_library(one_hot=False):
    """IMDB for a framework: reviews int32 (n, 150), rows of `encode_review`.

    one_hot: labels (n, 2) as `params.dtype`, else int32 (n,).
    Returns x_train, x_test, y_train, y_test. Raises DataError.
    """
    x_train, x_test, y_train, y_test = read_imdb()

    def reviews(x):
        return np.array([encode_review(ranks) for ranks in x], dtype=np.int32)

    def labels(y):
        return np.eye(params.classes, dtype=params.dtype)[y] if one_hot else y.astype(np.int32)

    return reviews(x_train), reviews(x_test), labels(y_train), labels(y_test)
