"""Plots as SVG, drawn while the site is built, without a network and without a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import altair
import vl_convert
from docutils import nodes

from _ext.core import formatting
from _ext.core.store import Store
from _ext.results.result_lines import Line, percent

# Stand-ins that the drawing is made with, each replaced by a color of the page's style sheet, so
# that one drawing serves the light and the dark page.
INK, FULL, EMPTY, GROUND = "#010203", "#040506", "#070809", "#0a0b0c"
MUTED, VISITED, OPEN, GOOD = "#0d0e0f", "#101112", "#131415", "#161718"
STYLE = {
    INK: "currentColor",
    FULL: "var(--rosetta-bar)",
    EMPTY: "var(--rosetta-bar-empty)",
    GROUND: "var(--color-background-primary)",
    MUTED: "var(--color-foreground-muted)",
    VISITED: "var(--color-brand-visited)",
    OPEN: "var(--rosetta-open)",
    GOOD: "var(--rosetta-good)",
}
WIDTH, STEP = 320, 22
COMPACT = 240  # the width of a panel whose text can be read when the plot is as narrow as a phone
DOTS, NARROWEST = 150, 0.06  # the dots' width, and the accuracies that it spans at least: noise must look like noise


@dataclass(frozen=True)
class Bar:
    """One line of a plot: its name, the length of its bar in seconds, what is written at the end, whether it is filled.

    accuracy: where its dot lies, a fraction of 1, and what is written beside it.
    """

    name: str
    seconds: float
    label: str
    certified: bool
    accuracy: float | None = None
    score: str = ""


def figure(store: Store, lines: Iterable[Line], name: str, caption: str) -> list[nodes.Node]:
    """The times and accuracies of these lines as a figure; nothing where fewer than two have a time."""
    shown = [_of_line(store, line) for line in lines if line.time]
    if len(shown) < 2:
        return []
    if not all(bar.certified for bar in shown):
        caption += " An empty bar has no valid certificate."
    return [captioned(bars(shown, name), caption)]


def captioned(drawing: str, caption: str, compact: bool = False) -> nodes.figure:
    """A plot with its caption, in a box that scrolls sideways where it must; a compact plot shrinks instead."""
    classes = ["rosetta-plot", *(["is-compact"] if compact else [])]
    drawn = nodes.figure("", nodes.raw("", drawing, format="html"), classes=classes)
    drawn += nodes.caption("", caption)
    return drawn


def _of_line(store: Store, line: Line) -> Bar:
    assert line.time
    return Bar(
        formatting.implementation_name(store, line.record),
        line.time[0],
        formatting.seconds(line.time[0]),
        line.verdict.state in ("certified", "historic"),
        line.accuracy[0] if line.accuracy else None,
        percent(line)(line.accuracy[0]) if line.accuracy else "",
    )


def bars(shown: list[Bar], title: str) -> str:
    """Horizontal bars in the given order and dots beside them, as an SVG element with an accessible name."""
    y = names()
    base = altair.Chart(altair.Data(values=[asdict(bar) for bar in shown]))
    panels = [_panel(base.encode(y=y), "seconds", "label", _bar, altair.Scale(domainMin=0), WIDTH)]
    scores = [bar.accuracy for bar in shown if bar.accuracy is not None]
    if scores:
        middle, half = (min(scores) + max(scores)) / 2, max(max(scores) - min(scores), NARROWEST) / 2
        scale = altair.Scale(domain=[middle - half, middle + half], zero=False)
        panels.append(_panel(base.encode(y=y.axis(None)), "accuracy", "score", _dot, scale, DOTS))
    return svg(altair.hconcat(*panels, spacing=90), title, right=60)


def names() -> altair.Y:
    """A line for each name, in the order of the values."""
    return altair.Y("name:N", sort=None, title=None, axis=altair.Axis(ticks=False, domain=False, labelLimit=320))


def svg(chart: Any, title: str, right: float) -> str:
    """The chart as an SVG element with an accessible name. right: pixels for what is written beyond its panels."""
    chart = chart.properties(padding={"right": right, "left": 24, "top": 4})
    chart = chart.configure(background="transparent", font="sans-serif").configure_view(stroke=None)
    chart = chart.configure_axis(labelFontSize=13, labelColor=INK, labelPadding=8)
    chart = chart.configure_legend(labelFontSize=13, labelColor=INK, labelLimit=0)
    return _styled(_draw(json.dumps(chart.to_dict(), sort_keys=True)), title)


def _panel(base: altair.Chart, value: str, label: str, mark: Any, scale: altair.Scale, width: int) -> Any:
    """A mark for each line, and what is written at its end."""
    placed = base.encode(x=altair.X(f"{value}:Q", axis=None, scale=scale))
    text = placed.mark_text(align="left", dx=7, color=INK, fontSize=13).encode(text=f"{label}:N")
    return (mark(placed) + text).properties(width=width, height=altair.Step(STEP))


def _bar(base: altair.Chart) -> altair.Chart:
    return base.mark_bar(stroke=FULL, strokeWidth=1.5, height=13).encode(color=_fill())


def _dot(base: altair.Chart) -> altair.Chart:
    return base.mark_circle(stroke=FULL, strokeWidth=1.5, size=45, opacity=1).encode(color=_fill())


def _fill() -> Any:
    return altair.condition("datum.certified", altair.value(FULL), altair.value(EMPTY))


@cache
def _draw(specification: str) -> str:
    return vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])


def _styled(drawing: str, title: str) -> str:
    """The page's colors and font; a name for those who do not see it."""
    for stand_in, color in STYLE.items():
        drawing = drawing.replace(stand_in, color)
    drawing = re.sub(r'font-family="[^"]*"', 'font-family="inherit"', drawing)
    drawing = re.sub(r' aria-\w+="[^"]*"| role="[^"]*"', "", drawing)
    name = title.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return drawing.replace("<svg", f'<svg role="img" aria-label="{name}"', 1)
