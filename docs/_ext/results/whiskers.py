"""A dot and its interval for each implementation of a sweep: the time of a step relative to the reference."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import altair

from _ext.results.plots import COMPACT, EMPTY, FULL, INK, STEP, names, svg

# Ticks of a logarithmic axis within a power of ten; the second where the first are too few.
COARSE, FINE = (1, 2, 5), (1, 1.1, 1.2, 1.3, 1.5, 1.7, 2, 2.5, 3, 4, 5, 7, 9)
LEAST_TICKS = 3
MARGIN = 1.03  # by which the axis goes beyond the intervals


@dataclass(frozen=True)
class Whisker:
    """One dot: the line that it stands on, its ratio with the bounds of the interval, and how it is drawn.

    tuned: a diamond in place of a dot. current: filled. letters: written at the end of the line.
    """

    name: str
    ratio: float
    low: float
    high: float
    tuned: bool
    current: bool
    letters: str = ""


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between two bounds, for a logarithmic axis."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in (COARSE, FINE):
        shown = [digit * 10**power for power in powers for digit in digits if low <= digit * 10**power <= high]
        if len(shown) >= LEAST_TICKS:
            break
    return shown


def whiskers(dots: Iterable[Whisker], title: str) -> str:
    """The dots in the given order on a logarithmic axis, as an SVG element with an accessible name."""
    values = [asdict(dot) for dot in dots]
    low, high = min(dot["low"] for dot in values) / MARGIN, max(dot["high"] for dot in values) * MARGIN
    label = "format(datum.value, '~r') + '×'"
    grid: dict[str, Any] = {"gridColor": INK, "gridOpacity": 0.15, "domain": False, "ticks": False}
    axis = altair.Axis(values=ticks(low, high), labelExpr=label, orient="top", title=None, **grid)
    scale = altair.Scale(type="log", domain=[low, high], nice=False)
    base = altair.Chart(altair.Data(values=values)).encode(y=names())
    placed = base.encode(x=altair.X("ratio:Q", axis=axis, scale=scale))
    intervals = placed.mark_rule(color=FULL, strokeWidth=2).encode(
        x=altair.X("low:Q", axis=axis, scale=scale), x2="high:Q"
    )
    letters = base.transform_filter("!datum.tuned").mark_text(align="left", color=INK, fontSize=13)
    letters = letters.encode(x=altair.value(COMPACT + 8), text="letters:N")
    chart = altair.layer(_one(), intervals, _dots(placed), letters)
    widest = max(len(dot["letters"]) for dot in values)
    return svg(chart.properties(width=COMPACT, height=altair.Step(STEP)), title, right=16 + 8 * widest)


def _one() -> altair.Chart:
    """The line of the reference."""
    data = altair.Data(values=[{"one": 1}])
    return altair.Chart(data).mark_rule(color=INK, strokeDash=[3, 3], opacity=0.6).encode(x="one:Q")


def _dots(placed: altair.Chart) -> Any:
    marks = placed.mark_point(stroke=FULL, strokeWidth=1.5, size=55, opacity=1)
    return marks.encode(
        shape=altair.condition("datum.tuned", altair.value("diamond"), altair.value("circle")),
        fill=altair.condition("datum.current", altair.value(FULL), altair.value(EMPTY)),
    )
