"""`{freshness}`: of each kind of record that the site shows, how many are stale, and which digests differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from _ext.core import answers, formatting, newest, verdicts
from _ext.core import store as stores
from _ext.core.elements import DASH, cell, fold, heading, row_header, table
from _ext.lessons.evidence import offered
from _ext.lessons.lessons import declared, evidence
from _ext.results.sweeps import sweeps
from _ext.transfer.transfer import Matrix
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import WORKLOADS
from rosetta_host.records.store import BenchmarkRecord, CertificateRecord, R, Record

CURRENT = "All records that the site shows are of the current code."
REMOVED = "implementation, which is no longer here"


@dataclass(frozen=True)
class Dated:
    """A record that a page shows, and the names of the digests that are others today."""

    record: Record
    changed: tuple[str, ...]

    @property
    def why(self) -> str:
        return f"another {verdicts.named(self.changed)}"


def _against_today(store: stores.Store, records: Iterable[Record]) -> Iterator[Dated]:
    for record in records:
        implementation = store.implementations.get(record.implementation)
        yield Dated(record, tuple(verdicts.changed(record, implementation)) if implementation else (REMOVED,))


def _newest(records: Iterable[R], subject: Callable[[R], Hashable]) -> list[R]:
    """Of each subject its newest record, from records in order."""
    return list({subject(record): record for record in records}.values())


def benchmarks(store: stores.Store, _: BuildEnvironment) -> Iterator[Dated]:
    """The newest run of each case, preset and processor."""

    def subject(run: BenchmarkRecord) -> Hashable:
        return run.implementation, run.workload, run.variant, run.precision, run.preset, newest.processor(run)

    runs = _newest(store.of_kind(BenchmarkRecord, historic=False), subject)
    yield from _against_today(store, runs)


def turns(store: stores.Store, _: BuildEnvironment) -> Iterator[Dated]:
    """The newest turn of each case of the sweeps that are shown."""
    shown = (sweep for workload in WORKLOADS for sweep in sweeps(store, workload))
    yield from _against_today(store, (entry.record for sweep in shown for entry in sweep.entries))


def certificates(store: stores.Store, _: BuildEnvironment) -> Iterator[Dated]:
    """The newest certificate of each case, device and precision."""

    def subject(run: CertificateRecord) -> Hashable:
        return run.implementation, run.workload, run.variant, run.device, run.precision

    runs = _newest(store.certificates(), subject)
    yield from _against_today(store, runs)


def defaults(_: stores.Store, env: BuildEnvironment) -> Iterator[Dated]:
    """The newest answers of each implementation."""
    for asked in answers.answers(env.config).asked.values():
        if asked.record:
            yield Dated(asked.record, asked.changed)


def transfers(store: stores.Store, _: BuildEnvironment) -> Iterator[Dated]:
    """The newest run of each implementation that took weights, with the examples that gave them."""
    for workload in WORKLOADS:
        matrix = Matrix(store, workload)
        for record in matrix.newest.values():
            edited = any(matrix.edited(record, check.name) for check in record.checks)
            yield Dated(record, ("example",) if edited else ())


def lessons(_: stores.Store, env: BuildEnvironment) -> Iterator[Dated]:
    """The newest measurement of each kind of each patch."""
    for slug, lesson in declared(env).by_slug.items():
        if not lesson.mutants:
            continue
        of_lesson = evidence(env, slug)
        for implementation in of_lesson.store.implementations.values():
            patches = offered(implementation, lesson.workload)[0]
            for mutant in (patches[name] for name in lesson.mutants if name in patches):
                for run in _newest(
                    of_lesson.runs(implementation, mutant), lambda run: (run.measure, newest.processor(run))
                ):
                    yield Dated(run, tuple(of_lesson.changed(implementation, mutant, run)))


# What a reader calls each kind -> the records of it that the site shows.
KINDS: dict[str, Callable[[stores.Store, BuildEnvironment], Iterator[Dated]]] = {
    "Benchmarks": benchmarks,
    "Turns of ranked sweeps": turns,
    "Certificates": certificates,
    "Defaults": defaults,
    "Transfers": transfers,
    "Lessons": lessons,
}


class Freshness(SphinxDirective):
    """A sentence, a table with a line for each kind, and the stale records of each, grouped by what changed."""

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        shown = {kind: list(gather(self.store, self.env)) for kind, gather in KINDS.items()}
        shown = {kind: dated for kind, dated in shown.items() if dated}
        stale = {kind: [each for each in dated if each.changed] for kind, dated in shown.items()}
        number = sum(map(len, stale.values()))
        total = sum(map(len, shown.values()))
        text = f"{number} of {total} records that the site shows are stale." if number else CURRENT
        numeric = ["Shown", "Stale"]
        body = [self.line(kind, dated, stale[kind]) for kind, dated in shown.items()]
        counted = table(
            [heading(["Records", *numeric, "What changed since"], numeric)], body, "Records and what changed"
        )
        lists = [self.listed(kind, dated) for kind, dated in stale.items() if dated]
        return [nodes.paragraph("", "", nodes.strong("", text)), *([counted] if body else []), *lists]

    def line(self, kind: str, dated: list[Dated], stale: list[Dated]) -> nodes.row:
        """The kind, and in how many of its records each thing changed, most often first."""
        counted = Counter(verdicts.named([key]) for each in stale for key in each.changed)
        why = ", ".join(f"{name} in {number}" for name, number in counted.most_common())
        numbers = (cell(str(len(records)), classes=("numeric",)) for records in (dated, stale))
        return nodes.row("", row_header(kind), *numbers, cell(why or DASH))

    def listed(self, kind: str, stale: list[Dated]) -> nodes.Node:
        """The stale records of a kind, by what changed."""
        groups: dict[str, list[str]] = {}
        for each in stale:
            groups.setdefault(each.why, []).append(self.subject(each.record))
        items = [
            nodes.list_item("", nodes.paragraph("", f"{why[0].upper()}{why[1:]}: {'; '.join(dict.fromkeys(names))}."))
            for why, names in groups.items()
        ]
        devices = {each.record.device or "cpu" for each in stale}
        on = f", all on a {formatting.PROCESSORS[devices.pop()]}" if len(devices) == 1 else ""
        return fold(f"{kind}: {len(stale)} stale{on}", nodes.bullet_list("", *items))

    def subject(self, record: Record) -> str:
        """What a stale record is of: the implementation, the network and the processor."""
        workload = record.workload
        network = f", {workloads.get(workload).title}" if workload in WORKLOADS else ""
        return f"{formatting.implementation_name(self.store, record)}{network}, {formatting.processor(record)}"


def setup(app: Sphinx) -> None:
    app.add_directive("freshness", Freshness)
