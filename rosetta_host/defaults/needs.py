"""What a workload needs of a framework's defaults: the terms of `workloads/<name>/defaults.py`."""

from __future__ import annotations

import msgspec

from rosetta_host.catalog import workloads
from rosetta_host.records.codes import Code, Rule
from rosetta_host.records.store import Statement

MOST = None  # where the workload works with any answer: that of most frameworks
Need = Code | Statement | tuple[Code, ...] | None
Needs = dict[str, Need]  # question.facet -> the answer that is needed, or those that serve alike, or MOST

GLOROT = Statement(Code.UNIFORM, items=(Rule.GLOROT,))
# What every network needs of a dense layer's initial weights, and of the loss.
DENSE: Needs = {"dense.weights": GLOROT, "dense.bias": Code.ZEROS}
LOSS: Needs = {"cross_entropy.soft_max": Code.IN_LOSS, "cross_entropy.reduction": Code.MEAN}


class WorkloadDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """What matters to a workload of a framework's defaults.

    needs: function of the examples -> what it needs. A line under its snippet names the defaults that differ. idioms:
    the question.facets that change what a translation has to write, in the order of the table "What maps to what".
    """

    needs: dict[str, Needs]
    idioms: tuple[str, ...] = ()


def of(workload: str) -> WorkloadDefaults:
    """What matters to this workload."""
    defaults: WorkloadDefaults = workloads.module(workload, "defaults").defaults
    return defaults


def number(value: float) -> Statement:
    """The answer that is this number."""
    return Statement(Code.NUMBER, value)


def statements(need: Code | Statement | tuple[Code, ...]) -> tuple[Statement, ...]:
    """The statements that serve a need; a code alone is a statement without values."""
    if isinstance(need, Statement):
        return (need,)
    return tuple(map(Statement, (need,) if isinstance(need, Code) else need))
