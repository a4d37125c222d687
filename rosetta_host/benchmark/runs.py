"""Benchmarks: environment, certificate, first step, full run, record; with live progress; resumable.

A sweep writes one record for every run, whatever its end. In the presets `epoch` and `full` a run
that already has a good record of the same code, machine, preset and seed is not repeated.
"""

from __future__ import annotations

import math
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np

from rosetta_common import run
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import Case, Implementation, UserError
from rosetta_host.certificate import certify, parameters
from rosetta_host.datasets import dataset
from rosetta_host.environments import environment, faults, process
from rosetta_host.environments.digests import differing, digests
from rosetta_host.records import machine
from rosetta_host.records.store import BenchmarkRecord, Machine, Record, Times, of_kind

PRESETS = ("quick", "epoch", "full")
TIMEOUTS = {
    "quick": 1800.0,
    "epoch": 4 * 3600.0,
    "full": 24 * 3600.0,
}  # seconds; ten epochs at 100 images a second are 5000
FIRST_STEP_TIMEOUT = 900.0
SURE_AFTER = 600.0  # seconds of training, of which compilation is a small part: the rate is then a good estimate

OnEvent = Callable[["Job", process.Event], None]


class Job(msgspec.Struct, frozen=True):
    """One run to make. mutant: the deliberate error that the example carries."""

    case: Case
    preset: str
    device: str
    seed: int
    data: Path
    standing: str
    mutant: str | None = None

    @property
    def implementation(self) -> Implementation:
        return self.case.implementation

    @property
    def workload(self) -> str:
        return self.case.workload

    @property
    def label(self) -> str:
        return " ".join([self.case.label, *([self.mutant] if self.mutant else [])])

    @property
    def settings(self) -> SimpleNamespace:
        settings: SimpleNamespace = run.settings_of(self.workload)
        return settings

    @property
    def epochs(self) -> int:
        return self.settings.epochs if self.preset == "full" else 1

    @property
    def unit(self) -> str:
        return f"{workloads.get(self.workload).samples}/s"

    @property
    def times_first_step(self) -> bool:
        """Whether to time the first step. The quick preset ranks no framework and need not compile twice."""
        return self.preset != "quick" and self.mutant is None

    @property
    def threads(self) -> int:
        return environment.threads(self.implementation, self.workload)

    @property
    def stated(self) -> dict[str, str]:
        """The environment variables of its processes beside the inherited ones, as a record states them."""
        return environment.stated(self.implementation, self.workload, self.threads, self.device, tuned=self.case.tuned)

    def environ(self, folder: Path) -> dict[str, str]:
        """All environment variables of one timed process. What it compiles goes to folder/cache, made here, empty."""
        cache = folder / "cache"
        cache.mkdir()
        implementation, tuned = self.implementation, self.case.tuned
        own = environment.variables(implementation, self.workload, self.threads, self.device, tuned=tuned, cache=cache)
        return {**own, "ROSETTA_DATA": str(self.data)}


def command(job: Job, python: Path, folder: Path, *options: str) -> list[str | Path]:
    """The command that runs the job's example in its environment, and writes its results to `folder`."""
    verb, seed = ["--verb", job.case.verb], ["--seed", str(job.seed)]
    return [
        python,
        "-m",
        "rosetta_common",
        "run",
        job.implementation.example(job.workload),
        "--folder",
        folder,
        *seed,
        *verb,
        *options,
    ]


def _first_step(job: Job, python: Path, on_event: OnEvent) -> float | None:
    """Seconds of the very first step, with all that a framework compiles in it, in a process of its own."""
    on_event(job, {"event": "stage", "name": "first step"})
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        arguments = command(job, python, Path(folder), "--samples", str(job.settings.batch_size))
        seconds: list[float] = []

        def listen(event: process.Event) -> None:
            if event["event"] == "trained":
                seconds.append(event["seconds"])

        ended = process.run(arguments, job.environ(Path(folder)), FIRST_STEP_TIMEOUT, listen)
        if ended.status == "interrupted":
            raise KeyboardInterrupt
    return seconds[0] if seconds and ended.status == "ok" else None


def score(scores: np.ndarray, labels: np.ndarray, evaluated: float | None) -> float:
    """Accuracy, a fraction, from predicted scores (n, classes) and labels (n,) that the host read itself.

    Raises ValueError where there are not n scores, or where the example's own figure, if it is given, differs
    by more than one sample in n (ties may fall either way).
    """
    if scores.ndim != 2 or len(scores) != len(labels):
        raise ValueError(f"predict gave scores of shape {scores.shape} for {len(labels)} samples.")
    if scores.dtype.kind not in "fiu":
        raise ValueError(f"predict gave scores of type {scores.dtype}, not of numbers.")
    if not np.isfinite(scores).all():
        raise ValueError("predict gave scores that are not finite.")
    accuracy = float(np.mean(scores.argmax(axis=1) == labels))
    if evaluated is not None and not abs(accuracy - evaluated) <= 1.5 / len(labels):  # NaN compares as false
        raise ValueError(f"evaluate says {evaluated:.4f}, the scores say {accuracy:.4f}.")
    return accuracy


def _scores(folder: Path) -> np.ndarray:
    """The scores that a run left. Raises ValueError where they are no array of plain values."""
    try:
        scores: np.ndarray = np.load(folder / "scores.npy")
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"predict left scores that cannot be read: {error}") from None
    return scores


def _steps(job: Job, samples: int) -> int:
    """The steps of a run whose batches are not counted: the number that the certificate's loop check requires."""
    full, rest = divmod(samples, job.settings.batch_size)
    partial = job.implementation.workload(job.workload).partial_batch and rest > 0
    return job.epochs * (full + partial)


def _fill(
    record: BenchmarkRecord, job: Job, folder: Path, labels: np.ndarray, first_step: float | None, seconds: float
) -> None:
    """Copy the results of a run into its record, and check them.

    first_step: seconds of the first step in a process of its own. seconds: of the whole process.
    """
    try:
        result = certify.facts(record, job.implementation, folder)
    except certify.NoResult as error:
        record.status, record.reason = "failed", str(error)
        return
    times = result["times"]
    record.times = Times(**times, train=sum(times["epochs"]), first_step=first_step, process=seconds)
    if steps := result["step_seconds"]:
        record.times.step, record.times.step_p95 = map(float, np.percentile(steps, [50, 95]))
    record.losses, record.peak_resident = result["losses"], result["peak_resident"]
    record.shapes = result["shapes"]
    forms = job.implementation.workload(job.workload).forms
    record.parameters = parameters.count(job.workload, forms, result["parameters"])
    record.steps = result["steps"] or _steps(job, result["samples"])
    epoch = statistics.median([times["epochs"][0] - record.compile_in_training, *times["epochs"][1:]])
    record.train_rate = min(record.steps // job.epochs * job.settings.batch_size, result["samples"]) / epoch
    record.predict_rate = len(labels) / times["predict"]
    # A mutant that leaves dropout on predicts differently each time.
    evaluated = None if job.mutant else result["evaluated"]
    try:
        record.accuracy = score(_scores(folder), labels, evaluated)
        if not all(math.isfinite(loss) for loss in result["losses"]):
            raise ValueError("The training loss is not finite.")
    except ValueError as error:
        record.status, record.reason = "failed", str(error)


def benchmark(job: Job, where: Machine, on_event: OnEvent, limit: float = math.inf) -> BenchmarkRecord:
    """Run one job; its record says how it ended. Never raises.

    Also measures the machine's rates, unless `where` has them already. A run whose estimated training time exceeds
    `limit` seconds is stopped; its record states the estimate.
    """
    record = certify.blank(BenchmarkRecord, job.case, where, job.device, preset=job.preset, seed=job.seed)
    record.threads, record.epochs = job.threads, job.epochs
    try:
        stamp = dataset.stamp(job.workload, job.data)
        record.data, labels = dataset.describe(job.workload, job.data, job.standing)
        python = environment.ensure(job.implementation, job.device)
    except UserError as error:
        record.status = "unsupported" if isinstance(error, environment.Unsupported) else "failed"
        record.reason = process.without_local_paths(str(error))
        return record
    record.variables = job.stated
    record.machine, record.load = machine.measured(where), os.getloadavg()[0]
    before = machine.counters()
    try:
        with faults.recorded(record):
            _run(record, job, python, labels, on_event, limit)
    except KeyboardInterrupt:
        record.status, record.reason = "interrupted", process.INTERRUPTED
    record.steal, record.pressure = machine.strain(before, machine.counters())
    if job.preset != "quick" and record.status == "ok":  # the quick preset ranks no framework
        record.matmul_rate_after = machine.matmul_rate()
    if record.status in ("ok", "failed") and dataset.stamp(job.workload, job.data) != stamp:
        record.status, record.reason = "failed", "The data changed during the run: run it again."
    return record


def _run(record: BenchmarkRecord, job: Job, python: Path, labels: np.ndarray, on_event: OnEvent, limit: float) -> None:
    """Time the first step and the whole run, and write both to the record."""
    first_step = _first_step(job, python, on_event) if job.times_first_step else None
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        arguments = command(job, python, Path(folder), "--epochs", str(job.epochs))
        time_limit = TimeLimit(job, limit)

        def listen(event: process.Event) -> None:
            time_limit.take(event)
            on_event(job, event)

        environ = job.environ(Path(folder))
        ended = process.run(arguments, environ, TIMEOUTS[job.preset], listen, halt=time_limit.over)
        record.status, record.reason = ended.status, ended.reason
        if ended.status == "interrupted" and time_limit.reason:
            record.status, record.reason = "timeout", time_limit.reason
        if ended.status == "ok":
            _fill(record, job, Path(folder), labels, first_step, ended.seconds)
        if record.status != "ok":
            record.log, record.peak_resident = ended.log, record.peak_resident or ended.peak_resident


def jobs(
    implementations: list[Implementation],
    workloads: list[str],
    preset: str,
    device: str,
    seeds: int,
    data: Path | None,
    unofficial: bool,
) -> list[Job]:
    """All runs of a sweep: seed by seed, to part an implementation's runs in time. Raises UserError for the data."""
    located = {workload: dataset.locate(workload, preset, data, unofficial) for workload in workloads}
    planned = []
    for seed in range(seeds):
        for workload in workloads:
            for implementation in implementations:
                planned += [
                    Job(case, preset, device, seed, *located[workload]) for case in implementation.cases([workload])
                ]
    return planned


def done(job: Job, where: Machine, past: Sequence[Record]) -> bool:
    """Whether a good record of this job exists: same code, environment, preset, machine, seed and data."""
    now = digests(job.implementation, job.workload, job.device)
    return any(not differing(record.digests, now) for record in _of_job(job, where, past))


def is_stale(job: Job, where: Machine, past: Sequence[Record]) -> bool:
    """Whether good records of this job exist, and all are of other code or of another environment."""
    return bool(_of_job(job, where, past)) and not done(job, where, past)


def _of_job(job: Job, where: Machine, past: Sequence[Record]) -> list[BenchmarkRecord]:
    """The good records of this job on this machine, whichever code ran."""
    wanted = ("ok", job.implementation.id, job.workload, job.preset, job.device, job.case.variant, job.seed, where.id)
    return [
        r
        for r in of_kind(past, BenchmarkRecord)
        if (r.status, r.implementation, r.workload, r.preset, r.device, r.variant, r.seed, r.machine.id) == wanted
        and r.data is not None
        and r.data.source == job.standing
    ]


class Rates:
    """Images or samples a second, loss and time left of the job that runs, from its events."""

    def __init__(self, job: Job) -> None:
        self.job, self.stage, self.epoch, self.loss, self.samples, self.total = job, "start", 0, "", 0, 0
        self.started = time.monotonic()
        self.began = math.inf  # the time at which training began

    def take(self, event: dict[str, Any]) -> None:
        """Update from one event of `rosetta_common.run`."""
        if event["event"] == "stage":
            self.stage = event["name"]
        elif event["event"] == "epoch":
            self.stage, self.epoch, self.total, self.samples = "train", event["epoch"], event["samples"], 0
            self.started = time.monotonic()
            self.began = min(self.began, self.started)
        elif event["event"] in ("progress", "trained"):
            self.samples = event["samples"] or self.total  # at the end of an epoch whose batches are not counted
            if "loss" in event:
                self.loss = f"loss {event['loss']:.4f}"

    @property
    def rate(self) -> float:
        seconds = time.monotonic() - self.started
        return self.samples / seconds if seconds > 0 else 0.0

    def left(self) -> float | None:
        """Seconds of training that are left, or None where nothing is known yet."""
        if self.stage != "train" or not self.samples:
            return None
        remaining = self.total - self.samples + (self.job.epochs - self.epoch) * self.total
        return remaining / self.rate if self.rate else None

    def trained(self) -> tuple[float, int]:
        """Seconds since training began, and the samples that all epochs have taken in them."""
        return max(0.0, time.monotonic() - self.began), max(0, self.epoch - 1) * self.total + self.samples

    def __str__(self) -> str:
        counted = f"{self.samples}/{self.total} · {self.rate:.0f} {self.job.unit}"
        silent = f"{time.monotonic() - self.started:.0f} s"  # a framework's own loader reports no batches
        training = f"epoch {self.epoch}/{self.job.epochs} · {counted if self.samples else silent}"
        parts = [self.job.label, training if self.stage == "train" else self.stage, self.loss]
        return " · ".join(part for part in parts if part)


class TimeLimit:
    """Sets `over` if a run's first minutes predict more than `limit` seconds of training; `reason` says so.

    The estimate is made once, so that a slow phase near the end cannot stop a run that has trained for hours. A
    framework's own loader reports no batches: the estimate then uses whole epochs.
    """

    def __init__(self, job: Job, limit: float) -> None:
        self.rates, self.limit, self.over, self.reason = Rates(job), limit, threading.Event(), ""
        self.judged = False

    def take(self, event: dict[str, Any]) -> None:
        """Update from one event of `rosetta_common.run`."""
        self.rates.take(event)
        seconds, done = self.rates.trained()
        if not self.judged and done and seconds >= SURE_AFTER:
            self.judged = True
            self._judge(seconds, done)

    def _judge(self, seconds: float, done: int) -> None:
        job = self.rates.job
        estimate = seconds * job.epochs * self.rates.total / done
        if estimate > self.limit:
            self.reason = (
                f"Stopped after {seconds / 60:.0f} minutes: at {done / seconds:.0f} {job.unit} its {job.epochs} epochs "
                f"would take {estimate / 3600:.1f} hours of training, and the limit is {self.limit / 3600:g}."
            )
            self.over.set()


def summary(record: BenchmarkRecord) -> str:
    """A finished run in one line."""
    name = f"{record.implementation} {record.workload}" + (f" {record.variant}" if record.variant else "")
    if record.status != "ok" or record.times is None:
        return f"{name}: {record.status}: {record.reason}"
    seconds = f"{record.times.train:.1f} s of training" if record.times.train is not None else ""
    rate = f"{record.train_rate:.0f} {workloads.get(record.workload).samples}/s"
    return f"{name}: {seconds}, {rate}, accuracy {100 * (record.accuracy or 0):.2f} %"
