"""Cut the embedded sample out of the two whole data sets, in the same layouts and always the same files.

Images and reviews are taken in the order of the source, evenly by class. The images in which the
oracle finds an exact tie in a max pooling at the canonical weights are moved behind the others: the
certificate trains on the first ones, where no framework's rule for ties can matter.
"""

import argparse
import hashlib
import io
import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that it runs from anywhere

from rosetta_common import data, params, weights
from rosetta_host.certificate import oracle

TRAIN, TEST = 1280, 320
LABEL_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


class SampleError(Exception):
    """The source does not hold what the sample needs."""


class Python2Pickler(pickle._Pickler):
    """Pickles bytes as Python 2 did, and as the official batches hold them: Python 3 makes the images 44 % larger."""

    def save_string(self, text):
        self.write(pickle.BINSTRING + struct.pack("<i", len(text)) + text)
        self.memoize(text)

    dispatch: ClassVar = {**pickle._Pickler.dispatch, bytes: save_string}


def portable(pickled):
    """Name NumPy's module as NumPy 1 did: NumPy 2 knows that name as well, NumPy 1 does not know the new one."""
    return pickled.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def choose(labels, count, classes):
    """The first samples of the source, as many of each class: sorted indices (count,)."""
    each = [np.flatnonzero(labels == label)[: count // classes] for label in range(classes)]
    chosen = np.sort(np.concatenate(each))
    if len(chosen) != count:
        raise SampleError(f"the source has fewer than {count // classes} samples of some class.")
    return chosen


def ties_last(images):
    """The order, stable, that puts images with a tie behind the others, for images scaled in either precision."""
    canonical = weights.canonical("cnn")
    tied = np.zeros(len(images), dtype=bool)
    for dtype in (np.float32, np.float64):
        tied |= oracle.ties(canonical, images.astype(dtype) / dtype(255))
    print(f"{tied.sum()} of {len(images)} images have a tie.")
    return np.argsort(tied, kind="stable")


def write_batch(path, name, images, labels):
    content = {
        b"batch_label": name.encode(),
        b"labels": labels.tolist(),
        b"data": np.ascontiguousarray(images.reshape(len(images), -1)),
        b"filenames": [],
    }
    write_pickle(path / name, content)


def write_pickle(path, content):
    buffer = io.BytesIO()
    Python2Pickler(buffer, protocol=2).dump(content)
    path.write_bytes(portable(buffer.getvalue()))


def write_cifar(folder):
    x_train, x_test, y_train, y_test = data.read_cifar()
    folder.mkdir(parents=True, exist_ok=True)
    for x, y, count, names in ((x_train, y_train, TRAIN, data.TRAIN_FILES), (x_test, y_test, TEST, ["test_batch"])):
        chosen = choose(y, count, params.cnn.classes)
        chosen = chosen[ties_last(x[chosen])]
        for name, part in zip(names, np.split(chosen, len(names)), strict=True):
            write_batch(folder, name, x[part], y[part])
    meta = {
        b"label_names": [name.encode() for name in LABEL_NAMES],
        b"num_cases_per_batch": TRAIN // len(data.TRAIN_FILES),
        b"num_vis": x_train[0].size,
    }
    write_pickle(folder / "batches.meta", meta)


def array_bytes(array):
    """The content of a .npy file. Object arrays are pickled here: np.save would name NumPy 2's module."""
    buffer = io.BytesIO()
    if array.dtype != object:
        np.lib.format.write_array(buffer, array, version=(1, 0))
    else:
        header = {"descr": "|O", "fortran_order": False, "shape": array.shape}
        np.lib.format.write_array_header_1_0(buffer, header)
        buffer.write(portable(pickle.dumps(array, protocol=2)))
    return buffer.getvalue()


def write_imdb(path):
    x_train, x_test, y_train, y_test = data.read_imdb()
    train = choose(y_train, TRAIN, params.gru.classes)
    test = choose(y_test, TEST, params.gru.classes)
    arrays = {"x_train": x_train[train], "y_train": y_train[train], "x_test": x_test[test], "y_test": y_test[test]}
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            # ZipInfo's own date, 1980, and no compression: the same bytes wherever it runs.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), array_bytes(array))


def print_digests(folder):
    """The rows of README.md's table."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".md":
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            print(f"| `{path.relative_to(folder).as_posix()}` | {len(content):,} | `{digest}` |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "source", metavar="SOURCE", type=Path, help="folder that holds cifar-10-batches-py/ and imdb.npz"
    )
    parser.add_argument("dest", metavar="DEST", type=Path, help="folder to write the sample to, in the same layouts")
    arguments = parser.parse_args()
    os.environ["ROSETTA_DATA"] = str(arguments.source)
    try:
        write_cifar(arguments.dest / "cifar-10-batches-py")
        write_imdb(arguments.dest / "imdb.npz")
    except (data.DataError, SampleError, OSError) as error:
        sys.exit(f"make_sample: {error}")
    print_digests(arguments.dest)


if __name__ == "__main__":
    main()
