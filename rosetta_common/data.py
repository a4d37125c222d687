"""CIFAR-10 and IMDB in the layout that a framework wants, and shuffled mini-batches.

The official layouts are read from the folder that the environment variable ROSETTA_DATA names:
`cifar-10-batches-py/` as in cifar-10-python.tar.gz, and `imdb.npz` as Keras publishes it. Without
the variable the small embedded sample serves. Nothing here goes to the network: the host fetches
and checks the data before any example reads it.
"""

import io
import os
import pickle
import zipfile

import numpy as np

from rosetta_common import params

SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sample")
IMAGE = (3, 32, 32)
TRAIN_FILES = [f"data_batch_{i}" for i in range(1, 6)]
START, OUT_OF_VOCABULARY, FIRST_WORD = 1, 2, 3

# Called with the number of samples of each mini-batch that training takes; the runner sets it to
# show progress inside an epoch, which on two cores lasts minutes.
on_batch = None


class DataError(Exception):
    """The data folder does not hold what its layout promises; the message says where and what to do."""


def folder():
    """The folder of the data in use: ROSETTA_DATA, or the embedded sample."""
    return os.environ.get("ROSETTA_DATA") or SAMPLE


class _ArrayUnpickler(pickle.Unpickler):
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


def _read_batch(path):
    """One CIFAR-10 batch file -> uint8 images (n, 3, 32, 32) and integer labels (n,)."""
    try:
        with open(path, "rb") as file:
            batch = _ArrayUnpickler(file, encoding="bytes").load()
        images, labels = np.asarray(batch[b"data"]), np.asarray(batch[b"labels"])
    except (OSError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
        raise DataError(f"{path} is no CIFAR-10 batch ({error}): fetch or unpack the data again.") from None
    if images.dtype != np.uint8 or images.shape != (len(labels), 3072):
        found = f"images of shape {images.shape} and type {images.dtype} for {len(labels)} labels"
        raise DataError(f"{path} holds {found}, not uint8 ({len(labels)}, 3072): fetch or unpack the data again.")
    return images.reshape((-1, *IMAGE)), labels


def read_cifar():
    """The images as they are stored.

    Returns x_train, x_test, y_train, y_test: uint8 (n, 3, 32, 32) and int64 (n,).
    Raises DataError where the folder does not hold them.
    """
    batches = os.path.join(folder(), "cifar-10-batches-py")
    train = [_read_batch(os.path.join(batches, name)) for name in TRAIN_FILES]
    x_test, y_test = _read_batch(os.path.join(batches, "test_batch"))
    x_train, y_train = (np.concatenate(parts) for parts in zip(*train))
    return x_train, x_test, y_train, y_test


def cifar_for_library(channel_first=True, one_hot=False):
    """CIFAR-10 for a framework: images in [0, 1] as `params.cnn.dtype`.

    channel_first: (n, 3, 32, 32), else (n, 32, 32, 3).
    one_hot: labels (n, 10) in the images' dtype, else int32 (n,).
    Returns x_train, x_test, y_train, y_test. Raises DataError.
    """
    x_train, x_test, y_train, y_test = read_cifar()

    def images(x):
        x = x if channel_first else np.ascontiguousarray(x.transpose(0, 2, 3, 1))
        scaled = x.astype(params.cnn.dtype)
        scaled /= 255
        return scaled

    def labels(y):
        return np.eye(params.cnn.classes, dtype=params.cnn.dtype)[y] if one_hot else y.astype(np.int32)

    return images(x_train), images(x_test), labels(y_train), labels(y_test)


def _read_npy(content):
    """The array of an .npy file; lists in it are unpickled by the restricted unpickler, and so on any NumPy."""
    file = io.BytesIO(content)
    versions = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    _, _, dtype = versions[np.lib.format.read_magic(file)](file)
    if dtype.hasobject:
        return _ArrayUnpickler(file, encoding="bytes").load()
    return np.load(io.BytesIO(content), allow_pickle=False)


def read_imdb():
    """The reviews as they are stored.

    Returns x_train, x_test, y_train, y_test: object arrays of lists of word ranks (1 = the most
    frequent word), and int64 labels (n,), 1 = positive. Raises DataError.
    """
    path = os.path.join(folder(), "imdb.npz")
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
    """Word ranks -> `params.gru.max_length` features: start, then rank + 3; the last kept, padded behind with 0."""
    words = np.asarray(ranks, dtype=np.int64) + FIRST_WORD
    words[words >= params.gru.vocabulary] = OUT_OF_VOCABULARY
    words = np.concatenate([[START], words])[-params.gru.max_length :]
    return np.pad(words, (0, params.gru.max_length - len(words)), "constant")


def imdb_for_library(one_hot=False):
    """IMDB for a framework: reviews int32 (n, 150), rows of `encode_review`.

    one_hot: labels (n, 2) as `params.gru.dtype`, else int32 (n,).
    Returns x_train, x_test, y_train, y_test. Raises DataError.
    """
    x_train, x_test, y_train, y_test = read_imdb()

    def reviews(x):
        return np.array([encode_review(ranks) for ranks in x], dtype=np.int32)

    def labels(y):
        return np.eye(params.gru.classes, dtype=params.gru.dtype)[y] if one_hot else y.astype(np.int32)

    return reviews(x_train), reviews(x_test), labels(y_train), labels(y_test)


def minibatches(x, y, batch_size, shuffle=True):
    """One epoch of mini-batches (x[i], y[i]), freshly shuffled by NumPy's global generator.

    A last batch that would be smaller than batch_size is dropped. Each batch is gathered when it
    is asked for: shuffling all of CIFAR-10 at once copied 614 MB an epoch.
    """
    order = np.random.permutation(len(x)) if shuffle else np.arange(len(x))
    for start in range(0, len(x) - batch_size + 1, batch_size):
        batch = order[start : start + batch_size]
        if on_batch is not None:
            on_batch(len(batch))
        yield x[batch], y[batch]
