"""A ranked sweep: every case in turns that are spread over the sweep, each beside a reference, on an idle machine.

A turn is a fresh process of its case. One reference process for each workload lives through the whole sweep and sleeps
between its turns. A record is written as soon as a turn ends, and the records alone say what is left to do, so that a
sweep which was stopped or killed continues where it was.
"""

from __future__ import annotations

import contextlib
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np

from rosetta_host.benchmark.conditions import Limits, Watch, exceeded, sentence, wait_until_idle
from rosetta_host.benchmark.paired_timing import SETTLE, Worker, WorkerLost
from rosetta_host.benchmark.ranking import counts, log_ratio
from rosetta_host.benchmark.sweep_plan import PAIRS, Plan, quick_job, reference_case, resumable
from rosetta_host.catalog.frameworks import Case, Implementation, UserError
from rosetta_host.certificate import certify
from rosetta_host.datasets import dataset
from rosetta_host.environments import environment, faults, process
from rosetta_host.records import store
from rosetta_host.records.store import Conditions, Machine, Record, Times, TurnRecord, of_kind

MOST_STARTS = 3  # of a reference in a row
TURN_TIMEOUT = 600.0  # seconds for the process of a turn; the slowest known compiles for two minutes
SWEEP_TIMEOUT = 24 * 3600.0  # seconds for the process of a reference

Report = Callable[[str], None]


class References:
    """The long processes that all cases of a workload alternate with, one for each workload, started when needed."""

    def __init__(self, plan: Plan, folder: Path, pool: ThreadPoolExecutor, report: Report) -> None:
        self.plan, self.folder, self.pool, self.report = plan, folder, pool, report
        self.cases = {workload: reference_case(workload) for workload in {case.workload for case in plan.cases}}
        self._workers: dict[str, Worker] = {}
        self._started = 0

    def worker(self, workload: str) -> Worker:
        """The reference's process, ready to train; a new one if the last has ended. Raises UserError if none starts."""
        worker = self._workers.get(workload)
        if worker is None or not worker.is_running:
            if worker is not None:
                self.report(f"The reference process of {workload} has ended: {reason_of(worker)} It is started anew.")
            worker = self._workers[workload] = self._start(self.cases[workload])
        return worker

    def _start(self, case: Case) -> Worker:
        job, python = quick_job(case, self.plan.device), environment.ensure(case.implementation, self.plan.device)
        for _ in range(MOST_STARTS):
            self._started += 1
            folder = self.folder / f"reference-{self._started}"
            worker = Worker(job, python, folder, self.pool, self.plan.batches(case), SWEEP_TIMEOUT)
            try:
                worker.ready()
                worker.train()
            except WorkerLost:
                reason = reason_of(worker)
            except BaseException:
                worker.close()
                raise
            else:
                return worker
        raise UserError(f"The reference {case.label} does not run, so nothing can be ranked: {reason}")

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()


def reason_of(worker: Worker) -> str:
    """Why a process ended. Raises KeyboardInterrupt if the user ended it."""
    ended = worker.end().ended
    if ended.status == "interrupted":
        raise KeyboardInterrupt
    return ended.reason or "It ended without an error."


class Sweep:
    """Runs the turns that are left of a ranked sweep, and writes a record of each.

    folder: where the records go, and those of the sweep to continue are. turns: how many count for each case. hours:
    the most to spend now; what is left then is for the same call later. again: begin a new sweep in any case. past:
    records of other folders, for the estimates of time. limits: what may disturb a turn.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        where: Machine,
        device: str,
        folder: Path,
        report: Report,
        *,
        turns: int,
        hours: float = 2.0,
        again: bool = False,
        past: Sequence[Record] = (),
        limits: Limits | None = None,
    ) -> None:
        self.where, self.device, self.folder, self.report = where, device, folder, report
        self.hours, self.limits = hours, limits or Limits()
        own = store.read_all([folder])
        name = None if again else resumable(of_kind(own, TurnRecord), cases, where, device)
        self.plan = Plan(name or store.now(), cases, turns, [*past, *own], device)

    def run(self) -> list[TurnRecord]:
        """Run what is left, and return all turns of the sweep, earlier ones included.

        Raises UserError if the machine is not idle or the reference does not run, and KeyboardInterrupt after all
        processes have ended; in both cases the turns that are done are kept.
        """
        self.report(f"{self.plan}.")
        if not self.plan.turns_left():
            self.report("All of its turns are done; --again begins a new sweep.")
            return self.plan.done
        certify.ensure_all(self._implementations(), self.device)
        deadline = time.monotonic() + 3600 * self.hours
        with self._references() as (references, pool, folder):
            while case := self.plan.next_case():
                if time.monotonic() + self.plan.seconds(case) > deadline:
                    self.report(
                        f"The limit of {self.hours:g} hours is reached with {self.plan.turns_left()} turns left. "
                        "The same command continues with them."
                    )
                    break
                record = self._turn(case, references, pool, folder)
                store.write(record, self.folder)
                self.plan.add(record)
                self.report(self._line(case, record))
        return self.plan.done

    def _implementations(self) -> list[Implementation]:
        workloads = {case.workload for case in self.plan.cases}
        return [
            *(case.implementation for case in self.plan.cases),
            *(reference_case(workload).implementation for workload in workloads),
        ]

    @contextlib.contextmanager
    def _references(self) -> Iterator[tuple[References, ThreadPoolExecutor, Path]]:
        """The references with the threads and the folder of all processes, none of which outlives the block."""
        workloads = {case.workload for case in self.plan.cases}
        with (
            tempfile.TemporaryDirectory(prefix="rosetta-") as name,
            ThreadPoolExecutor(len(workloads) + 1) as pool,
            contextlib.closing(References(self.plan, Path(name), pool, self.report)) as references,
        ):
            try:
                yield references, pool, Path(name)
            except KeyboardInterrupt:
                process.stop_all()
                raise

    def _turn(self, case: Case, references: References, pool: ThreadPoolExecutor, folder: Path) -> TurnRecord:
        """One turn of a case, whatever its end."""
        record, job = self._blank(case), quick_job(case, self.device)
        record.threads, record.variables = job.threads, job.stated
        record.data, _ = dataset.describe(case.workload, job.data, job.standing)
        try:
            python = environment.ensure(case.implementation, self.device)
        except environment.Unsupported as error:
            record.status, record.reason = "unsupported", str(error)
            return record
        reference = references.worker(case.workload)
        wait_until_idle(self.limits, self.report)
        with faults.recorded(record), tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as name:
            own = Path(name) / "turn"
            with Watch() as watch:
                watch.measure_rate()
                worker = Worker(job, python, own, pool, self.plan.batches(case), TURN_TIMEOUT)
                try:
                    with contextlib.suppress(WorkerLost):
                        _measure(record, reference, worker, watch)
                except KeyboardInterrupt:
                    process.stop_all()
                    raise
                finally:
                    ended = worker.end().ended
            record.conditions, record.load = watch.conditions, watch.conditions.load
            self._finish(record, case, reference, ended, own)
        return record

    def _blank(self, case: Case) -> TurnRecord:
        """The record of the next turn of a case, before anything is known of it."""
        return certify.blank(
            TurnRecord,
            case,
            self.where,
            self.device,
            sweep=self.plan.name,
            turn=len(self.plan.visits(case)) + 1,
            order=len(self.plan.done) + 1,
            reference=reference_case(case.workload).label,
            seed=0,
        )

    def _finish(self, record: TurnRecord, case: Case, reference: Worker, ended: process.Ended, folder: Path) -> None:
        """Write to the record how its process ended and what it left, and what disturbed the turn."""
        if ended.status == "interrupted":
            raise KeyboardInterrupt
        record.status, record.reason = ended.status, ended.reason
        if ended.status != "ok":
            record.log = ended.log
            return
        if not record.pairs:
            lost = "This process" if reference.is_running else "The reference process"
            record.status, record.reason = "failed", f"{lost} ended before the turn was over."
            return
        with certify.ended(record):
            result = certify.facts(record, case.implementation, folder)
            if not all(map(math.isfinite, result["losses"])):
                record.status, record.reason = "failed", "The training loss is not finite."
                return
            times = {name: seconds for name, seconds in result["times"].items() if name != "epochs"}
            record.times, record.epochs = Times(**times, process=ended.seconds), len(result["losses"])
            record.steps, record.peak_resident = record.epochs * (record.stretch_steps or 0), result["peak_resident"]
            if steps := result.get("step_seconds"):
                record.steps_p50, record.steps_p95 = map(float, np.percentile(steps, [50, 95]))
            record.disturbed = exceeded(record.conditions or Conditions(), self._calm(), self.limits)

    def _calm(self) -> list[Conditions]:
        """The conditions of the sweep's turns that nothing disturbed."""
        return [turn.conditions for turn in self.plan.done if counts(turn) and turn.conditions]

    def _line(self, case: Case, record: TurnRecord) -> str:
        """A turn in one line, with the time left."""
        if record.status != "ok":
            result = f"{record.status}: {record.reason}"
        elif record.disturbed and record.conditions:
            reasons = [sentence(code, record.conditions, self.limits) for code in record.disturbed]
            result = f"disturbed: {'; '.join(reasons)}."
        else:
            step = statistics.median(own for _, own in record.pairs)
            compiling = record.compile_seconds or 0.0
            result = (
                f"{math.exp(log_ratio(record)):.3f} × the reference, {step:.3g} s a step, compile {compiling:.1f} s"
            )
        if not counts(record) and not self.plan.missing(case):
            result += " It is left out of later rounds."
        left = timedelta(seconds=round(self.plan.seconds_left()))
        total = len(self.plan.done) + self.plan.turns_left()
        return f"[{len(self.plan.done)}/{total}] {case.label}: {result} · {left} left"


def _measure(record: TurnRecord, reference: Worker, worker: Worker, watch: Watch) -> None:
    """Write the first stretch and the pairs of a turn to its record. Raises WorkerLost if a process ends."""
    worker.ready()
    record.stretch_steps, record.first_stretch, pairs = worker.batches, worker.train(), list[tuple[float, float]]()
    both = (reference, worker)
    epochs = [one.epochs(one.train() / one.batches) for one in both]  # the warm-up
    for number in range(PAIRS):
        if number == PAIRS // 2:
            watch.measure_rate()
            time.sleep(SETTLE)
        seconds = [0.0, 0.0]
        for index in (0, 1) if number % 2 else (1, 0):  # so that a drift of the machine favors neither
            seconds[index] = both[index].train(epochs[index]) / (epochs[index] * both[index].batches)
        pairs.append((seconds[0], seconds[1]))
    record.pairs = pairs
    watch.measure_rate()
