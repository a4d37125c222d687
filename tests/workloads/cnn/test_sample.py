"""The embedded sample is what its README says, and its first images are free of ties."""

import hashlib
import re

import numpy as np
import pytest

from rosetta_common import weights
from rosetta_host.catalog import workloads
from workloads.cnn import read
from workloads.cnn.oracle import ties

NAME = "cnn"
SAMPLE = workloads.sample(NAME)


@pytest.fixture(autouse=True)
def embedded(monkeypatch):
    monkeypatch.delenv("ROSETTA_DATA", raising=False)


def test_files_are_those_of_the_readme():
    rows = re.findall(
        r"^\| `(\S+)` \| ([\d,]+) \| `([0-9a-f]{64})` \|$", (SAMPLE / "README.md").read_text("utf-8"), re.M
    )
    files = {path.relative_to(SAMPLE).as_posix(): path.read_bytes() for path in SAMPLE.rglob("*") if path.is_file()}
    del files["README.md"]
    found = [(name, f"{len(content):,}", hashlib.sha256(content).hexdigest()) for name, content in files.items()]
    assert sorted(rows) == sorted(found)


def test_images():
    x_train, x_test, y_train, y_test = read()
    for x, y, count in ((x_train, y_train, 1280), (x_test, y_test, 320)):
        assert (x.shape, x.dtype) == ((count, 3, 32, 32), np.uint8)
        assert (y.shape, y.dtype) == ((count,), np.int64)
        np.testing.assert_array_equal(np.bincount(y), np.full(10, count // 10))
        assert len(np.unique(x.reshape(count, -1), axis=0)) == count


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_certificates_images_have_no_tie(dtype):
    x_train, x_test, _, _ = read()
    for x in (x_train[:320], x_test[:100]):
        assert not ties(weights.canonical(NAME), x.astype(dtype) / dtype(255)).any()


def test_images_with_a_tie_come_last():
    x_train, x_test, _, _ = read()
    for x, count in ((x_train[-60:], 52), (x_test[-20:], 10)):
        tied = ties(weights.canonical(NAME), x / 255.0)
        np.testing.assert_array_equal(tied, np.arange(len(x)) >= len(x) - count)
