"""Where the time of an implementation goes until it has trained one epoch: a bar of parts, and a table of seconds."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Any

import altair
from docutils import nodes

from _ext.core import formatting
from _ext.core.elements import DASH, cell, fold, heading, row_header, table
from _ext.results.ceilings import UNKNOWN
from _ext.results.compiled import WAYS, paid, until_paid
from _ext.results.plots import COMPACT, FULL, GOOD, GROUND, INK, MUTED, OPEN, STEP, VISITED, captioned, names, svg
from _ext.results.sweeps import Entry, Sweep

# The parts in the order in which they happen, each with the color of its piece of a bar.
PARTS = {"import": MUTED, "build": VISITED, "compile": OPEN, "steady steps": FULL, "evaluate": GOOD}
CAPTION = (
    "The share of each part in the time to import, build, compile, train one epoch and evaluate; the sum is written at "
    "the end. Compile is what the first steps take beyond steady ones. Evaluation is left out where it was not timed."
)


@dataclass(frozen=True)
class Parts:
    """Seconds of each part; None where it was not measured."""

    entry: Entry
    seconds: dict[str, float | None]

    @classmethod
    def of(cls, sweep: Sweep, entry: Entry) -> Parts:
        steady = entry.ranked.step
        steps = ("import", entry.time("imported")), ("build", entry.time("build"))
        first = entry.median_of(
            lambda turn: turn.first_stretch and turn.first_stretch - (turn.stretch_steps or 0) * steady
        )
        measured = dict(steps) | {
            "compile": None if first is None else max(0.0, first),
            "steady steps": sweep.epoch_steps * steady,
            "evaluate": sweep.evaluation(entry),
        }
        return cls(entry, {part: measured[part] for part in PARTS})

    @property
    def total(self) -> float:
        return sum(seconds for seconds in self.seconds.values() if seconds is not None)

    def pieces(self, name: str) -> list[dict[str, Any]]:
        """The pieces of its bar, which is as long as every other."""
        made: list[dict[str, Any]] = []
        end = 0.0
        for part, seconds in self.seconds.items():
            start, end = end, end + (seconds or 0.0) / self.total
            made.append({"name": name, "part": part, "start": start, "end": end})
        return [{**piece, "total": formatting.seconds(self.total)} for piece in made]


def bars(pieces: list[dict[str, Any]], title: str) -> str:
    """Bars of equal length, cut into their parts, as an SVG element with an accessible name."""
    base = altair.Chart(altair.Data(values=pieces)).encode(y=names())
    scale = altair.Scale(domain=[0, 1])
    colors = altair.Scale(domain=list(PARTS), range=list(PARTS.values()))
    legend = altair.Legend(orient="top", title=None, symbolType="square", columns=3)
    drawn = base.mark_bar(stroke=GROUND, strokeWidth=1, height=13).encode(
        x=altair.X("start:Q", axis=None, scale=scale),
        x2="end:Q",
        color=altair.Color("part:N", scale=colors, sort=list(PARTS), legend=legend),
    )
    totals = base.transform_filter(f"datum.part === '{next(iter(PARTS))}'").mark_text(
        align="left", color=INK, fontSize=13
    )
    totals = totals.encode(x=altair.value(COMPACT + 7), text="total:N")
    return svg(altair.layer(drawn, totals).properties(width=COMPACT, height=altair.Step(STEP)), title, right=60)


def pays_back(sweep: Sweep, entry: Entry) -> str:
    """After how many epochs a compiled case has made up for compiling; a dash for one that has no other way."""
    ways = {compiled: plain for plain, compiled in WAYS}
    variant = entry.ranked.case.variant
    plain = sweep.entry(entry.ranked.case.implementation, ways[variant]) if variant in ways else None
    if plain is None:
        return DASH
    extra = entry.ranked.compile - plain.ranked.compile
    saved = sweep.epoch_steps * (plain.ranked.step - entry.ranked.step)
    return DASH if isnan(extra) else paid(until_paid(extra, saved))


def content(sweep: Sweep, title: str) -> list[nodes.Node]:
    """The bars of the implementations as they are, and the folded table of all cases; nothing where none ran well."""
    parts = [Parts.of(sweep, entry) for entry in sweep.entries if not entry.failed]
    if not parts:
        return []
    plain = [of_case for of_case in parts if of_case.entry.ranked.case.variant is None]
    pieces = [piece for of_case in plain for piece in of_case.pieces(sweep.store.name(of_case.entry.record))]
    name = f"Where the time goes, {title}. The table below holds the seconds."
    drawn = [captioned(bars(pieces, name), CAPTION, compact=True)] if pieces else []
    return [*drawn, fold("Where the time goes, in seconds", _table(sweep, parts, title))]


def _table(sweep: Sweep, parts: list[Parts], title: str) -> nodes.table:
    numeric = [*(part.capitalize() for part in PARTS), "Step, p50", "Step, p95", "Share", "Compiling pays back"]
    body = [_line(sweep, of_case) for of_case in parts]
    caption = f"Seconds until one epoch has been trained and evaluated, {title}"
    return table([heading(["Framework", *numeric], numeric)], body, caption)


def _line(sweep: Sweep, parts: Parts) -> nodes.row:
    entry = parts.entry
    seconds = [DASH if value is None else formatting.seconds(value) for value in parts.seconds.values()]
    share = entry.share
    p50, p95 = entry.median_of(lambda turn: turn.steps_p50), entry.median_of(lambda turn: turn.steps_p95)
    cells = [
        *(cell(text, classes=("numeric",)) for text in seconds),
        *(cell(DASH if step is None else formatting.duration(step), classes=("numeric",)) for step in (p50, p95)),
        cell(share.text if share else UNKNOWN, classes=("numeric",)),
        cell(pays_back(sweep, entry), classes=("numeric",)),
    ]
    return nodes.row("", row_header(formatting.implementation_name(sweep.store, entry.record)), *cells)
