"""A committed record that cannot be true is a warning, with which the build ends, and on no page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rosetta_host.records.store import Data, Machine, Record, Times
from workloads.cnn import params

if TYPE_CHECKING:
    from conftest import Site

SAMPLES, TESTED, EPOCH = 50_000, 10_000, 1000.0  # seconds of an epoch


def run(site: Site, **changes: object) -> Record:
    """Record a run whose figures add up, with these changes."""
    steps = SAMPLES // params.batch_size
    fields = {
        "machine": Machine("desk", "The desk", cores=2, matmul_rate=1e11),
        "data": Data("CIFAR-10", "official", 64 * "0", SAMPLES, TESTED),
        "times": Times(epochs=[EPOCH] * params.epochs, train=EPOCH * params.epochs, predict=100.0),
        "epochs": params.epochs,
        "steps": params.epochs * steps,
        "train_rate": steps * params.batch_size / EPOCH,
        "predict_rate": TESTED / 100.0,
        "losses": [2.0 / epoch for epoch in range(1, params.epochs + 1)],
        "accuracy": 0.75,
    }
    return site.record(**{**fields, **changes})


@pytest.fixture
def checked(site: Site) -> Site:
    """The small site, built as the real one is: with the check of its records."""
    conf: Path = site.docs / "conf.py"
    conf.write_text(conf.read_text("utf-8").replace("rosetta_validate = False", ""), "utf-8")
    site.page("index", "Accuracy: {number}`ada.cnn.full.accuracy|.0%`")
    return site


def test_a_forged_record_is_left_out_with_the_reason(checked: Site) -> None:
    run(checked)
    run(checked, accuracy=0.99)
    [warning] = [line for line in checked.build().splitlines() if "refused" in line]
    assert "ada-cnn-20260102T030405.000001Z.json is refused: Its accuracy, 0.99, leaves the band" in warning
    assert "75%" in checked.html("index")
    assert "99%" not in checked.html("index")


def test_the_reader_s_own_records_are_not_refused(checked: Site) -> None:
    run(checked, local=True, accuracy=0.99)
    assert "refused" not in checked.build()
