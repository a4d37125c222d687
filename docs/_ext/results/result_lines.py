"""The lines of a table of results: the newest run of an implementation, and what a reader has to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from statistics import mean, median, stdev

from sphinx.errors import ExtensionError

from _ext.core import formatting, newest
from _ext.core import store as stores
from _ext.core.verdicts import Verdict
from _ext.results.ceilings import share
from _ext.results.spread import FAR, spread
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.records.store import BenchmarkRecord

LITTLE = 0.2  # of a CPU's matrix product: below it, a reader is told what a profiler says


@dataclass
class Line:
    """One line of a table: the newest run of an implementation, and its runs with other seeds."""

    record: BenchmarkRecord
    runs: list[BenchmarkRecord]
    verdict: Verdict

    def average(self, value: Callable[[BenchmarkRecord], float | None]) -> tuple[float, float | None] | None:
        """Mean and standard deviation over the seeds; None where nothing was measured."""
        values = [figure for figure in map(value, self.runs) if figure is not None]
        if not values:
            return None
        return mean(values), stdev(values) if len(values) > 1 else None

    @property
    def key(self) -> str:
        """The implementation's name in an address: `pytorch`, `cntk.train_with_loader`, `pytorch.tf32`."""
        record = self.record
        precision = "" if record.precision in (None, "float32") else record.precision
        return ".".join(part for part in (record.implementation, record.variant, precision) if part)

    @property
    def failed(self) -> bool:
        return self.record.status != "ok"

    @property
    def certified(self) -> bool:
        return self.verdict.state == "certified"

    @property
    def is_steady(self) -> bool:
        """Whether `time` leaves out what the framework compiles."""
        return any(run.steady_seconds is not None for run in self.runs)

    @property
    def time(self) -> tuple[float, float | None] | None:
        """Seconds of steady training; of all training, compiling included, where the first step was not timed."""
        if self.is_steady:
            return self.average(lambda run: run.steady_seconds)
        return self.average(lambda run: run.times.train if run.times else None)

    @property
    def compile(self) -> tuple[float, float | None] | None:
        """Seconds in which the framework builds and compiles, in whichever step it does that."""
        return self.average(lambda run: run.compile_seconds)

    @property
    def total(self) -> tuple[float, float | None] | None:
        """Seconds of steady training and compiling."""
        return self.average(lambda run: run.total_seconds)

    @property
    def accuracy(self) -> tuple[float, float | None] | None:
        return self.average(lambda run: run.accuracy)

    @property
    def rate(self) -> tuple[float, float | None] | None:
        return self.average(lambda run: run.train_rate)

    @property
    def order(self) -> tuple[bool, bool, float, str]:
        """Successes first, the certified among them before the others, and then by time."""
        return self.failed, not self.certified, self.time[0] if self.time else 0.0, self.record.implementation


def lines(store: stores.Store, records: list[BenchmarkRecord]) -> list[Line]:
    """The newest run of each implementation on each machine and device, with the like runs of other seeds."""

    def subject(record: BenchmarkRecord) -> tuple[str, ...]:
        return record.implementation, record.variant or "", record.precision or "", *newest.processor(record)

    made = []
    for _, group in groupby(sorted(records, key=lambda r: (*subject(r), r.created)), subject):
        runs = list(group)
        last = newest.here(runs)
        assert last
        same = [run for run in runs if run.status == "ok" and _alike(run, last)]
        seeds = {run.seed: run for run in same} if last.status == "ok" else {}
        made.append(Line(last, list(seeds.values()), store.verdict(last)))
    return sorted(made, key=lambda line: line.order)


def _alike(run: BenchmarkRecord, other: BenchmarkRecord) -> bool:
    """Whether two runs of an implementation may be averaged: of the same code, environment, version and data."""
    return (run.digests, run.version, run.data) == (other.digests, other.version, other.data)


def _far_off(store: stores.Store, line: Line, table: list[Line]) -> str:
    """That an accuracy lies farther from the median of its table than seeds lie apart; nothing where none is known."""
    record = line.record
    usual = [other.accuracy[0] for other in table if other.accuracy and other.certified]
    if record.preset != "full" or record.historic or not line.accuracy or len(usual) < 3:
        return ""
    between_seeds = spread(store, record.workload, record.preset)
    apart = line.accuracy[0] - median(usual)
    if between_seeds is None or abs(apart) <= FAR * between_seeds:
        return ""
    side = "above" if apart > 0 else "below"
    deviation = f"the standard deviation between seeds is {100 * between_seeds:.1f}"
    return f"{100 * abs(apart):.1f} points {side} the median of this table ({deviation})"


def slow_because(store: stores.Store, line: Line) -> str:
    """What a profiler said of an implementation that uses little of its machine."""
    record, implementation = line.record, store.implementations.get(line.record.implementation)
    used = share(record) if record.device == "cpu" else None
    if used is None or used.value >= LITTLE or implementation is None:
        return ""
    return implementation.workload(record.workload).slow_because or ""


def _beyond(line: Line) -> str:
    """That a run would have done more than its processor can."""
    used = share(line.record)
    return used.beyond if used else ""


def _uncommitted(line: Line) -> str:
    """That the code of a run, or of one of several seeds, is in no commit."""
    return next(filter(None, map(formatting.uncommitted, (line.record, *line.runs))), "")


def original_of(store: stores.Store, implementation: str, workload: str, variant: str | None) -> BenchmarkRecord | None:
    """The original notebooks' numbers for an implementation and network.

    Raises ExtensionError where several tables have some.
    """
    try:
        return newest.here(
            store.of_kind(
                BenchmarkRecord, historic=True, implementation=implementation, workload=workload, variant=variant
            )
        )
    except UserError as error:
        raise ExtensionError(f"The original notebooks' {implementation}, {workload}: {error}") from None


def notes_of(store: stores.Store, line: Line, table: list[Line]) -> list[str]:
    """What a reader of the numbers has to know; what holds for a whole table is said in its caption."""
    record = line.record
    notes = [
        f"{record.epochs} epochs" if record.epochs and record.preset == "full" else "",
        _far_off(store, line, table),
        _uncommitted(line),
        _beyond(line),
        slow_because(store, line),
        record.data.source if record.data and record.data.source == "unofficial copy" else "",
        f"{record.threads} thread{'s' if record.threads > 1 else ''}" if record.threads else "",
        formatting.environment(record),
    ]
    return [note for note in notes if note]


def percent(line: Line) -> Callable[[float], str]:
    """The original notebooks' tables give whole percent, and no digit is added to them."""
    return ("{:.0%}" if line.record.historic else "{:.1%}").format
