"""Records of older schemas are read as records of the current one."""

import json

import pytest

from rosetta_host.catalog.frameworks import UserError
from rosetta_host.records import store
from rosetta_host.records.codes import CheckCode, Code, Coverage, Rule
from rosetta_host.records.store import Answer, Executed, RecordedCheck, Statement


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
    assert record.checks == [RecordedCheck(CheckCode.DROPOUT_OFF, True)]
    record = as_read(tmp_path, schema=1, preset=None, lane="quick")
    assert record.preset == "quick"


@pytest.mark.parametrize("kind", ["certificate", "lesson"])
def test_the_name_of_a_check_is_read_as_its_code(tmp_path, kind):
    content = [{"name": "float64: step median", "ok": True}, {"name": "dropout: rate at place 3", "ok": False}]
    record = as_read(tmp_path, kind=kind, checks=content)
    assert record.checks == [
        RecordedCheck(CheckCode.STEP_MEDIAN, True, subject="float64"),
        RecordedCheck(CheckCode.DROPOUT_RATE, False, subject="3"),
    ]


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


@pytest.mark.parametrize(
    ("state", "executed"),
    [
        ("every line", Executed(Coverage.EVERY_LINE)),
        ("8 of 12 lines", Executed(Coverage.SOME_LINES, (8, 12))),
        ("called", Executed(Coverage.CALLED)),
        ("compiled from its source", Executed(Coverage.COMPILED)),
        ("not executed", Executed(Coverage.NOT_RUN)),
    ],
)
def test_the_coverage_of_a_function_is_read_as_its_code(tmp_path, state, executed):
    assert as_read(tmp_path, kind="certificate", executed={"train": state}).executed == {"train": executed}


GLOROT = Statement(Code.UNIFORM, items=(Rule.GLOROT,))


@pytest.mark.parametrize(
    ("words", "statement"),
    [
        ("what is kept counts double", Statement(Code.KEPT_DOUBLED)),
        ("1e-08", Statement(Code.NUMBER, 1e-8)),
        ("-1", Statement(Code.NUMBER, -1)),
        ("3 × 1", Statement(Code.KERNEL, items=("3", "1"))),
        ("float64 comes out", Statement(Code.DTYPE, items=("float64",))),
        ("class numbers, int64; a column of them", Statement(Code.LABELS, items=("int64", "column"))),
        ("the mean or the sum", Statement(Code.EITHER, parts=(Statement(Code.MEAN), Statement(Code.SUM)))),
        ("uniform, ± 0.05", Statement(Code.UNIFORM, 0.05)),
        ("truncated normal, σ = 0.125", Statement(Code.TRUNCATED_NORMAL, 0.125)),
        ("uniform, ± √(1 / fan in), or ± √(1 / fan out)", Statement(Code.UNIFORM, items=(Rule.FAN_IN, Rule.FAN_OUT))),
        ("uniform, Glorot's, ± √(6 / (fan in + fan out))", GLOROT),
        (
            "uniform, Glorot's, ± √(6 / (fan in + fan out)), all gates as one matrix",
            Statement(Code.ALL_GATES_AS_ONE_MATRIX, parts=(GLOROT,)),
        ),
        (
            "gates: uniform, Glorot's, ± √(6 / (fan in + fan out)); new state: zeros",
            Statement(Code.GATES_AND_NEW_STATE, parts=(GLOROT, Statement(Code.ZEROS))),
        ),
    ],
    ids=str,
)
def test_an_answer_in_words_is_read_as_a_statement(tmp_path, words, statement):
    answers = {"adam.epsilon": {"words": words, "figures": {"measured": 1.0}}}
    record = as_read(tmp_path, kind="defaults", workload="defaults", answers=answers)
    [answer] = record.answers.values()
    assert answer == Answer(statement.code, statement.value, statement.items, statement.parts, {"measured": 1.0})
    assert answer.statement == statement


def test_words_that_were_never_an_answer_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"old\.json is not a record"):
        as_read(tmp_path, kind="defaults", answers={"adam.epsilon": {"words": "a pinch"}})


def test_a_statement_is_short_on_a_terminal():
    assert str(Statement(Code.NUMBER, 1e-8)) == "1e-08"
    assert str(Statement(Code.SAME_SIZE)) == "same_size"
    assert str(Statement(Code.ALL_GATES_AS_ONE_MATRIX, parts=(GLOROT,))) == "all_gates_as_one_matrix (uniform glorot)"
