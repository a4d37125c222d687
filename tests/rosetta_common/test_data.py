"""The loaders, through their public door, on small folders in the official layouts."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from rosetta_common import data, params


def write_cifar(folder, shape=(20, 3072), dtype=np.uint8):
    batches = folder / "cifar-10-batches-py"
    batches.mkdir(parents=True)
    images = np.random.RandomState(0).randint(0, 256, shape).astype(dtype)
    labels = [int(i) % 10 for i in range(20)]
    for name in [*data.TRAIN_FILES, "test_batch"]:
        (batches / name).write_bytes(pickle.dumps({b"data": images, b"labels": labels}, protocol=2))
    return images


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ROSETTA_DATA", str(tmp_path))
    return tmp_path


def test_cifar_channel_first_is_the_stored_layout_scaled(folder):
    images = write_cifar(folder)
    x_train, x_test, y_train, y_test = data.cifar_for_library(channel_first=True, one_hot=False)
    assert x_train.shape == (100, 3, 32, 32)
    assert x_train.dtype == np.float32
    assert y_train.dtype == np.int32
    np.testing.assert_array_equal(x_test, images.reshape(-1, 3, 32, 32).astype(np.float32) / 255)
    assert y_test.tolist() == [i % 10 for i in range(20)]


def test_cifar_channel_last_is_not_transposed(folder):
    """The seed's loader swapped axes 1 and 3, and so height and width with them."""
    write_cifar(folder)
    first = data.cifar_for_library(channel_first=True)[0]
    last = data.cifar_for_library(channel_first=False)[0]
    assert last.flags["C_CONTIGUOUS"]
    assert last[3, 5, 7, 1] == first[3, 1, 5, 7]


def test_cifar_one_hot_and_dtype(folder, monkeypatch):
    write_cifar(folder)
    monkeypatch.setattr(params.cnn, "dtype", "float64")
    x_train, _, y_train, _ = data.cifar_for_library(one_hot=True)
    assert x_train.dtype == y_train.dtype == np.float64
    assert y_train.shape == (100, 10)
    assert y_train[13].tolist() == np.eye(10)[3].tolist()


def test_images_of_the_wrong_shape_are_refused_in_one_sentence(folder):
    write_cifar(folder, shape=(20, 3000))
    with pytest.raises(data.DataError, match=r"data_batch_1 holds images of shape \(20, 3000\).* fetch or unpack"):
        data.cifar_for_library()


def test_images_of_the_wrong_type_are_refused(folder):
    write_cifar(folder, dtype=np.float32)
    with pytest.raises(data.DataError, match="float32"):
        data.cifar_for_library()


def test_a_missing_batch_is_named(folder):
    write_cifar(folder)
    (folder / "cifar-10-batches-py" / "test_batch").unlink()
    with pytest.raises(data.DataError, match="test_batch is no CIFAR-10 batch"):
        data.cifar_for_library()


def test_a_batch_cut_short_is_refused(folder):
    write_cifar(folder)
    path = folder / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(data.DataError, match="data_batch_3"):
        data.cifar_for_library()


class Evil:
    def __reduce__(self):
        return print, ("this code must not run",)


def test_a_batch_that_would_run_code_is_refused(folder, capsys):
    write_cifar(folder)
    (folder / "cifar-10-batches-py" / "data_batch_2").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(data.DataError, match="it refers to"):
        data.cifar_for_library()
    assert capsys.readouterr().out == ""


def test_encode_review_shifts_starts_and_pads_behind():
    row = data.encode_review([1, 5, 29996, 29997, 50000])
    assert row[:6].tolist() == [1, 4, 8, 29999, 2, 2]
    assert row.shape == (150,)
    assert not row[6:].any()


def test_encode_review_keeps_the_last_words():
    row = data.encode_review(range(1, 201))
    assert row.tolist() == [rank + 3 for rank in range(51, 201)]


def test_imdb_of_unequal_lengths_is_refused(folder):
    words = np.empty(2, dtype=object)
    words[:] = [[1, 2], [3]]
    np.savez(str(folder / "imdb.npz"), x_train=words, x_test=words, y_train=np.zeros(3), y_test=np.zeros(2))
    with pytest.raises(data.DataError, match="more reviews than labels"):
        data.imdb_for_library()


def test_imdb_that_would_run_code_is_refused(folder, capsys):
    evil = np.array([Evil()], dtype=object)
    np.savez(str(folder / "imdb.npz"), x_train=evil, x_test=evil, y_train=np.zeros(1), y_test=np.zeros(1))
    with pytest.raises(data.DataError, match="it refers to"):
        data.imdb_for_library()
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
        x_train = data.imdb_for_library()[0]
        assert x_train[0, :3].tolist() == [1, 4, 5]


def test_missing_imdb_is_named(folder):
    with pytest.raises(data.DataError, match=r"imdb\.npz is not the IMDB archive"):
        data.imdb_for_library()


def test_the_embedded_sample_serves_where_nothing_was_fetched(monkeypatch):
    monkeypatch.delenv("ROSETTA_DATA", raising=False)
    x_train, x_test, y_train, y_test = data.imdb_for_library()
    assert x_train.shape[1] == 150
    assert len(x_train) == len(y_train) >= 1000
    assert set(y_test) == {0, 1}
    assert x_test.dtype == np.int32


def test_minibatches_visit_every_sample_once_and_drop_the_rest():
    x = np.arange(202)
    np.random.seed(0)
    batches = list(data.minibatches(x, x, 64))
    assert [len(a) for a, _ in batches] == [64, 64, 64]
    seen = np.concatenate([a for a, _ in batches])
    assert len(set(seen)) == 192
    for a, b in batches:
        np.testing.assert_array_equal(a, b)


def test_minibatches_shuffle_afresh_and_by_seed():
    x = np.arange(128)

    def order(seed=None):
        if seed is not None:
            np.random.seed(seed)
        return np.concatenate([a for a, _ in data.minibatches(x, x, 64)]).tolist()

    first, second = order(seed=0), order()
    assert first != second
    assert order(seed=0) == first
    assert order(seed=1) != first


def test_minibatches_in_order_and_reported(monkeypatch):
    sizes = []
    monkeypatch.setattr(data, "on_batch", sizes.append)
    x = np.arange(130)
    assert [a[0] for a, _ in data.minibatches(x, x, 64, shuffle=False)] == [0, 64]
    assert sizes == [64, 64]
