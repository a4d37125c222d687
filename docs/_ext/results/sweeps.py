"""The ranked sweeps that a page shows: of each workload the newest one on each machine and device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from _ext.core import formatting, newest, numbers
from _ext.core import store as stores
from _ext.core.verdicts import Verdict, changed, named
from _ext.results.ceilings import Share, share_of
from rosetta_host.benchmark.ranking import CaseId, Ranked, counts, newest_sweep, rank
from rosetta_host.environments.digests import differing
from rosetta_host.records.store import BenchmarkRecord, Times, TurnRecord

REMOVED = "it is no longer in this project"


@dataclass(frozen=True)
class Entry:
    """A case of a sweep: how it ranks, and its turns that count; all of its turns where none does.

    verdict: of its newest turn. changed: which digests of that turn are not current.
    """

    ranked: Ranked
    turns: list[TurnRecord]
    verdict: Verdict
    changed: tuple[str, ...]
    gone: bool = False

    @property
    def record(self) -> TurnRecord:
        """The newest of its turns."""
        return self.turns[-1]

    @property
    def failed(self) -> bool:
        return not self.ranked.turns

    @property
    def stale(self) -> str:
        """What has changed since it was timed, in words; nothing where its code is current."""
        if self.gone:
            return f"stale: {REMOVED}"
        return f"stale: timed with another {named(self.changed)}" if self.changed else ""

    @property
    def current(self) -> bool:
        """Whether a valid certificate says that it computes the same, and nothing has changed since."""
        return self.verdict.state == "certified" and not self.stale

    def median_of(self, value: Callable[[TurnRecord], float | None]) -> float | None:
        """The median of a value over the turns; None where none has it."""
        values = [figure for figure in map(value, self.turns) if figure is not None]
        return median(values) if values else None

    def time(self, name: str) -> float | None:
        """The median of one of `Times`, in seconds."""
        return self.median_of(lambda turn: getattr(turn.times or Times(), name))

    @property
    def share(self) -> Share | None:
        """How much of the machine's matrix product, as it was sampled over the turns, a steady step makes use of."""
        rates = [rate for turn in self.turns if turn.conditions for rate in turn.conditions.matmul_rates]
        batch = numbers.parameters(self.record.workload)["batch_size"]
        return share_of(self.record, batch / self.ranked.step, median(rates) if rates else None)


class Sweep:
    """The turns of one sweep that train one workload, on one machine and device."""

    def __init__(self, store: stores.Store, turns: list[TurnRecord]) -> None:
        self.store, self.turns, self.first = store, turns, turns[0]
        self.workload = self.first.workload
        self.local = store.is_local(self.first)

    @cached_property
    def entries(self) -> list[Entry]:
        """The cases, the fastest first; those that no turn counts of stand last."""
        return [self._entry(ranked) for ranked in rank(self.turns)]

    def _entry(self, ranked: Ranked) -> Entry:
        own = [turn for turn in self.turns if CaseId.of(turn) == ranked.case]
        turns = [turn for turn in own if counts(turn)] or own
        implementation = self.store.implementations.get(ranked.case.implementation)
        others = tuple(changed(turns[-1], implementation)) if implementation else ()
        return Entry(ranked, turns, self.store.verdict(turns[-1]), others, implementation is None)

    @cached_property
    def reference(self) -> Entry | None:
        """The case that the ratios refer to; None where the sweep has no turn of it that counts."""
        labels = {" ".join(filter(None, entry.ranked.case)): entry for entry in self.entries if not entry.failed}
        return labels.get(self.first.reference)

    @property
    def reference_name(self) -> str:
        """What to call the reference."""
        implementation, _, way = self.first.reference.partition(f" {self.workload}")
        name = (
            self.store.implementations[implementation].name
            if implementation in self.store.implementations
            else implementation
        )
        return formatting.with_variant(name, way.strip() or None)

    def entry(self, implementation: str, variant: str | None) -> Entry | None:
        """The case of an implementation, where it has been timed."""
        case = CaseId(implementation, self.workload, variant)
        return next((entry for entry in self.entries if entry.ranked.case == case and not entry.failed), None)

    @cached_property
    def epoch_steps(self) -> int:
        """The steps of an epoch over all of the data."""
        steps: int = numbers.parameters(self.workload)["steps"]
        return steps

    def evaluation(self, entry: Entry) -> float | None:
        """Seconds to evaluate all of the test data: of the turns, or of the newest benchmark of the same code here."""
        measured = entry.time("evaluate")
        if measured is not None:
            return measured
        record = entry.record
        wanted = {
            name: getattr(record, name)
            for name in ("implementation", "workload", "variant", "precision", "environment")
        }
        runs = self.store.of_kind(BenchmarkRecord, **wanted, status="ok", historic=False)
        alike = [
            run
            for run in runs
            if newest.processor(run) == newest.processor(record)
            and run.preset != "quick"
            and not differing(run.digests, record.digests)
        ]
        last = newest.here(alike)
        return last.times.evaluate if last and last.times else None


def sweeps(store: stores.Store, workload: str) -> Iterator[Sweep]:
    """The newest sweep of each machine and device: published ones first, then the newest first."""
    turns = store.of_kind(TurnRecord, workload=workload)
    places = {(store.is_local(turn), turn.machine.id, turn.device) for turn in turns}
    made = []
    for local, machine, device in places:
        own = [turn for turn in turns if store.is_local(turn) == local]
        made.append(Sweep(store, newest_sweep(own, machine, device)))
    newest_first = sorted(made, key=lambda sweep: (sweep.first.sweep, sweep.first.machine.id), reverse=True)
    yield from sorted(newest_first, key=lambda sweep: sweep.local)
