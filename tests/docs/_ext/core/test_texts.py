"""Every code has a text for readers."""

from __future__ import annotations

import pytest

from _ext.core import texts
from _ext.core.texts import executed_text, text
from rosetta_host.records.codes import Code, Coverage, Rule
from rosetta_host.records.store import Executed, Statement

GLOROT = Statement(Code.UNIFORM, items=(Rule.GLOROT,))


def test_every_code_has_a_text() -> None:
    assert set(texts.TEXTS) == set(Code)
    assert set(texts.COVERAGE) == set(Coverage)
    assert set(texts.BOUNDS) == set(Rule)
    assert set(texts.DEVIATIONS) <= set(Rule)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (Statement(Code.NUMBER, 1e-8), "1e-08"),
        (Statement(Code.NUMBER, 0.999), "0.999"),
        (Statement(Code.KERNEL, items=("3", "1")), "3 × 1"),
        (Statement(Code.DTYPE, items=("float32",)), "float32 comes out"),
        (Statement(Code.LABELS, items=("int32", "one_hot")), "class indices, int32; one-hot rows"),
        (Statement(Code.EITHER, parts=(Statement(Code.MEAN), Statement(Code.SUM))), "the mean or the sum"),
        (Statement(Code.CONSTANT, 1), "all 1"),
        (Statement(Code.UNIFORM, 0.05), "uniform, ± 0.05"),
        (Statement(Code.NORMAL, 0.125), "normal, σ = 0.125"),
        (Statement(Code.NORMAL, items=(Rule.HE,)), "normal, He's, σ = √(2 / fan in)"),
        (Statement(Code.UNIFORM, items=(Rule.FAN_IN, Rule.FAN_OUT)), "uniform, ± √(1 / fan in), or ± √(1 / fan out)"),
        (
            Statement(Code.GATES_AND_NEW_STATE, parts=(GLOROT, Statement(Code.ZEROS))),
            "gates: uniform, Glorot's, ± √(6 / (fan in + fan out)); new gate: zeros",
        ),
    ],
    ids=str,
)
def test_a_statement_in_words(statement: Statement, expected: str) -> None:
    assert text(statement) == expected


def test_the_coverage_of_a_function_in_words() -> None:
    assert executed_text(Executed(Coverage.SOME_LINES, (8, 12))) == "8 of 12 lines"
    assert executed_text(Executed(Coverage.COMPILED)) == "compiled from its source"
