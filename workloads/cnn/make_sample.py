"""Cut the embedded sample out of CIFAR-10, in the same layout and always the same files.

The images in which the oracle finds an exact tie in a max pooling at the canonical weights are moved behind the others:
the certificate trains on the first ones, where no framework's rule for ties can matter.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs from anywhere

from rosetta_common import weights
from tools.sample_files import TEST, TRAIN, choose, main, write_pickle
from workloads.cnn import params, read
from workloads.cnn.data import TRAIN_FILES
from workloads.cnn.definition import LAYOUT
from workloads.cnn.oracle import NAME, ties

LABEL_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def ties_last(images):
    """The order, stable, that puts images with a tie behind the others, for images scaled in either precision."""
    canonical = weights.canonical(NAME)
    tied = np.zeros(len(images), dtype=bool)
    for dtype in (np.float32, np.float64):
        tied |= ties(canonical, images.astype(dtype) / dtype(255))
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


def write(folder):
    x_train, x_test, y_train, y_test = read()
    folder.mkdir(parents=True, exist_ok=True)
    for x, y, count, names in ((x_train, y_train, TRAIN, TRAIN_FILES), (x_test, y_test, TEST, ["test_batch"])):
        chosen = choose(y, count, params.classes)
        chosen = chosen[ties_last(x[chosen])]
        for name, part in zip(names, np.split(chosen, len(names)), strict=True):
            write_batch(folder, name, x[part], y[part])
    meta = {
        b"label_names": [name.encode() for name in LABEL_NAMES],
        b"num_cases_per_batch": TRAIN // len(TRAIN_FILES),
        b"num_vis": x_train[0].size,
    }
    write_pickle(folder / "batches.meta", meta)


if __name__ == "__main__":
    main(__doc__, LAYOUT, write)
