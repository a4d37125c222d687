"""`{loaders} cnn`: a row's training with its own data loader beside that with the shared generator. From records.

The role {loaders}`cnn` says in a sentence how many times as long the loaders took.
"""

from __future__ import annotations

from dataclasses import dataclass

from docutils import nodes
from sphinx.application import Sphinx

from rosetta_common.host.catalogue import WORKLOADS, nearest
from rosetta_common.host.records import Record

from . import store as stores
from . import words
from .elements import aside, cell, datum, row_header, table
from .lines import Line, lines, percent
from .links import link
from .numbers import _Role
from .results import DASH, _Workload

VARIANT = "train_with_loader"
LANES = ("full", "epoch")  # over all of the data, the longer first
UNIT = "shuffled_loader.unit"  # the question of a framework's defaults that tells what its loader shuffles
NONE = "No row has trained with its own loader on all of the data yet."


@dataclass(frozen=True)
class Pair:
    """The two ways of one row, on one machine and device and in one lane."""

    loader: Line
    shared: Line | None

    @property
    def record(self) -> Record:
        return self.loader.record

    @property
    def ratio(self) -> float | None:
        """How many times as long the loader's way took."""
        if not self.shared or not self.shared.time or not self.loader.time:
            return None
        return self.loader.time[0] / self.shared.time[0]


def pairs(store: stores.Store, workload: str) -> list[Pair]:
    """Every row that trained with its own loader on all of the data, by name."""
    groups: dict[tuple[str, ...], list[Record]] = {}
    for run in store.of(kind="benchmark", workload=workload, historic=False):
        if run.lane in LANES and run.variant in (None, VARIANT) and not store.is_local(run):
            groups.setdefault((run.row, run.lane, run.machine.id, run.device or "cpu"), []).append(run)
    found = []
    for runs in groups.values():
        by_variant = {line.record.variant: line for line in lines(store, runs)}
        if VARIANT in by_variant:
            found.append(Pair(by_variant[VARIANT], by_variant.get(None)))
    return sorted(found, key=lambda pair: (store.name(pair.record).lower(), LANES.index(pair.record.lane or "")))


def shuffled(store: stores.Store, row: str) -> str:
    """What the row's loader shuffles, where its defaults were asked."""
    answers = [run.answers[UNIT] for run in store.of(kind="defaults", row=row) if UNIT in run.answers]
    return answers[-1].words if answers else ""


def summary(found: list[Pair]) -> str:
    """How many times as long the loaders took, in a sentence."""
    ratios = [pair.ratio for pair in found if pair.ratio]
    if not ratios:
        return NONE
    runs = "1 run" if len(ratios) == 1 else f"{len(ratios)} runs"
    reach = " to ".join(dict.fromkeys(words.ratio(ratio) for ratio in (min(ratios), max(ratios))))
    return f"With its own loader an epoch takes {reach} the time, in {runs}."


class Loaders(_Workload):
    """The sentence, and a line for each row, lane and machine."""

    def content_nodes(self) -> list[nodes.Node]:
        found = pairs(self.store, self.workload)
        text = summary(found)
        if not found:
            return [nodes.paragraph("", text, classes=["rosetta-none"])]
        asked = {pair.record.row: shuffled(self.store, pair.record.row) for pair in found}
        self.unit = any(asked.values())
        numeric = ["The shared generator", "Its own loader", "Ratio"]
        titles = ["Framework", *numeric, *(["It shuffles"] if self.unit else []), "Machine"]
        head = nodes.row("", *(cell(title, classes=("numeric",) if title in numeric else ()) for title in titles))
        body = [self.line(pair, asked[pair.record.row]) for pair in found]
        title = f"{self.workload.upper()}: training time, and below it the accuracy, fed in two ways"
        return [nodes.paragraph("", "", nodes.strong("", text)), table([head], body, title, ("rosetta-lesson",))]

    def line(self, pair: Pair, unit: str) -> nodes.row:
        record, ratio = pair.record, pair.ratio
        cells = [
            row_header(self.store.name(record), aside(f"{record.version or ''} · lane {record.lane}".strip(" ·"))),
            self.run_cell(pair.shared),
            self.run_cell(pair.loader),
            cell(datum(words.ratio(ratio), ratio) if ratio else DASH, classes=("numeric",)),
            *([cell(unit or DASH)] if self.unit else []),
            cell(record.machine.name, *([aside("on its GPU")] if record.device == "gpu" else [])),
        ]
        return nodes.row("", *cells)

    @staticmethod
    def run_cell(line: Line | None) -> nodes.entry:
        """Time and accuracy of one way, or why there are none."""
        if line is None:
            return cell("not run yet", classes=("numeric",))
        if line.failed or not line.time:
            return cell(link(line.record, line.record.status), classes=("numeric", "failed"))
        accuracy = percent(line)(line.accuracy[0]) if line.accuracy else ""
        lacking = [] if line.certified else [aside(line.verdict.mark)]
        return cell(link(line.record, words.seconds(line.time[0])), aside(accuracy), *lacking, classes=("numeric",))


class InShort(_Role):
    """The sentence alone."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        stores.note(self.env)
        if self.text not in WORKLOADS:
            return self.warn(str(nearest("network", self.text, list(WORKLOADS))))
        text = summary(pairs(stores.store(self.config), self.text))
        return [nodes.emphasis("", text, classes=["rosetta-verdicts"])], []


def setup(app: Sphinx) -> None:
    app.add_directive("loaders", Loaders)
    app.add_role("loaders", InShort())
