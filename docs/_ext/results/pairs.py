"""Two ways of training an implementation, `train` and a variant of it, compared on one machine and in one preset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from docutils import nodes

from _ext.core import comparison, formatting, newest
from _ext.core import store as stores
from _ext.core.elements import DASH, aside, cell, datum, heading, row_header, table
from _ext.core.links import link
from _ext.results.result_lines import Line, lines, percent
from rosetta_host.records.store import BenchmarkRecord

Way = tuple[str | None, str | None]  # the variants that are compared, the plain one first; None: `train`
PRESETS = ("full", "epoch")  # over all of the data, the longer first


@dataclass(frozen=True)
class Pair:
    """Two ways of one implementation, on one machine and device, in one preset: `variant` is held against `plain`."""

    variant: Line
    plain: Line | None

    @property
    def record(self) -> BenchmarkRecord:
        return self.variant.record

    @property
    def times(self) -> tuple[float, float] | None:
        """Seconds of training, plain and in the variant, where both were measured."""
        if not self.plain or not self.plain.time or not self.variant.time:
            return None
        return self.plain.time[0], self.variant.time[0]

    @property
    def ratio(self) -> float | None:
        """How many times as long the variant took."""
        return self.times[1] / self.times[0] if self.times else None


def _telling(compared: list[Pair]) -> list[Pair]:
    """Of each implementation the pairs of its newest code: those that ran to the end in both ways, or in the variant,
    or all.

    A pair of older code would contradict the current one beside it.
    """
    implementations: dict[tuple[str, str], list[Pair]] = {}
    for pair in compared:
        implementations.setdefault((pair.record.implementation, pair.record.device or "cpu"), []).append(pair)
    shown = []
    for same in implementations.values():
        last = newest.anywhere(pair.record for pair in same)  # of the code, which no machine changes
        today = [pair for pair in same if last and pair.record.digests == last.digests]
        shown += [pair for pair in today if pair.times] or [pair for pair in today if pair.variant.time] or today
    return shown


def _trains(store: stores.Store, implementation: str, workload: str, variant: str | None) -> bool:
    """Whether an implementation has this variant of `train`: its example as it is, or one that has run."""
    example = store.implementations.get(implementation)
    if variant is None or (example and workload in example.workloads and example.defines(workload, variant)):
        return True
    return bool(store.of_kind(BenchmarkRecord, implementation=implementation, workload=workload, variant=variant))


def pairs(store: stores.Store, workload: str, ways: Sequence[Way]) -> list[Pair]:
    """Every implementation that has both of these ways, and trained in the second on all of the data, by name."""
    names = {name for way in ways for name in way}
    groups: dict[tuple[str, ...], list[BenchmarkRecord]] = {}
    for run in store.of_kind(BenchmarkRecord, workload=workload, historic=False):
        if run.preset in PRESETS and run.variant in names and not store.is_local(run):
            groups.setdefault((run.implementation, run.preset, run.machine.id, run.device or "cpu"), []).append(run)
    compared = []
    for runs in groups.values():
        by_variant = {line.record.variant: line for line in lines(store, runs)}
        compared += [
            Pair(by_variant[variant], by_variant.get(plain))
            for plain, variant in ways
            if variant in by_variant and _trains(store, runs[0].implementation, workload, plain)
        ]
    shown = _telling(compared)
    return sorted(shown, key=lambda pair: (store.name(pair.record).lower(), PRESETS.index(pair.record.preset or "")))


def framework_cell(store: stores.Store, record: BenchmarkRecord) -> nodes.entry:
    """The implementation's name and its version."""
    return row_header(store.name(record), *([aside(record.version)] if record.version else []))


def run_cell(line: Line | None) -> nodes.entry:
    """Time and accuracy of one way, or why there are none."""
    if line is None:
        return cell("not run yet", classes=("numeric",))
    if line.failed or not line.time:
        return cell(link(line.record, line.record.status), classes=("numeric", "failed"))
    accuracy = percent(line)(line.accuracy[0]) if line.accuracy else ""
    facts = ["" if line.certified else line.verdict.mark, formatting.uncommitted(line.record)]
    lacking = [aside(fact) for fact in facts if fact]
    return cell(link(line.record, formatting.seconds(line.time[0])), aside(accuracy), *lacking, classes=("numeric",))


def ratio_cell(pair: Pair) -> nodes.entry:
    ratio = pair.ratio
    return cell(datum(formatting.ratio(ratio), ratio) if ratio else DASH, classes=("numeric",))


def by_place(compared: list[Pair]) -> dict[str, list[Pair]]:
    """Where they ran, in words -> pairs; the place with most pairs first. Times of two stand in no one column."""
    groups: dict[str, list[Pair]] = {}
    for pair in compared:
        groups.setdefault(comparison.timed_where(pair.record), []).append(pair)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def tables_by_place(
    compared: list[Pair], title: str, heads: list[str], numeric: list[str], line: Callable[[Pair], nodes.row]
) -> list[nodes.table]:
    """A table for each place, with a line for each pair. title: of all of them; the place follows it."""
    return [
        table([heading(heads, numeric)], list(map(line, of_place)), f"{title}, {where}", ("rosetta-lesson",))
        for where, of_place in by_place(compared).items()
    ]


def reach(ratios: list[float]) -> str:
    """`0.90× to 1.20× the time, in 2 runs`."""
    runs = "1 run" if len(ratios) == 1 else f"{len(ratios)} runs"
    ends = " to ".join(dict.fromkeys(formatting.ratio(ratio) for ratio in (min(ratios), max(ratios))))
    return f"{ends} the time, in {runs}"
