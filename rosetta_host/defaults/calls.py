"""What the host asks of a defaults.py, what comes back, and what every inference needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rosetta_host.records.codes import Code
from rosetta_host.records.store import Answer

Arrays = dict[str, np.ndarray]
Judged = Iterator[tuple[str, Answer]]  # facet, answer

RATE = 0.0123  # no framework's default, so that a default is told from what was given
CLOSE = 1e-4  # of results of order one in float32; wrong candidates are off by far more


@dataclass(frozen=True)
class Call:
    """One call of a function of defaults.py: plain arguments, or arrays by their names in `given`.

    explicit: the line of explicit.toml as which the function makes one of its calls; None for its own.
    """

    name: str
    question: str
    arguments: tuple[Any, ...]
    explicit: str | None = None


@dataclass(frozen=True)
class Result:
    """The result of a call: the arrays that it returned, or the message with which the framework refused."""

    arrays: Arrays
    refusal: str | None = None


def array(name: str) -> dict[str, str]:
    """An argument that is an array of `given`, as the runner reads it."""
    return {"array": name}


def unknown(reason: str, **figures: float) -> Answer:
    return Answer(Code.UNKNOWN, figures=dict(figures), reason=reason)


def number(value: float, digits: int, **figures: float) -> Answer:
    """A number, rounded to what the next measurement would give as well."""
    return Answer(Code.NUMBER, float(f"{value:.{digits}g}"), figures=dict(figures))


def close(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=CLOSE, atol=CLOSE))


def sigmoid(z: np.ndarray) -> np.ndarray:
    return (1 + np.tanh(z / 2)) / 2  # 1 / (1 + exp(-z)) overflows
