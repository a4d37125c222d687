"""The loader of IMDB, through its public door, on small files in the official layout."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from rosetta_common.data import DataError
from workloads.gru import imdb_for_library
from workloads.gru.data import encode_review


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ROSETTA_DATA", str(tmp_path))
    return tmp_path


class Evil:
    def __reduce__(self):
        return print, ("this code must not run",)


def test_encode_review_shifts_starts_and_pads_behind():
    row = encode_review([1, 5, 29996, 29997, 50000])
    assert row[:6].tolist() == [1, 4, 8, 29999, 2, 2]
    assert row.shape == (150,)
    assert not row[6:].any()


def test_encode_review_keeps_the_last_words():
    row = encode_review(range(1, 201))
    assert row.tolist() == [rank + 3 for rank in range(51, 201)]


def test_imdb_of_unequal_lengths_is_refused(folder):
    words = np.empty(2, dtype=object)
    words[:] = [[1, 2], [3]]
    np.savez(str(folder / "imdb.npz"), x_train=words, x_test=words, y_train=np.zeros(3), y_test=np.zeros(2))
    with pytest.raises(DataError, match="more reviews than labels"):
        imdb_for_library()


@pytest.mark.fault("pickle", outcome="Code in it is named and does not run.")
def test_imdb_that_would_run_code_is_refused(folder, capsys):
    evil = np.array([Evil()], dtype=object)
    np.savez(str(folder / "imdb.npz"), x_train=evil, x_test=evil, y_train=np.zeros(1), y_test=np.zeros(1))
    with pytest.raises(DataError, match="it refers to"):
        imdb_for_library()
    assert capsys.readouterr().out == ""


def test_imdb_pickled_by_another_numpy_is_read(folder):
    """NumPy 2 names a module in its pickles that NumPy 1.19 does not have, and the other way round."""
    words = np.empty(2, dtype=object)
    words[:] = [[1, 2], [3]]
    names = [b"numpy.core.multiarray", b"numpy._core.multiarray"]
    for name in names:
        pickled = pickle.dumps(words, protocol=2)
        for other in names:
            pickled = pickled.replace(b"c" + other + b"\n", b"c" + name + b"\n")
        with zipfile.ZipFile(str(folder / "imdb.npz"), "w") as archive:
            for key in ("x_train", "x_test"):
                header = io.BytesIO()
                np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": (2,)})
                archive.writestr(key + ".npy", header.getvalue() + pickled)
            for key in ("y_train", "y_test"):
                labels = io.BytesIO()
                np.save(labels, np.array([0, 1]))
                archive.writestr(key + ".npy", labels.getvalue())
        x_train = imdb_for_library()[0]
        assert x_train[0, :3].tolist() == [1, 4, 5]


def test_missing_imdb_is_named(folder):
    with pytest.raises(DataError, match=r"imdb\.npz is not the IMDB archive"):
        imdb_for_library()


def test_the_embedded_sample_serves_where_nothing_was_fetched(monkeypatch):
    monkeypatch.delenv("ROSETTA_DATA", raising=False)
    x_train, x_test, y_train, y_test = imdb_for_library()
    assert x_train.shape[1] == 150
    assert len(x_train) == len(y_train) >= 1000
    assert set(y_test) == {0, 1}
    assert x_test.dtype == np.int32
