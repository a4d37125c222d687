"""`{glance}`: for each network a picture and a column of accuracies and times, of one machine and one preset each.

Beside them is what the tables of the original notebooks have.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from _ext.core import comparison, formatting
from _ext.core import store as stores
from _ext.core.elements import aside, cell, row_header, table
from _ext.core.folders import by_folder, by_life, marker, promotable
from _ext.core.links import link
from _ext.results.compiled import COMPILED
from _ext.results.plots import figure
from _ext.results.result_lines import Line, lines, original_of, percent
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import VARIANTS, WORKLOADS
from rosetta_host.records.store import BenchmarkRecord

Subject = tuple[str, str | None]  # an implementation's id and a variant


class Network:
    """The published runs of one workload: those of its usual setting, and which subjects ran elsewhere alone."""

    def __init__(self, store: stores.Store, workload: str) -> None:
        self.store, self.workload = store, workload
        self.setting = comparison.usual(store, workload)
        runs = comparison.published(store, workload)
        self.lines = self._lines(runs, lambda run: comparison.Setting.of(run) == self.setting)
        self.elsewhere = self._lines(runs, lambda run: comparison.Setting.of(run) != self.setting)

    def _lines(self, runs: list[BenchmarkRecord], wanted: Callable[[BenchmarkRecord], bool]) -> dict[Subject, Line]:
        """Subject -> its newest line among the wanted runs."""
        shown = lines(self.store, [run for run in runs if wanted(run)])
        newest_last = sorted(shown, key=lambda line: line.record.created)
        return {(line.record.implementation, line.record.variant): line for line in newest_last}

    def line(self, subject: Subject, elsewhere: bool = False) -> Line | None:
        """The line of a subject: the compiled way if there is one, otherwise `train`, otherwise another variant."""
        table = self.elsewhere if elsewhere else self.lines
        if subject[1] is not None:
            return table.get(subject)
        ways = [line for way in (COMPILED, None, *VARIANTS) if (line := table.get((subject[0], way)))]
        return next(filter(_has_numbers, ways), next(iter(ways), None))

    @property
    def described(self) -> str:
        """The setting in words."""
        return comparison.described(next(iter(self.lines.values())).record) if self.lines else ""


class Glance(SphinxDirective):
    """A picture for each network; below them one line for each implementation and variant."""

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        self.networks = [Network(self.store, workload) for workload in WORKLOADS]
        return [*(node for network in self.networks for node in self.picture(network)), *promotable(self.table())]

    def picture(self, network: Network) -> list[nodes.Node]:
        """Times and accuracies of the lines that the table shows, the fastest first."""
        shown = {id(line): line for subject in self.subjects if (line := network.line(subject)) and _has_numbers(line)}
        ordered = sorted(shown.values(), key=lambda line: line.order)
        name = f"{workloads.get(network.workload).title}: training time and test accuracy"
        return figure(self.store, ordered, f"{name}. {network.described}", f"{name}. {network.described}.")

    def table(self) -> nodes.table:
        heads = [
            cell(workloads.get(network.workload).title, *filter(None, [aside(network.described)]), columns=2)
            for network in self.networks
        ]
        titles = [cell(title) for _ in self.networks for title in ("Accuracy, time", "Original, K80")]
        name = cell("Framework")
        name["morerows"] = 1
        head = [nodes.row("", name, *heads), nodes.row("", *titles)]
        caption = (
            "All implementations, beside the results of the original notebooks. Every number of a column is from the "
            "machine and the preset in its head."
        )
        return table(head, [self.row(subject) for subject in self.subjects], caption, ("rosetta-glance",))

    @cached_property
    def subjects(self) -> list[Subject]:
        """Every implementation of the catalog, in the order of the site's lists, then the original notebooks'."""
        folders = by_folder(self.store.implementations.values())
        subjects: list[Subject] = [
            (implementation.id, None) for name in by_life(folders) for implementation in folders[name]
        ]
        originals = sorted(
            {(run.implementation, run.variant or "") for run in self.store.of_kind(BenchmarkRecord, historic=True)}
        )
        implementations = list(
            dict.fromkeys(
                [implementation for implementation, _ in subjects] + [implementation for implementation, _ in originals]
            )
        )
        every = dict.fromkeys(
            [*subjects, *((implementation, variant or None) for implementation, variant in originals)]
        )
        return sorted(every, key=lambda subject: (implementations.index(subject[0]), subject[1] or ""))

    def row(self, subject: Subject) -> nodes.row:
        implementation, variant = subject
        entry = self.store.implementations.get(implementation)
        name = row_header(
            entry.name if entry else implementation, *([aside(formatting.VARIANTS[variant])] if variant else [])
        )
        cells: list[nodes.entry] = [name]
        for network in self.networks:
            cells += [self.measured(subject, network), self.original(subject, network.workload)]
        return nodes.row("", *cells, classes=[marker(entry.folder.name if entry else implementation)])

    def measured(self, subject: Subject, network: Network) -> nodes.entry:
        """The numbers of the usual setting, or what is lacking."""
        line = network.line(subject)
        if line is None:
            return self.lacking(subject, network)
        if not _has_numbers(line) or not line.accuracy or not line.time:
            return cell(
                link(line.record, line.record.status if line.failed else line.verdict.mark), classes=("failed",)
            )
        way = line.record.variant if line.record.variant != subject[1] else None
        notes = (
            "" if line.certified else line.verdict.mark,
            formatting.VARIANTS[way] if way else "",
            formatting.uncommitted(line.record),
        )
        note = ", ".join(filter(None, notes))
        text = f"{percent(line)(line.accuracy[0])}, {formatting.seconds(line.time[0])}"
        return cell(link(line.record, text), *([aside(note)] if note else []))

    def lacking(self, subject: Subject, network: Network) -> nodes.entry:
        """Why a cell has no number: the subject ran elsewhere only, has not run yet, or is not written."""
        other = network.line(subject, elsewhere=True)
        if other:
            return cell(link(other.record, "ran elsewhere"), classes=("rosetta-lacking",))
        implementation = self.store.implementations.get(subject[0])
        written = implementation and any(
            case.variant == subject[1] for case in implementation.cases([network.workload])
        )
        return cell("not run yet" if written else "–", classes=("rosetta-lacking",))

    def original(self, subject: Subject, workload: str) -> nodes.entry:
        """What the table of the original notebooks says, under the name that it gives the implementation."""
        implementation, variant = subject
        run = original_of(self.store, implementation, workload, variant)
        if not run or not run.times or not run.times.train or run.accuracy is None:
            return cell("")
        text = f"{run.accuracy:.0%}, {formatting.seconds(run.times.train)}"
        return cell(link(run, text), aside(self.store.name(run)))


def _has_numbers(line: Line) -> bool:
    """Whether the numbers of a line may be shown: those without a valid certificate say so beside them."""
    return line.verdict.state in ("certified", "stale") and not line.failed


def setup(app: Sphinx) -> None:
    app.add_directive("glance", Glance)
