"""Cut the embedded sample out of IMDB, in the same layout and always the same file."""

import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs from anywhere

from tools.sample_files import TEST, TRAIN, array_bytes, choose, main
from workloads.gru import params, read
from workloads.gru.definition import LAYOUT


def write(path):
    x_train, x_test, y_train, y_test = read()
    train = choose(y_train, TRAIN, params.classes)
    test = choose(y_test, TEST, params.classes)
    arrays = {"x_train": x_train[train], "y_train": y_train[train], "x_test": x_test[test], "y_test": y_test[test]}
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            # ZipInfo's own date, 1980, and no compression: the same bytes wherever it runs.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), array_bytes(array))


if __name__ == "__main__":
    main(__doc__, LAYOUT, write)
