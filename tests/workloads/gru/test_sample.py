"""The embedded sample is what its README says."""

import hashlib
import re

import numpy as np
import pytest

from rosetta_host.catalog import workloads
from workloads.gru import read

NAME = "gru"
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


def test_reviews():
    x_train, x_test, y_train, y_test = read()
    for x, y, count in ((x_train, y_train, 1280), (x_test, y_test, 320)):
        assert (x.shape, x.dtype) == ((count,), object)
        assert (y.shape, y.dtype) == ((count,), np.int64)
        np.testing.assert_array_equal(np.bincount(y), np.full(2, count // 2))
        assert all(type(review) is list and type(rank) is int and rank > 0 for review in x for rank in review[:1])
    assert max(max(review) for review in x_train) > 80000  # not cut off at the vocabulary
    lengths = [len(review) for review in x_train[:320]]
    assert min(lengths) < 149 < max(lengths)  # padded ones and cut ones among those of the certificate
