"""The plan of a ranked sweep: which turns are done, which case is next, and how long the rest takes."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rosetta_host.benchmark.paired_timing import SETTLE, TURN
from rosetta_host.benchmark.ranking import CaseId, counts
from rosetta_host.benchmark.runs import Job
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Case, UserError
from rosetta_host.datasets import dataset
from rosetta_host.environments.digests import differing, digests
from rosetta_host.records.store import BenchmarkRecord, Machine, Record, TurnRecord, of_kind

PAIRS = 2  # steady stretches of a turn, each beside one of the reference; most of the spread lies between turns
FEWEST_BATCHES = 2  # of a stretch; so many of the slowest case take six seconds
MOST_FAILURES = 3  # failed turns after which a case is left out
MOST_VISITS = 2  # times as many turns as are wanted: on a machine that stays disturbed a sweep still ends
RESUMABLE = timedelta(days=1)  # a sweep that is older is of another state of the machine
START = 10.0  # seconds assumed to start and compile a case of which there is no record


def reference_case(workload: str) -> Case:
    """The case that every other one of its workload is compared with. Raises UserError if there is none."""
    for implementation in frameworks.implementations().values():
        if implementation.framework.shown_first and workload in implementation.workloads:
            return Case(implementation, workload)
    raise UserError(f"No framework with an example {workload} is declared `shown_first`, so none can be the reference.")


def case_id(case: Case) -> CaseId:
    return CaseId(case.implementation.id, case.workload, case.variant)


def resumable(turns: Sequence[TurnRecord], cases: Sequence[Case], where: Machine, device: str) -> str | None:
    """The name of the newest sweep on this machine and device, if it can continue with these cases; otherwise None.

    It began within a day, holds no other case, and all of its turns are of the current code and environments.
    """
    own = [turn for turn in turns if (turn.machine.id, turn.device) == (where.id, device)]
    name = max((turn.sweep for turn in own), default=None)
    if name is None or not timedelta(0) <= datetime.now(UTC) - _began(name) < RESUMABLE:
        return None
    today = {case_id(case): digests(case.implementation, case.workload, device) for case in cases}
    same = (not differing(turn.digests, today.get(CaseId.of(turn), {})) for turn in own if turn.sweep == name)
    return name if all(same) else None


def _began(name: str) -> datetime:
    """When a sweep began, from its name, which is as `store.now` writes the time."""
    return datetime.strptime(name, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)


class Plan:
    """Which turns of a sweep are done, and which case is next. All of it follows from the sweep's name and records.

    past: records from which to estimate seconds, those of other sweeps and of benchmarks.
    """

    def __init__(self, name: str, cases: Sequence[Case], turns: int, past: Sequence[Record], device: str) -> None:
        self.name, self.turns, self.device = name, turns, device
        self.cases = sorted(cases, key=lambda case: case.label)
        self.earlier = [turn for turn in of_kind(past, TurnRecord) if turn.device == device]
        self.done = [turn for turn in self.earlier if turn.sweep == name]
        self.benchmarks = {
            CaseId(record.implementation, record.workload, record.variant): record
            for record in of_kind(past, BenchmarkRecord)
            if record.status == "ok" and record.device == device and not record.historic
        }

    def add(self, turn: TurnRecord) -> None:
        self.done.append(turn)
        self.earlier.append(turn)

    def visits(self, case: Case) -> list[TurnRecord]:
        """The turns of a case in this sweep, whatever their end."""
        return [turn for turn in self.done if CaseId.of(turn) == case_id(case)]

    def missing(self, case: Case) -> int:
        """How many turns of a case are still wanted; 0 once it is left out."""
        visits = self.visits(case)
        failed = [turn.status for turn in visits if turn.status != "ok"]
        if "unsupported" in failed or len(failed) >= MOST_FAILURES or len(visits) >= MOST_VISITS * self.turns:
            return 0
        return max(0, self.turns - sum(map(counts, visits)))

    def next_case(self) -> Case | None:
        """The next case to visit; None at the end. A round visits each in an order of its own, drawn from the name.

        A case whose turn was disturbed or failed has further rounds.
        """
        left = [case for case in self.cases if self.missing(case)]
        if not left:
            return None
        number = min(len(self.visits(case)) for case in left)
        order = random.Random(f"{self.name}/{number}").sample(self.cases, len(self.cases))
        return next(case for case in order if case in left and len(self.visits(case)) == number)

    def batches(self, case: Case) -> int:
        """The batches of an epoch of a case: those of about `TURN` seconds, from a few to all of the sample's.

        The same in all turns of a sweep.
        """
        if fixed := [turn.stretch_steps for turn in self.visits(case) if turn.stretch_steps]:
            return fixed[0]
        job = quick_job(case, self.device)
        most = (dataset.describe(case.workload, job.data, job.standing)[0].train or 0) // job.settings.batch_size
        step = self.step(case)
        return min(most, max(FEWEST_BATCHES, round(TURN / step))) if step else most

    def step(self, case: Case) -> float | None:
        """Estimated seconds of a step: from a benchmark of the case, of its `train`, or of the workload's median case.

        None if there is none.
        """
        rates = {id_: record.train_rate for id_, record in self.benchmarks.items() if record.train_rate}
        same = [rate for id_, rate in rates.items() if id_.workload == case.workload]
        own = case_id(case)
        rate = rates.get(own) or rates.get(own._replace(variant=None)) or statistics.median(same or [0.0])
        return quick_job(case, self.device).settings.batch_size / rate if rate else None

    def seconds(self, case: Case) -> float:
        """Estimated seconds of a turn: those of earlier turns, or from the times of a benchmark."""
        earlier = [
            turn.times.process
            for turn in self.earlier
            if CaseId.of(turn) == case_id(case) and turn.times and turn.times.process
        ]
        if earlier:
            return statistics.median(earlier)
        record, start = self.benchmarks.get(case_id(case)), START
        if record and record.times:
            times = record.times
            start = sum(filter(None, (times.imported, times.load, times.build, times.first_step)))
        own, reference = map(self.stretch, (case, reference_case(case.workload)))
        return start + (2 + PAIRS) * own + (1 + PAIRS) * reference  # with the first stretch and the warm-up

    def stretch(self, case: Case) -> float:
        """Estimated seconds of a stretch, and of the pause after it."""
        return max(TURN, self.batches(case) * (self.step(case) or 0.0)) + SETTLE

    def seconds_left(self) -> float:
        return sum(self.missing(case) * self.seconds(case) for case in self.cases)

    def turns_left(self) -> int:
        return sum(map(self.missing, self.cases))

    def __str__(self) -> str:
        """The plan in one line."""
        done = f"; {len(self.done)} turns are done" if self.done else ""
        return (
            f"Ranked sweep {self.name}: {len(self.cases)} cases in {self.turns} turns each{done}; "
            f"{self.turns_left()} turns left, about {math.ceil(self.seconds_left() / 60)} minutes"
        )


def quick_job(case: Case, device: str) -> Job:
    """The run of a case on the embedded sample."""
    return Job(case, "quick", device, 0, *dataset.locate(case.workload, "quick"))
