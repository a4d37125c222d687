"""The codes of checks, and the names that the judge gives them."""

import ast
from pathlib import Path

import pytest

from rosetta_host.certificate import certify, judge
from rosetta_host.records import checks
from rosetta_host.records.codes import CheckCode
from rosetta_host.records.store import Check, RecordedCheck


@pytest.mark.parametrize("code", CheckCode)
@pytest.mark.parametrize("subject", [None, "float64"])
def test_every_code_has_a_name_and_every_name_its_code(code, subject):
    subject = "2" if code == CheckCode.DROPOUT_RATE else subject
    assert checks.coded(checks.named(code, subject)) == (code, subject)


def test_every_name_that_the_judge_writes_out_has_a_code():
    folder = Path(judge.__file__).parent
    calls = [node for path in folder.glob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    calls = [node for node in calls if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Check"]
    names = [call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)]
    assert names
    for name in names:
        assert checks.coded(name)


def test_a_check_is_recorded_with_all_that_it_holds():
    check = Check("float64: loss", False, 2e-3, 1e-5, "step 4", "it rounds", {"a": 1.0}, floor=1e-8)
    recorded = RecordedCheck.of(check)
    assert (recorded.code, recorded.subject) == (CheckCode.LOSS, "float64")
    fields = ("name", "ok", "figure", "limit", "where", "reason", "figures", "floor")
    assert all(getattr(recorded, field) == getattr(check, field) for field in fields)
    assert certify.line(recorded) == certify.line(check)


def test_a_check_without_a_code_says_where_to_add_one():
    with pytest.raises(LookupError, match=r"'moonlight' has no code.*checks\.py"):
        RecordedCheck.of(Check("moonlight", True))
