"""Measures the lessons: the size of each trap, its time, and its cost in accuracy, as records.

Size is the figures of the certificate's checks on the patched example. Time is seconds a step, in turns that alternate
with the unchanged example. Accuracy is that of an epoch of all the data.
"""

from __future__ import annotations

import functools
import itertools
import os
import statistics
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

import msgspec

from rosetta_host.benchmark import paired_timing, runs
from rosetta_host.catalog.frameworks import Case, Implementation
from rosetta_host.certificate import certify, judge
from rosetta_host.datasets import dataset
from rosetta_host.environments import environment, faults, process
from rosetta_host.environments.digests import JUDGE, differing, judge_digest, text_digest
from rosetta_host.lessons.declarations import Lesson
from rosetta_host.mutation import runner
from rosetta_host.mutation.mutants import Mutant, offered
from rosetta_host.records import machine, store
from rosetta_host.records.store import LessonRecord, Machine, Measure, Record

KINDS: tuple[Measure, ...] = get_args(Measure)
PRESET = "epoch"  # of the runs whose accuracy is compared

Measured = Iterator[tuple["Experiment", LessonRecord]]


class Experiment(msgspec.Struct, frozen=True):
    """One measurement of a lesson in an implementation.

    mutant: None for the example as it is, whose accuracy is compared with that of every lesson of its workload and
    so belongs to none. seed: of a run whose accuracy is measured.
    """

    kind: Measure
    case: Case
    lesson: str | None = None
    mutant: Mutant | None = None
    seed: int | None = None

    @property
    def label(self) -> str:
        parts = [self.case.label, self.mutant.name if self.mutant else "as it is"]
        return " ".join([*parts, *([f"seed {self.seed}"] if self.seed is not None else [])])

    def record(self, where: Machine, device: str) -> LessonRecord:
        """Its record with all fields that do not depend on the run. Its digests are those of the unchanged example."""
        record = certify.blank(LessonRecord, self.case, where, device, measure=self.kind)
        record.lesson, record.seed = self.lesson, self.seed
        record.preset = PRESET if self.kind == "accuracy" else None
        if self.kind == "size":  # what the certificate says
            record.digests[JUDGE] = judge_digest(self.case.workload)
        if self.mutant:
            record.mutant = self.mutant.name
            if self.mutant.unsupported:
                record.status, record.reason = "unsupported", self.mutant.unsupported
            else:
                record.digests["mutant"] = text_digest(self.mutant.patched(), self.label)
        return record


def plan(
    kind: Measure, lessons: Mapping[str, Lesson], implementations: Sequence[Implementation], seeds: int, device: str
) -> list[Experiment]:
    """All experiments of this kind on this device, seed by seed.

    A mutant that cannot be written is in those of the kind "size" only.
    """
    planned = []
    counted: Iterable[int | None] = range(seeds) if kind == "accuracy" else [None]
    for seed in counted:
        as_they_are: set[str] = set()
        for implementation, (slug, lesson) in itertools.product(implementations, lessons.items()):
            for mutant in _of_lesson(kind, lesson, implementation, device):
                if kind == "accuracy" and mutant.case.label not in as_they_are:
                    as_they_are.add(mutant.case.label)
                    planned.append(Experiment(kind, mutant.case, seed=seed))
                planned.append(Experiment(kind, mutant.case, slug, mutant, seed))
    return planned


def _of_lesson(kind: str, lesson: Lesson, implementation: Implementation, device: str) -> list[Mutant]:
    """The mutants of a lesson that this implementation offers and that this kind measures on this device."""
    if lesson.workload not in implementation.workloads or not {"time": lesson.timed, "accuracy": lesson.accuracy}.get(
        kind, True
    ):
        return []
    by_name = offered(implementation, lesson.workload)
    mutants = [by_name[name] for name in lesson.mutants if name in by_name]
    mutants = [mutant for mutant in mutants if mutant.device in (None, device)]
    return [mutant for mutant in mutants if kind == "size" or mutant.unsupported is None]


def left(
    planned: list[Experiment], where: Machine, device: str, folder: Path, data: Mapping[str, tuple[Path, str]]
) -> list[Experiment]:
    """The experiments without a good record under `folder` of this machine, code, environment and data.

    An accuracy may be of any machine. data: workload -> folder and standing, for measurements on all of the data.
    """
    past = store.of_kind(store.read_all([folder]), LessonRecord)
    outstanding = []
    for experiment in planned:
        wanted = experiment.record(where, device)
        standing = data[experiment.case.workload][1] if experiment.kind == "accuracy" else None
        if not any(_serves(record, wanted, standing) for record in past):
            outstanding.append(experiment)
    return outstanding


SAME = ("measure", "implementation", "workload", "variant", "lesson", "mutant", "preset", "seed", "device")


def _serves(record: LessonRecord, wanted: LessonRecord, standing: str | None) -> bool:
    cannot_be_written = wanted.status == "unsupported" and (record.status, record.reason) == (
        "unsupported",
        wanted.reason,
    )
    return (
        all(getattr(record, name) == getattr(wanted, name) for name in SAME)
        and not differing(record.digests, wanted.digests)
        and (
            record.machine.id == wanted.machine.id or wanted.measure == "accuracy"
        )  # which another machine only rounds
        and (record.status == "ok" or cannot_be_written)
        and (standing is None or (record.data is not None and record.data.source == standing))
    )


def _take(record: LessonRecord, result: Record) -> LessonRecord:
    """Copy the result of a patched example into the record of its lesson."""
    common = {*record.__struct_fields__} & {*result.__struct_fields__} - {"seed", "preset", "digests"}
    return msgspec.structs.replace(record, **{name: getattr(result, name) for name in common})


def size(experiment: Experiment, where: Machine, device: str) -> LessonRecord:
    """The certificate of the patched example; its status is ok only if it is judged as it should be."""
    record, mutant = experiment.record(where, device), experiment.mutant
    assert mutant
    if mutant.unsupported:
        return record
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        case = msgspec.structs.replace(mutant.case, implementation=runner.patch(mutant, Path(folder)))
        record = _take(record, certify.certify(case, where, device, parts=judge.JUDGED, timed=False))
    if record.times is None:  # an unfinished run proves nothing about the certificate
        return record
    failed = [check for check in record.checks if not check.ok]
    record.status, record.reason = "ok", None
    if mutant.harmless and failed:
        record.status, record.reason = "failed", f"It changes what is computed: {certify.line(failed[0])}"
    elif not mutant.harmless and not failed:
        record.status, record.reason = "failed", "The certificate does not notice it."
    return record


def sizes(planned: list[Experiment], where: Machine, device: str) -> Measured:
    """The size of each trap, as many at once as there are cores."""
    certify.ensure_all([experiment.case.implementation for experiment in planned], device)
    planned = environment.apart(planned, lambda experiment: experiment.case.implementation)
    yield from certify.side_by_side([functools.partial(_sized, experiment, where, device) for experiment in planned])


def _sized(experiment: Experiment, where: Machine, device: str) -> tuple[Experiment, LessonRecord]:
    return experiment, size(experiment, where, device)


def times(planned: list[Experiment], where: Machine, device: str, report: certify.Report) -> Measured:
    """Seconds a step: all mutants of an example alternate with it, and nothing else runs."""
    groups: dict[str, list[Experiment]] = {}
    for experiment in planned:
        groups.setdefault(experiment.case.label, []).append(experiment)
    for label, group in groups.items():
        names = [experiment.mutant.name for experiment in group if experiment.mutant]
        report(f"{label}, by turns: as it is, {', '.join(names)}")
        yield from _times(group, where, device)


def _times(group: list[Experiment], where: Machine, device: str) -> Measured:
    case, data = group[0].case, dataset.locate(group[0].case.workload, "quick")
    job = runs.Job(case, "quick", device, 0, *data)
    records = [experiment.record(where, device) for experiment in group]
    for record in records:
        record.threads, record.load = job.threads, os.getloadavg()[0]
        record.data, _ = dataset.describe(case.workload, *data)
    with tempfile.TemporaryDirectory(prefix="rosetta-") as name:
        folder = Path(name)
        try:
            python = environment.ensure(case.implementation, device)
            jobs = [_patched(job, experiment.mutant, folder) for experiment in group if experiment.mutant]
            before = machine.counters()
            as_it_is, *timed = paired_timing.interleaved([job, *jobs], python, folder)
            strain = machine.strain(before, machine.counters())
            for number, (record, patched) in enumerate(zip(records, timed, strict=True), start=1):
                record.steal, record.pressure = strain
                _pair(record, case.implementation, as_it_is, patched, folder / str(number))
        except environment.Unsupported as error:
            for record in records:
                record.status, record.reason = "unsupported", str(error)
        except KeyboardInterrupt:
            for record in records:
                record.status, record.reason = "interrupted", process.INTERRUPTED
            yield from zip(group, records, strict=True)
            raise
    yield from zip(group, records, strict=True)


def _patched(job: runs.Job, mutant: Mutant, folder: Path) -> runs.Job:
    """The job on a copy of the example under `folder` that carries the mutant."""
    case = msgspec.structs.replace(mutant.case, implementation=runner.patch(mutant, folder / mutant.name))
    return msgspec.structs.replace(job, case=case, mutant=mutant.name)


def _pair(
    record: LessonRecord,
    implementation: Implementation,
    as_it_is: paired_timing.Timed,
    patched: paired_timing.Timed,
    folder: Path,
) -> None:
    """Write the times of the example and of its mutant to a record, or the reason why there are none."""
    ended = as_it_is.ended if as_it_is.ended.status != "ok" else patched.ended
    record.status, record.reason = ended.status, ended.reason
    if ended.status != "ok":
        record.log = ended.log
    elif len(patched.seconds) != len(as_it_is.seconds):
        record.status, record.reason = "failed", "It ended before its turns were over."
    else:
        with faults.recorded(record), certify.ended(record):
            certify.facts(record, implementation, folder)
            record.pairs = list(zip(as_it_is.seconds, patched.seconds, strict=True))


def job(experiment: Experiment, device: str, data: Path, standing: str) -> runs.Job:
    """The run whose accuracy is measured; `accuracy` patches the mutant in."""
    mutant = experiment.mutant.name if experiment.mutant else None
    return runs.Job(experiment.case, PRESET, device, experiment.seed or 0, data, standing, mutant)


def accuracy(experiment: Experiment, run: runs.Job, where: Machine, on_event: runs.OnEvent) -> LessonRecord:
    """Train for an epoch on all the data and predict: the example as it is, or with the mutant."""
    record = experiment.record(where, run.device)
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        if experiment.mutant:
            run = _patched(run, experiment.mutant, Path(folder))
        return _take(record, runs.benchmark(run, where, on_event))


def summary(record: LessonRecord) -> str:
    """The measurement, in words."""
    if record.status != "ok":
        return f"{record.status}: {record.reason}"
    if record.accuracy is not None:
        return f"accuracy {100 * record.accuracy:.2f} %"
    if record.pairs:
        before, after = (statistics.geometric_mean(seconds) for seconds in zip(*record.pairs, strict=True))
        return f"{before:.4f} s a step as it is, {after:.4f} s with it: × {after / before:.3f}"
    failed = [check for check in record.checks if not check.ok]
    if not failed:
        return f"harmless: all {len(record.checks)} checks hold"
    return f"caught by {len(failed)} of {len(record.checks)} checks: {certify.line(failed[0])}"
