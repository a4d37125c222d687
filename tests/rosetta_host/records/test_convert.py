"""Records of older schemas are read as records of today's."""

import json

import pytest

from rosetta_host.records import store
from rosetta_host.records.store import Check


def as_read(tmp_path, **content):
    """What a file of an older schema is read as, where alpha's first network compiles since schema 2."""
    common = {
        "schema": 2,
        "kind": "benchmark",
        "status": "ok",
        "framework": "alpha",
        "workload": "cnn",
        "created": "20260101T000000.000000Z",
        "machine": {"id": "box", "name": "Box"},
        "device": "cpu",
        "preset": "full",
    }
    path = tmp_path / "old.json"
    path.write_text(json.dumps({**common, **content}), "utf-8")
    return store.read(path, {("alpha", "cnn"): 2})


def test_the_names_of_schema_1(tmp_path):
    checks = [{"name": "drop-out: off in prediction", "ok": True}]
    record = as_read(tmp_path, schema=1, kind="parity", checks=checks)
    assert (record.kind, record.schema) == ("certificate", store.SCHEMA)
    assert record.checks == [Check("dropout: off in prediction", True)]
    record = as_read(tmp_path, schema=1, preset=None, lane="quick")
    assert record.preset == "quick"


@pytest.mark.parametrize("kind", ["benchmark", "certificate", "lesson"])
@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, "train_eager"),
        ("train_compiled", None),
        ("train_with_loader", "train_eager_with_loader"),
        ("train_by_mail", "train_by_mail"),
    ],
)
def test_a_record_from_before_train_was_compiled_is_read_as_what_it_trained(tmp_path, kind, before, now):
    record = as_read(tmp_path, kind=kind, schema=1, variant=before)
    assert (record.variant, record.schema) == (now, store.SCHEMA)


@pytest.mark.parametrize(
    "content",
    [
        {"schema": 2},
        {"schema": 1, "workload": "gru"},
        {"schema": 1, "framework": "beta"},
        {"schema": 1, "kind": "transfer", "seed": 0},
        {"schema": 1, "historic": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("variant", [None, "train_compiled"])
def test_what_did_not_become_compiled_keeps_its_variant(tmp_path, content, variant):
    assert as_read(tmp_path, variant=variant, **content).variant == variant


@pytest.mark.parametrize(
    ("content", "measure"),
    [
        ({"preset": None}, "size"),
        ({"preset": None, "pairs": [[1, 2]]}, "time"),
        ({"preset": None, "data": {"name": "A", "source": "official"}, "status": "failed"}, "time"),
        ({"preset": "epoch", "data": {"name": "A", "source": "official"}}, "accuracy"),
    ],
    ids=["size", "time", "time that failed", "accuracy"],
)
def test_a_lesson_says_what_it_measures(tmp_path, content, measure):
    assert as_read(tmp_path, kind="lesson", **content).measure == measure


@pytest.mark.parametrize(
    ("kind", "name", "value"), [("certificate", "checks", []), ("transfer", "checks", []), ("defaults", "answers", {})]
)
def test_a_run_that_was_cut_short_has_no_results(tmp_path, kind, name, value):
    assert getattr(as_read(tmp_path, kind=kind, seed=0, status="interrupted"), name) == value
