"""`{glance}`: each row's newest certified accuracy and time in both networks, beside what the seed's tables said."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from itertools import product

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from _ext.core import formatting, newest
from _ext.core import store as stores
from _ext.core.elements import aside, cell, row_header, table
from _ext.core.links import link
from _ext.results.compiled import COMPILED
from _ext.results.result_lines import Line, lines, percent, seed_of
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import VARIANTS, WORKLOADS
from rosetta_host.records.store import BenchmarkRecord

PRESETS = ("full", "epoch")  # in the order in which they are looked for
Subject = tuple[str, str | None]  # a row's id and a variant
Place = tuple[str, ...]  # preset, machine, device, data


class Glance(SphinxDirective):
    """One line a row and variant, in the order of their names. A number leads to its line in the results."""

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        stores.note(self.env)
        self.runs = [run for run in self.store.of_kind(BenchmarkRecord) if not self.store.is_local(run)]
        networks = [cell(workloads.get(workload).title, *self.origin(workload), columns=2) for workload in WORKLOADS]
        titles = [cell(title) for _ in WORKLOADS for title in ("Accuracy, time", "Original, K80")]
        name = cell("Framework")
        name["morerows"] = 1
        head = [nodes.row("", name, *networks), nodes.row("", *titles)]
        return [table(head, [self.row(subject) for subject in self.subjects], self.caption, ("rosetta-glance",))]

    @cached_property
    def subjects(self) -> list[Subject]:
        """Every row of the catalogue, and what the seed had beside: two with a data loader of their own."""
        known: set[Subject] = {(name, None) for name in self.store.rows}
        known |= {(run.row, run.variant) for run in self.runs if run.historic}
        return sorted(known, key=lambda subject: (self.called(subject).lower(), subject[0]))

    def called(self, subject: Subject) -> str:
        """The name of a row with its variant."""
        row, variant = subject
        named = self.store.rows[row].name if row in self.store.rows else row
        return formatting.with_variant(named, variant)

    @cached_property
    def known(self) -> dict[tuple[Subject, str], list[Line]]:
        """All lines of a subject in a network, over all of the data and in float32."""
        found: dict[tuple[Subject, str], list[Line]] = {}
        for preset, workload in product(PRESETS, WORKLOADS):
            runs = [run for run in self.runs if (run.preset, run.workload, run.historic) == (preset, workload, False)]
            for line in lines(self.store, runs):
                if line.record.precision in (None, "float32"):
                    found.setdefault(((line.record.row, line.record.variant), workload), []).append(line)
        return found

    @cached_property
    def devices(self) -> dict[str, str]:
        """Workload -> the device on which most subjects have a line that speaks."""
        counted: dict[str, Counter[str]] = {}
        for (_, workload), of_subject in self.known.items():
            devices = {newest.place(line.record)[1] for line in of_subject if _speaks(line)}
            counted.setdefault(workload, Counter()).update(sorted(devices))
        return {workload: count.most_common(1)[0][0] for workload, count in counted.items() if count}

    @cached_property
    def best(self) -> dict[tuple[Subject, str], Line]:
        """The line that speaks for a subject in a network.

        The newest certified one in the preset full, else in the preset epoch; else one whose certificate is stale;
        else the newest, with what it lacks. One of the device that most subjects have one of comes first: a
        GPU's times among those of CPUs would mislead.
        """
        return {key: max(of_subject, key=self.worth) for key, of_subject in self.known.items()}

    def worth(self, line: Line) -> tuple[bool, bool, bool, bool, bool, str]:
        """The order of the lines of one subject in one network; the greatest speaks."""
        record, speaks = line.record, _speaks(line)
        usual = newest.place(record)[1] == self.devices.get(record.workload)
        return (
            speaks,
            speaks and line.certified,
            usual,
            speaks and record.preset == PRESETS[0],
            record.variant == COMPILED,
            record.created,
        )

    @cached_property
    def usual(self) -> dict[str, Place]:
        """Where most of a network's numbers come from: said once, under its name."""
        places: dict[str, Counter[Place]] = {}
        for (_, workload), line in self.best.items():
            if _speaks(line):
                places.setdefault(workload, Counter())[_place(line)] += 1
        return {workload: counted.most_common(1)[0][0] for workload, counted in places.items()}

    def origin(self, workload: str) -> list[nodes.Node]:
        """Where a network's numbers come from unless a cell says otherwise."""
        usual = self.usual.get(workload, ())
        return [aside(", ".join(filter(None, usual)))] if usual else []

    @property
    def caption(self) -> str:
        where = " The source of the numbers is below the name of the network, and below each number that differs."
        text = (
            "One run of every implementation, beside the result of the original notebooks. A certified run is shown if "
            "there is one, otherwise a run with a stale certificate, which is marked. The newest run with the preset "
            "full is preferred to one of a single epoch, after which the accuracy is lower. Runs on the most common "
            "device come first."
        )
        return text + (
            where + " The machines differ, so compare times in the tables below, not here." if self.usual else ""
        )

    def row(self, subject: Subject) -> nodes.row:
        row, variant = subject
        named = self.store.rows[row].name if row in self.store.rows else row
        cells: list[nodes.entry] = [row_header(named, *([aside(formatting.VARIANTS[variant])] if variant else []))]
        for workload in WORKLOADS:
            cells += [self.measured(subject, workload), self.seed(subject, workload)]
        return nodes.row("", *cells)

    def measured(self, subject: Subject, workload: str) -> nodes.entry:
        """The numbers of today, or what is lacking."""
        line = self.line(subject, workload)
        if line is None:
            row = self.store.rows.get(subject[0])
            written = row and any(case.variant == subject[1] for case in row.cases([workload]))
            return cell("not run yet" if written else "–", classes=("rosetta-lacking",))
        if not _speaks(line) or not line.accuracy or not line.time:
            return cell(
                link(line.record, line.record.status if line.failed else line.verdict.mark), classes=("failed",)
            )
        way = line.record.variant if line.record.variant != subject[1] else None
        lacking = "" if line.certified else line.verdict.mark
        said = (lacking, formatting.VARIANTS[way] if way else "", formatting.uncommitted(line.record))
        place = [text for text in said if text]
        place += [fact for fact, usual in zip(_place(line), self.usual[workload], strict=True) if fact != usual]
        text = f"{percent(line)(line.accuracy[0])}, {formatting.seconds(line.time[0])}"
        return cell(link(line.record, text), *([aside(", ".join(place))] if place else []))

    def line(self, subject: Subject, workload: str) -> Line | None:
        """The line that speaks for a subject; of a row with a compiled variant, that one, where it got as far.

        Of one that has trained in its other ways alone, the best of those.
        """
        if subject[1] is not None:
            return self.best.get((subject, workload))
        found = {way: self.best.get(((subject[0], way), workload)) for way in (None, *VARIANTS)}
        own = [line for way in (None, COMPILED) if (line := found[way])]
        return max(own or filter(None, found.values()), key=self.worth, default=None)

    def seed(self, subject: Subject, workload: str) -> nodes.entry:
        """What the seed said, under the name that it gave the row."""
        row, variant = subject
        one = seed_of(self.store, row, workload, variant)
        if not one or not one.times or not one.times.train or one.accuracy is None:
            return cell("")
        return cell(
            link(one, f"{one.accuracy:.0%}, {formatting.seconds(one.times.train)}"), aside(self.store.name(one))
        )


def _speaks(line: Line) -> bool:
    """Whether a line has numbers to show: those without a valid certificate say so beside them."""
    return line.verdict.state in ("certified", "stale") and not line.failed


def _place(line: Line) -> Place:
    """Where a number comes from, in a few words."""
    record = line.record
    source = record.data.source if record.data else ""
    data = "official data" if source == "official" else source
    device = formatting.DEVICES[record.device or "cpu"] + (", external interpreter" if record.environment else "")
    return f"preset {record.preset}", record.machine.name, device, data


def setup(app: Sphinx) -> None:
    app.add_directive("glance", Glance)
