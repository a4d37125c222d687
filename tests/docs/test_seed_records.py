"""The seed's tables are records, and hold what the seed wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from rosetta_host.records import store
from rosetta_host.records.store import Record

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "records" / "benchmark" / "seed-k80"

# Quoted from the seed document: label, test accuracy in percent, training time in seconds; then our id.
CNN = """
Caffe2 79 149 caffe2
MXNet 77 149 mxnet_module
Gluon 77 157 mxnet_gluon
CNTK 78 166 cntk
PyTorch 78 168 pytorch
Tensorflow 78 173 tensorflow
Keras(CNTK) 78 200 keras2-cntk
Chainer 79 240 chainer
Keras(TF) 77 252 keras-tensorflow
Lasagne(Theano) 77 253 lasagne
Keras(Theano) 78 269 keras2-theano
"""
GENERATORS = """
MXNet w/Generator 77 147 mxnet_module
CNTK w/Generator 77 153 cntk
"""
GRU = """
Keras(CNTK) 86 223 keras2-cntk
Tensorflow 86 79 tensorflow
Pytorch 87 36 pytorch
MXNet 88 12 mxnet_module
"""


def quoted(table: str, workload: str, variant: str | None) -> set[tuple]:
    rows = [line.rsplit(" ", 3) for line in table.strip().splitlines()]
    return {(workload, variant, label, int(accuracy), float(time), row) for label, accuracy, time, row in rows}


@pytest.fixture(scope="module")
def seed() -> list[Record]:
    return [store.read(path) for path in sorted(FOLDER.glob("*.json"))]


def test_every_row_and_no_other(seed: list[Record]) -> None:
    expected = quoted(CNN, "cnn", None) | quoted(GENERATORS, "cnn", "train_with_loader") | quoted(GRU, "gru", None)
    found = [
        (
            record.workload,
            record.variant,
            record.name,
            round(100 * record.accuracy),
            record.times.train,
            record.implementation,
        )
        for record in seed
    ]
    assert len(found) == 17
    assert set(found) == expected


def test_they_are_marked_as_what_they_are(seed: list[Record]) -> None:
    for record in seed:
        assert record.historic
        assert record.machine.id == "seed-k80"
        assert (record.kind, record.status, record.preset, record.device) == ("benchmark", "ok", "full", "gpu")
        assert "DeepLearningFrameworks" in record.source
        assert not record.digests
        assert record.version is None
