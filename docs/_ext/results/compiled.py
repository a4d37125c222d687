"""`{compiled}`: training as the framework compiles it, beside the same step by step. From records."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

from _ext.core import formatting
from _ext.core.directives import OfWorkloads
from _ext.core.elements import DASH, aside, cell
from _ext.results.pairs import Pair, Way, framework_cell, pairs, ratio_cell, reach, run_cell, tables_by_place
from _ext.results.result_lines import Line

COMPILED = "train_compiled"
WAYS: list[Way] = [(None, COMPILED), ("train_eager", None)]  # step by step and compiled: an example has one of the two
NONE = "No implementation has trained compiled on all of the data yet."
NEITHER = "No implementation has run both ways yet."


def compiling(line: Line | None) -> float | None:
    """Seconds in which a way of training builds and compiles."""
    return line.compile[0] if line and line.compile else None


def epochs_until_paid(pair: Pair) -> float | None:
    """How many epochs make up for a longer compilation: infinity where no epoch is faster; None where unknown."""
    plain, compiled = compiling(pair.plain), compiling(pair.variant)
    if pair.times is None or plain is None or compiled is None:
        return None
    extra = compiled - plain
    return until_paid(extra, (pair.times[0] - pair.times[1]) / (pair.record.epochs or 1))


def until_paid(extra: float, saved: float) -> float:
    """How many epochs make up for so many seconds at the start, if each saves so many: infinity where none does."""
    return max(extra, 0.0) / saved if saved > 0 else float("inf")


def paid(number: float | None) -> str:
    """When compiling pays back, in words."""
    if number is None:
        return DASH
    if number == 0:
        return "at once"
    if number == float("inf"):
        return "never"
    if number <= 1:
        return "in the first epoch"
    return f"after {number:.2g} epochs" if number < 10 else f"after {number:,.0f} epochs"


class Compiled(OfWorkloads):
    """How many times as long compiled training takes, in a sentence, and a table for each machine and preset."""

    def content_nodes(self) -> list[nodes.Node]:
        compared = pairs(self.store, self.workload, WAYS)
        if not compared:
            return [nodes.paragraph("", NONE, classes=["rosetta-none"])]
        ratios = [pair.ratio for pair in compared if pair.ratio]
        text = f"A compiled epoch takes {reach(ratios)}." if ratios else NEITHER
        numeric = ["Step by step", "Compiled", "Ratio", "Compile", "Pays back"]
        summary = nodes.strong("", text)
        tables = tables_by_place(compared, self.title, ["Framework", *numeric], numeric, self.line)
        return [nodes.paragraph("", "", summary), *tables]

    def line(self, pair: Pair) -> nodes.row:
        plain, compiled, number = compiling(pair.plain), compiling(pair.variant), epochs_until_paid(pair)
        before = [aside(f"{formatting.seconds(plain)} without")] if plain is not None else []
        cells = [
            framework_cell(self.store, pair.record),
            run_cell(pair.plain),
            run_cell(pair.variant),
            ratio_cell(pair),
            cell(formatting.seconds(compiled) if compiled is not None else DASH, *before, classes=("numeric",)),
            cell(paid(number), classes=("numeric",)),
        ]
        return nodes.row("", *cells)


def setup(app: Sphinx) -> None:
    app.add_directive("compiled", Compiled)
