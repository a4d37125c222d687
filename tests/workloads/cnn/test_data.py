"""The loader of CIFAR-10, through its public door, on small folders in the official layout."""

import pickle

import numpy as np
import pytest

from rosetta_common.data import DataError
from workloads.cnn import cifar_for_library, params
from workloads.cnn.data import TRAIN_FILES


def write_cifar(folder, shape=(20, 3072), dtype=np.uint8):
    batches = folder / "cifar-10-batches-py"
    batches.mkdir(parents=True)
    images = np.random.RandomState(0).randint(0, 256, shape).astype(dtype)
    labels = [int(i) % 10 for i in range(20)]
    for name in [*TRAIN_FILES, "test_batch"]:
        (batches / name).write_bytes(pickle.dumps({b"data": images, b"labels": labels}, protocol=2))
    return images


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ROSETTA_DATA", str(tmp_path))
    return tmp_path


def test_cifar_channel_first_is_the_stored_layout_scaled(folder):
    images = write_cifar(folder)
    x_train, x_test, y_train, y_test = cifar_for_library(channel_first=True, one_hot=False)
    assert x_train.shape == (100, 3, 32, 32)
    assert x_train.dtype == np.float32
    assert y_train.dtype == np.int32
    np.testing.assert_array_equal(x_test, images.reshape(-1, 3, 32, 32).astype(np.float32) / 255)
    assert y_test.tolist() == [i % 10 for i in range(20)]


def test_cifar_channel_last_is_not_transposed(folder):
    """The seed's loader swapped axes 1 and 3, and so height and width with them."""
    write_cifar(folder)
    first = cifar_for_library(channel_first=True)[0]
    last = cifar_for_library(channel_first=False)[0]
    assert last.flags["C_CONTIGUOUS"]
    assert last[3, 5, 7, 1] == first[3, 1, 5, 7]


def test_cifar_one_hot_and_dtype(folder, monkeypatch):
    write_cifar(folder)
    monkeypatch.setattr(params, "dtype", "float64")
    x_train, _, y_train, _ = cifar_for_library(one_hot=True)
    assert x_train.dtype == y_train.dtype == np.float64
    assert y_train.shape == (100, 10)
    assert y_train[13].tolist() == np.eye(10)[3].tolist()


def test_images_of_the_wrong_shape_are_refused_in_one_sentence(folder):
    write_cifar(folder, shape=(20, 3000))
    with pytest.raises(DataError, match=r"data_batch_1 holds images of shape \(20, 3000\).* fetch or unpack"):
        cifar_for_library()


def test_images_of_the_wrong_type_are_refused(folder):
    write_cifar(folder, dtype=np.float32)
    with pytest.raises(DataError, match="float32"):
        cifar_for_library()


def test_a_missing_batch_is_named(folder):
    write_cifar(folder)
    (folder / "cifar-10-batches-py" / "test_batch").unlink()
    with pytest.raises(DataError, match="test_batch is no CIFAR-10 batch"):
        cifar_for_library()


def test_a_batch_cut_short_is_refused(folder):
    write_cifar(folder)
    path = folder / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="data_batch_3"):
        cifar_for_library()


class Evil:
    def __reduce__(self):
        return print, ("this code must not run",)


@pytest.mark.fault("pickle", outcome="Code in it is named and does not run.")
def test_a_batch_that_would_run_code_is_refused(folder, capsys):
    write_cifar(folder)
    (folder / "cifar-10-batches-py" / "data_batch_2").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DataError, match="it refers to"):
        cifar_for_library()
    assert capsys.readouterr().out == ""
