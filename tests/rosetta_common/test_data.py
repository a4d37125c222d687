"""Where data lies, and mini-batches."""

import numpy as np
import pytest

from rosetta_common import data


def test_data_lies_in_the_named_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("ROSETTA_DATA", str(tmp_path))
    assert data.located("some.npz") == str(tmp_path / "some.npz")


def test_without_a_folder_a_workloads_sample_serves(monkeypatch, tmp_path):
    monkeypatch.delenv("ROSETTA_DATA", raising=False)
    monkeypatch.setattr(data, "WORKLOADS", str(tmp_path))
    (tmp_path / "alpha" / "sample").mkdir(parents=True)
    path = tmp_path / "alpha" / "sample" / "some.npz"
    path.write_bytes(b"")
    assert data.located("some.npz") == str(path)
    with pytest.raises(data.DataError, match=r"no workload has a sample of other\.npz"):
        data.located("other.npz")


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
