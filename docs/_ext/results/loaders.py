"""`{loaders} NETWORK`: an implementation's training with its own data loader beside that in `train`. From records.

The role {loaders}`NETWORK` says in a sentence how many times as long the loaders took.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

from _ext.core import answers
from _ext.core import store as stores
from _ext.core.directives import OfWorkload
from _ext.core.elements import DASH, cell
from _ext.core.numbers import Role
from _ext.core.texts import text
from _ext.results.pairs import Pair, Way, framework_cell, pairs, ratio_cell, reach, run_cell, tables_by_place
from _ext.snippets.feeds import shares
from rosetta_host.catalog.frameworks import WORKLOADS, nearest
from rosetta_host.records.convert import EAGER_WITH_LOADER
from rosetta_host.records.store import Record

WAYS: list[Way] = [(None, "train_with_loader"), ("train_eager", EAGER_WITH_LOADER)]
UNIT = "shuffled_loader.unit"  # the question of a framework's defaults that tells what its loader shuffles
NONE = "No implementation has trained with its own loader on all of the data yet."


def shuffled(asked: answers.Asked | None) -> str:
    """What an implementation's loader shuffles, where its defaults were asked and the answer still holds."""
    answer = asked.current(UNIT) if asked else None
    return text(answer) if answer else ""


def summary(compared: list[Pair]) -> str:
    """How many times as long the loaders took, in a sentence."""
    ratios = [pair.ratio for pair in compared if pair.ratio]
    return f"With the framework's own loader, an epoch takes {reach(ratios)}." if ratios else NONE


class Loaders(OfWorkload):
    """The sentence, and a line for each implementation, preset and machine."""

    def content_nodes(self) -> list[nodes.Node]:
        compared = pairs(self.store, self.workload, WAYS)
        sentence = summary(compared)
        if not compared:
            return [nodes.paragraph("", sentence, classes=["rosetta-none"])]
        collected = answers.answers(self.config)
        asked = {
            pair.record.implementation: shuffled(collected.asked.get(pair.record.implementation)) for pair in compared
        }
        self.unit = any(asked.values())
        numeric = ["train", "Own loader", "Ratio"]
        titles = ["Framework", "train is fed by", *numeric, *(["Loader shuffles"] if self.unit else [])]

        def line(pair: Pair) -> nodes.row:
            return self.line(pair, asked[pair.record.implementation])

        tables = tables_by_place(compared, self.title, titles, numeric, line)
        return [nodes.paragraph("", "", nodes.strong("", sentence)), *tables]

    def fed_by(self, record: Record) -> str:
        """What `train` of an implementation draws its mini-batches from, by its code as it is."""
        implementation = self.store.implementations.get(record.implementation)
        if implementation is None:
            return DASH
        return "the shared generator" if shares(implementation.example(self.workload)) else "the framework itself"

    def line(self, pair: Pair, unit: str) -> nodes.row:
        cells = [
            framework_cell(self.store, pair.record),
            cell(self.fed_by(pair.record)),
            run_cell(pair.plain),
            run_cell(pair.variant),
            ratio_cell(pair),
            *([cell(unit or DASH)] if self.unit else []),
        ]
        return nodes.row("", *cells)


class InShort(Role):
    """The sentence alone."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        if self.text not in WORKLOADS:
            return self.warn(str(nearest("network", self.text, list(WORKLOADS))))
        sentence = summary(pairs(stores.store(self.config), self.text, WAYS))
        return [nodes.emphasis("", sentence, classes=["rosetta-verdicts"])], []


def setup(app: Sphinx) -> None:
    app.add_directive("loaders", Loaders)
    app.add_role("loaders", InShort())
