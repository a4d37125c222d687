"""What a table of results has a line for: the newest run of a row, and what a reader has to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from statistics import mean, median, stdev

from sphinx.errors import ExtensionError

from rosetta_common.host import work
from rosetta_common.host.catalogue import UserError
from rosetta_common.host.records import Record

from . import newest, words
from . import store as stores
from .certified import Verdict

LITTLE = 0.2  # of the machine's matrix-product rate: below it, a reader is told what a profiler found
FAR_OFF = 1.5  # points of accuracy; two trials of one row lay 0.2 apart


@dataclass
class Line:
    """One line of a table: the newest run of a row, and the runs of other seeds that differ in nothing else."""

    record: Record
    runs: list[Record]
    verdict: Verdict

    def average(self, value: Callable[[Record], float | None]) -> tuple[float, float | None] | None:
        """Mean and standard deviation over the seeds; None where nothing was measured."""
        values = [found for found in map(value, self.runs) if found is not None]
        if not values:
            return None
        return mean(values), stdev(values) if len(values) > 1 else None

    @property
    def key(self) -> str:
        """The row's name in an address: `pytorch`, `cntk.train_with_loader`, `pytorch.tf32`."""
        record = self.record
        precision = "" if record.precision in (None, "float32") else record.precision
        return ".".join(part for part in (record.row, record.variant, precision) if part)

    @property
    def failed(self) -> bool:
        return self.record.status != "ok"

    @property
    def certified(self) -> bool:
        return self.verdict.state == "certified"

    @property
    def time(self) -> tuple[float, float | None] | None:
        return self.average(lambda run: run.times.train if run.times else None)

    @property
    def accuracy(self) -> tuple[float, float | None] | None:
        return self.average(lambda run: run.accuracy)

    @property
    def rate(self) -> tuple[float, float | None] | None:
        return self.average(lambda run: run.train_rate)

    @property
    def order(self) -> tuple[bool, bool, float, str]:
        """Successes first, the certified among them before the others, and then by time."""
        return self.failed, not self.certified, self.time[0] if self.time else 0.0, self.record.row


def lines(store: stores.Store, records: list[Record]) -> list[Line]:
    """The newest run of each row on each machine and device, with the runs of other seeds that are like it."""

    def subject(record: Record) -> tuple[str, ...]:
        return record.row, record.variant or "", record.precision or "", *newest.place(record)

    found = []
    for _, group in groupby(sorted(records, key=lambda r: (*subject(r), r.created)), subject):
        runs = list(group)
        last = newest.here(runs)
        assert last
        same = [run for run in runs if run.status == "ok" and _alike(run, last)]
        seeds = {run.seed: run for run in same} if last.status == "ok" else {}
        found.append(Line(last, list(seeds.values()), store.verdict(last)))
    return sorted(found, key=lambda line: line.order)


def _alike(one: Record, other: Record) -> bool:
    """Whether two runs of a row may be averaged: of the same code, environment, version and data."""
    return (one.digests, one.version, one.data) == (other.digests, other.version, other.data)


def _far_off(line: Line, found: list[Line]) -> str:
    """That an accuracy lies far from the others of its table, which train the same network on the same data."""
    usual = [other.accuracy[0] for other in found if other.accuracy and other.certified]
    if line.record.lane != "full" or line.record.historic or not line.accuracy or len(usual) < 3:
        return ""
    points = 100 * (line.accuracy[0] - median(usual))
    side = "above" if points > 0 else "below"
    return f"{abs(points):.1f} points {side} the median of this table" if abs(points) > FAR_OFF else ""


def share(line: Line) -> float | None:
    """The arithmetic done on a CPU, over what NumPy's float32 matrix product did on it at that hour."""
    record, rate, peak = line.record, line.record.train_rate, line.record.machine.matmul_rate
    if record.workload != "cnn" or record.device != "cpu" or not rate or not peak:
        return None
    return rate * work.image_flop() / peak


def slow_because(store: stores.Store, line: Line) -> str:
    """What a profiler said of a row that uses little of its machine."""
    used, row = share(line), store.rows.get(line.record.row)
    if used is None or used >= LITTLE or row is None:
        return ""
    return row.workload(line.record.workload).slow_because or ""


def seed_of(store: stores.Store, row: str, workload: str, variant: str | None) -> Record | None:
    """What the seed's table said of a row, network and variant. Raises ExtensionError where several tables did."""
    try:
        return newest.here(store.of(historic=True, row=row, workload=workload, variant=variant))
    except UserError as error:
        raise ExtensionError(f"The seed's {row}, {workload}: {error}") from None


def notes_of(store: stores.Store, line: Line, found: list[Line]) -> list[str]:
    """What a reader of the numbers has to know; what holds for a whole table is said in its caption."""
    record = line.record
    notes = [
        f"{record.epochs} epochs" if record.epochs and record.lane == "full" else "",
        _far_off(line, found),
        slow_because(store, line),
        record.data.source if record.data and record.data.source == "unofficial copy" else "",
        f"{record.threads} thread{'s' if record.threads > 1 else ''}" if record.threads else "",
        words.environment(record),
    ]
    return [note for note in notes if note]


def percent(line: Line) -> Callable[[float], str]:
    """The seed's tables give whole per cent, and no digit is added to them."""
    return ("{:.0%}" if line.record.historic else "{:.1%}").format
