"""What the scripts that cut a workload's embedded sample out of its whole data set share.

The samples are taken in the order of the source, evenly by class, and the files are the same bytes each time.
"""

import argparse
import hashlib
import io
import os
import pickle
import struct
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np

from rosetta_common.data import DataError

TRAIN, TEST = 1280, 320


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


def write_pickle(path, content):
    buffer = io.BytesIO()
    Python2Pickler(buffer, protocol=2).dump(content)
    path.write_bytes(portable(buffer.getvalue()))


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


def print_digests(folder):
    """The rows of README.md's table."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".md":
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            print(f"| `{path.relative_to(folder).as_posix()}` | {len(content):,} | `{digest}` |")


def main(description, layout, write):
    """The command line of a script: write(path) lays the sample out at DEST/layout."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="SOURCE", type=Path, help=f"folder that holds {layout}")
    parser.add_argument("dest", metavar="DEST", type=Path, help="folder to write the sample to, in the same layout")
    arguments = parser.parse_args()
    os.environ["ROSETTA_DATA"] = str(arguments.source)
    try:
        arguments.dest.mkdir(parents=True, exist_ok=True)
        write(arguments.dest / layout)
    except (DataError, SampleError, OSError) as error:
        sys.exit(f"make_sample: {error}")
    print_digests(arguments.dest)
