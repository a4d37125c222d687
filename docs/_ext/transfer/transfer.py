"""`{transfer} NETWORK`: who can take whose weights, a cell for each ordered pair. `{layouts} NETWORK`: in which layout.

Both are drawn from the records of `nox -s transfer`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

from _ext.core import formatting, newest
from _ext.core import store as stores
from _ext.core.elements import DASH, cell, heading, row_header, table
from rosetta_common import weights
from rosetta_host.catalog.frameworks import WORKLOADS, Implementation, nearest
from rosetta_host.environments.digests import example_digest
from rosetta_host.records.store import Check, TransferRecord

AS_IT_IS = "as it is"  # what rosetta_host/transfer/layouts.py calls a tensor that nothing is done to
State = Literal["moved", "by design", "failed", "not run"]
COUNTED: dict[State, str] = {
    "by design": "cannot be represented in the form of the receiver, by design",
    "failed": "failed",
    "not run": "have not been tried",
}
COMMAND = "nox -s transfer"
CUT_SHORT = ("interrupted", "unsupported")  # such a run says nothing of the weights


@dataclass(frozen=True)
class Cell:
    """One ordered pair: the taker's newest record that speaks of it, and what it says."""

    record: TransferRecord | None = None
    check: Check | None = None
    edited: bool = False

    @property
    def state(self) -> State:
        if self.record is None:
            return "not run"
        if self.check is None or not (self.check.ok or self.check.by_design):
            return "failed"
        return "moved" if self.check.ok else "by design"

    @property
    def why(self) -> str:
        """Why nothing was moved, in words."""
        if self.check is not None:
            return self.check.reason or ""
        return f"{self.record.status}: {self.record.reason}" if self.record else ""

    @property
    def text(self) -> str:
        words = {
            "moved": f"✓ {figure(self.check.figure if self.check else None)}",
            "by design": "✗ form",
            "failed": "✗ failed",
            "not run": "not run",
        }[self.state]
        return words + (" edited since" if self.edited else "")


def figure(value: float | None) -> str:
    """A small number in one digit, as 2e-7; what is no number is said to be none."""
    if value is None:
        return "not a number"
    digit, _, power = f"{value:.0e}".partition("e")
    return f"{digit}e{int(power)}" if value else "0"


class Matrix:
    """Every ordered pair of a workload's implementations: the newest record of a pair, by `newest.rank`, decides."""

    def __init__(self, store: stores.Store, workload: str) -> None:
        self.store, self.workload = store, workload
        self.implementations = [
            implementation for implementation in store.implementations.values() if workload in implementation.workloads
        ]
        self.digests = {
            implementation.id: example_digest(implementation.example(workload))
            for implementation in self.implementations
        }
        self.cells: dict[tuple[str, str], Cell] = {}
        self.newest: dict[str, TransferRecord] = {}
        for record in sorted(store.of_kind(TransferRecord, workload=workload), key=newest.rank):
            if record.implementation in self.digests and record.status not in CUT_SHORT:
                self.newest[record.implementation] = record
                self.cells.update(self.cells_of(record))

    def cells_of(self, record: TransferRecord) -> Iterator[tuple[tuple[str, str], Cell]]:
        """The pairs that a record speaks of. Where a run failed before it took anything, that is every one of them."""
        for check in record.checks:
            yield (check.name, record.implementation), Cell(record, check, self.edited(record, check.name))
        if not record.checks:
            others = [
                implementation.id
                for implementation in self.implementations
                if implementation.id != record.implementation
            ]
            yield from (((giver, record.implementation), Cell(record)) for giver in record.givers or others)
            if not record.givers:
                yield from (((record.implementation, taker), Cell(record)) for taker in others)

    def edited(self, record: TransferRecord, giver: str) -> bool:
        """Whether one of the two examples is no longer what ran."""
        ran = {record.implementation: record.digests, giver: record.givers.get(giver, {})}
        return any(
            self.digests.get(implementation) != digests.get("example") for implementation, digests in ran.items()
        )

    def cell(self, giver: Implementation, taker: Implementation) -> Cell:
        return self.cells.get((giver.id, taker.id), Cell())

    def pairs(self) -> list[tuple[Implementation, Implementation, Cell]]:
        """Giver, taker and what is known of them, without the diagonal."""
        implementations = self.implementations
        return [
            (giver, taker, self.cell(giver, taker))
            for giver in implementations
            for taker in implementations
            if giver is not taker
        ]

    def summary(self) -> str:
        """In a sentence or two how many pairs were moved, and how many were not."""
        states: dict[State, list[Cell]] = defaultdict(list)
        for _, _, pair in self.pairs():
            states[pair.state].append(pair)
        ran = len(self.pairs()) - len(states["not run"])
        text = f"{len(states['moved'])} of {ran} ordered pairs predict the same labels after the move"
        checks = [cell.check for cell in states["moved"] if cell.check]
        if checks:
            samples = checks[0].figures.get("samples") or 0
            worst, limit = max(check.figure or 0 for check in checks), max(check.limit or 0 for check in checks)
            text += f", for all of {samples:.0f} test samples; "
            text += f"scores differ by at most {figure(worst)} (limit {figure(limit)})"
        rest = [f"{len(states[state])} {words}" for state, words in COUNTED.items() if states[state]]
        return f"{text}. {'; '.join(rest)}." if rest else f"{text}."

    def reasons(self) -> Iterator[tuple[Implementation, str, list[tuple[Implementation, Cell]]]]:
        """Taker, why it did not take the weights, and whose."""
        refused: dict[tuple[str, str], list[tuple[Implementation, Cell]]] = defaultdict(list)
        for giver, taker, pair in self.pairs():
            if pair.state in ("by design", "failed"):
                refused[taker.id, pair.why].append((giver, pair))
        yield from ((self.store.implementations[taker], why, cells) for (taker, why), cells in refused.items())


class _Drawn(SphinxDirective):
    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        self.workload = self.arguments[0]
        if self.workload not in WORKLOADS:
            raise self.error(str(nearest("workload", self.workload, list(WORKLOADS))))
        self.matrix = Matrix(self.store, self.workload)
        if not self.matrix.newest:
            text = f"No weights have been moved yet. Run {COMMAND}."
            return [nodes.paragraph("", text, classes=["rosetta-none"])]
        return self.draw()

    def draw(self) -> list[nodes.Node]:
        raise NotImplementedError


class Transfer(_Drawn):
    """The sentence that counts, the matrix, the reasons for what is not moved, and the runs it was drawn from."""

    def draw(self) -> list[nodes.Node]:
        return [nodes.paragraph("", self.matrix.summary()), self.pairs(), *self.reasons(), self.runs()]

    def anchor(self, implementation: Implementation) -> str:
        name: str = nodes.make_id(f"transfer-{self.workload}-{implementation.id}")
        return name

    def link(self, implementation: Implementation, text: str) -> nodes.Node:
        """A link to the line of the implementation's run, where there is one."""
        if implementation.id not in self.matrix.newest:
            return nodes.Text(text)
        return nodes.reference("", text, internal=True, refid=self.anchor(implementation))

    def pairs(self) -> nodes.table:
        implementations = self.matrix.implementations
        head = nodes.row(
            "",
            cell("from ↓ to →"),
            *(cell(self.link(implementation, implementation.name)) for implementation in implementations),
        )
        body = [
            nodes.row("", row_header(giver.name), *(self.pair(giver, taker) for taker in implementations))
            for giver in implementations
        ]
        title = "The largest difference of a score, from each framework to every other one"
        return table([head], body, title, kind="rosetta-matrix")

    def pair(self, giver: Implementation, taker: Implementation) -> nodes.entry:
        if giver is taker:
            return cell()
        pair = self.matrix.cell(giver, taker)
        text: nodes.Node = nodes.Text(pair.text)
        if pair.state in ("by design", "failed"):
            text = self.link(taker, pair.text)
        return cell(text, classes=(f"is-{pair.state.replace(' ', '-')}",))

    def reasons(self) -> Iterator[nodes.Node]:
        """Why some weights are not moved, with what happens where one moves them all the same."""
        items = []
        for taker, why, givers in self.matrix.reasons():
            names = ", ".join(giver.name for giver, _ in givers) if len(givers) < 4 else f"{len(givers)} frameworks"
            text = f" from {names}: {why}{_consequence([cell.check for _, cell in givers])}."
            items.append(
                nodes.list_item("", nodes.paragraph("", "", nodes.strong("", f"To {taker.name}"), nodes.Text(text)))
            )
        if items:
            yield nodes.bullet_list("", *items)

    def runs(self) -> nodes.table:
        names = ["To", "Version", "Accepts", "Largest difference", "Certificate", "Machine", "Device", "Date"]
        newest = self.matrix.newest
        body = [
            self.run_of(implementation, newest[implementation.id])
            for implementation in self.matrix.implementations
            if implementation.id in newest
        ]
        title = "The newest run of each framework, and how many frameworks it accepted weights from"
        return table([heading(names)], body, title, kind="rosetta-transfers")

    def run_of(self, implementation: Implementation, record: TransferRecord) -> nodes.row:
        name = row_header(implementation.name)
        name["ids"].append(self.anchor(implementation))
        moved = [check.figure or 0 for check in record.checks if check.ok]
        takes = f"{len(moved)} of {len(record.checks)}" if record.checks else f"{record.status}: {record.reason}"
        texts = [record.version or "", takes, figure(max(moved)) if moved else DASH]
        texts += [self.store.verdict(record).mark, record.machine.name, record.device or "", formatting.dated(record)]
        return nodes.row("", name, *map(cell, texts))


def _consequence(checks: list[Check | None]) -> str:
    """By how much the scores then differ, and how many labels."""
    measured = [check for check in checks if check is not None and check.figure is not None]
    if not measured:
        return ""
    labels = max(check.figures.get("other labels") or 0 for check in measured)
    left = max(check.figures.get("left over") or 0 for check in measured)
    samples = max(check.figures.get("samples") or 0 for check in measured)
    lost = f" (up to {figure(left)} is lost)" if left else ""
    scores = figure(max(check.figure or 0 for check in measured))
    return f"{lost}; scores then differ by up to {scores}, and up to {labels:.0f} of {samples:.0f} labels"


class Layouts(_Drawn):
    """What each implementation makes of the canonical weights before it hands them to its framework, as measured."""

    def draw(self) -> list[nodes.Node]:
        implementations = self.matrix.implementations
        layouts = {
            implementation.id: self.matrix.newest[implementation.id].layouts
            for implementation in implementations
            if implementation.id in self.matrix.newest
        }
        groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for name in weights.shapes(self.workload):
            groups[tuple(self.layout(layouts, implementation, name) for implementation in implementations)].append(name)
        alike = [name for texts, names in groups.items() if {*texts} == {AS_IT_IS} for name in names]
        shown = {texts: names for texts, names in groups.items() if {*texts} != {AS_IT_IS}}
        tensors = (nodes.paragraph("", "", *(nodes.literal("", name) for name in names)) for names in shown.values())
        head = nodes.row("", cell("Framework"), *map(cell, tensors))
        body = [
            nodes.row("", row_header(implementation.name), *(cell(texts[number]) for texts in shown))
            for number, implementation in enumerate(implementations)
        ]
        title = "What each framework receives, from the canonical weights"
        made = table([head], body, title, kind="rosetta-layouts")
        return [made, *([_alike(alike)] if alike else [])]

    @staticmethod
    def layout(layouts: dict[str, dict[str, str]], implementation: Implementation, name: str) -> str:
        if implementation.id not in layouts:
            return "not run"
        return layouts[implementation.id].get(name, "not seen")


def _alike(names: list[str]) -> nodes.paragraph:
    """Which weights every framework takes in the canonical layout."""
    text = nodes.paragraph("", "Every framework takes ")
    for number, name in enumerate(names):
        text += [*([nodes.Text(", ")] if number else []), nodes.literal("", name)]
    text += nodes.Text(" as it is." if len(names) == 1 else " as they are.")
    return text


def setup(app: Sphinx) -> None:
    app.add_directive("transfer", Transfer)
    app.add_directive("layouts", Layouts)
