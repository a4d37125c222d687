"""What there is to measure: certificates, benchmarks and lessons, each a task."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from rosetta_host.benchmark import runs
from rosetta_host.catalog.frameworks import WORKLOADS, Case, Implementation
from rosetta_host.certificate import certify
from rosetta_host.datasets import dataset
from rosetta_host.environments.digests import certificate_digests, differing, digests
from rosetta_host.lessons import declarations, experiments
from rosetta_host.lessons.experiments import Experiment
from rosetta_host.records import machine
from rosetta_host.records.store import AnyRecord, BenchmarkRecord, LessonRecord, Machine, Measure, Record
from tools.gpu_session.planner import Task

# What a record is worth beside the others, by kind and then by what trains. Without a certificate no figure of an
# implementation counts; its run by `train` is the one that tables compare; the variants show what a loader or compiling
# gains, and their certificates serve that alone; a lesson is one figure of many.
VALUES = {
    "certificate": {"train": 60.0, "variant": 6.0},
    "benchmark": {"train": 40.0, "variant": 12.0},
    "time": {"train": 5.0, "variant": 5.0},
    "size": {"train": 0.5, "variant": 0.5},
}

# Seconds of a task without a published record on such a device: those of the longest with one on a GPU, rounded up. A
# certificate shares the machine with about ten others. Shorter presets take what is left without the training. Paired
# timing starts the framework for the example and for each mutant, and takes seven turns of about a second of each.
SECONDS = {"certificate": 190.0, "quick": 30.0, "epoch": 45.0, "full": 60.0, "time": 60.0, "size": 55.0}

SHARING = {"certificate", "size"}  # they time nothing, so others may run beside them

Subject = tuple[str | None, str | None]  # the lesson and the mutant of a record; twice None for all but lessons


@dataclasses.dataclass(frozen=True)
class Setting:
    """What all tasks of a session share. data: workload -> the folder of its data, and its standing."""

    device: str
    preset: str
    data: Mapping[str, tuple[Path, str]]
    where: Machine

    @classmethod
    def of(cls, device: str, preset: str, data: Path | None, unofficial: bool, name: str | None) -> Setting:
        """Raises UserError where the data is not there, or is not official and not asked for."""
        located = {workload: dataset.locate(workload, preset, data, unofficial) for workload in WORKLOADS}
        return cls(device, preset, located, machine.describe(name))


@dataclasses.dataclass(frozen=True)
class Work:
    """A task with what it measures: a case, or the experiments of lessons that are measured together.

    kind: "certificate", a preset of a benchmark, or the way in which a lesson is measured. wanted: the records that it
    makes, with the digests that make them records of this code.
    """

    kind: str
    case: Case
    wanted: Mapping[Subject, Mapping[str, str]]
    experiments: tuple[Experiment, ...] = ()

    @property
    def key(self) -> str:
        (_, mutant), *_ = self.wanted
        return _key(self.kind, self.case.implementation.id, self.case.workload, self.case.variant, mutant)

    @property
    def needs(self) -> str | None:
        """The key of its case's certificate, without which no figure of it counts."""
        certifies = self.kind == "certificate"
        return (
            None
            if certifies
            else _key("certificate", self.case.implementation.id, self.case.workload, self.case.variant)
        )

    def task(self, estimates: Mapping[str, float]) -> Task:
        """It as the planner sees it. estimates: key -> seconds."""
        values = VALUES["benchmark" if self.kind in runs.PRESETS else self.kind]
        value = values["variant" if self.case.variant else "train"]
        seconds = estimates.get(self.key, SECONDS[self.kind])
        return Task(self.key, value, seconds, self.kind in SHARING, self.needs)

    def status(self, records: Iterable[AnyRecord], setting: Setting) -> str | None:
        """The status of its records, the first that is not ok if there is one; None where it is still to be done."""
        ended = {}
        for record in records:
            subject = _subject(record)
            if (
                key_of(record) == self.key
                and (record.device, record.machine.id) == (setting.device, setting.where.id)
                and not differing(record.digests, self.wanted.get(subject, {}))
            ):
                ended[subject] = record.status
        if ended.keys() != self.wanted.keys():
            return None
        return next((status for status in ended.values() if status != "ok"), "ok")

    def records(self, setting: Setting) -> Iterator[Record]:
        """Measure it."""
        where, device = setting.where, setting.device
        if self.kind in SHARING:
            with threadpool_limits(1):  # others run beside it
                if self.experiments:
                    yield experiments.size(self.experiments[0], where, device)
                else:
                    yield certify.certify(self.case, where, device)
        elif self.experiments:
            for _, record in experiments.times(list(self.experiments), where, device, print):
                yield record
        else:
            job = runs.Job(self.case, setting.preset, device, 0, *setting.data[self.case.workload])
            yield runs.benchmark(job, where, lambda job, event: None)


def _key(kind: str, implementation: str, workload: str, variant: str | None, mutant: str | None = None) -> str:
    """The name of a task. Those of a lesson that are timed by turns are one task, whatever their mutants."""
    parts = [kind, implementation, workload, variant or "train", mutant if kind == "size" else None]
    return " ".join(part for part in parts if part)


def _subject(record: Record) -> Subject:
    return (record.lesson, record.mutant) if isinstance(record, LessonRecord) else (None, None)


def key_of(record: Record) -> str:
    """The name of the task that a record is of."""
    kind = record.kind
    if isinstance(record, BenchmarkRecord):
        kind = record.preset
    elif isinstance(record, LessonRecord):
        kind = record.measure
    return _key(kind, record.implementation, record.workload, record.variant, _subject(record)[1])


def estimates(published: Iterable[AnyRecord], device: str) -> dict[str, float]:
    """Key -> the seconds of its newest good record on such a device, on any machine.

    A benchmark starts the framework a second time, for the first step: that takes all but the training once more.
    """
    seconds = {}
    for record in published:
        if record.device == device and record.status == "ok" and record.times and record.times.process:
            again = record.times.process - record.times.train if record.times.train else 0.0
            seconds[key_of(record)] = record.times.process + again
    return seconds


def plan(implementations: Sequence[Implementation], setting: Setting) -> list[Work]:
    """All that can be measured of these implementations, on the device of the session."""
    alone: Subject = (None, None)
    planned = []
    for implementation in implementations:
        for case in implementation.cases(list(WORKLOADS)):
            judged = certificate_digests(implementation, case.workload, setting.device)
            run = digests(implementation, case.workload, setting.device)
            planned += [Work("certificate", case, {alone: judged}), Work(setting.preset, case, {alone: run})]
    return [*planned, *_lessons(implementations, setting)]


def _lessons(implementations: Sequence[Implementation], setting: Setting) -> Iterator[Work]:
    """The lessons that need a GPU: the certificate of each mutant, and the times of all mutants of an example."""
    chosen = {slug: lesson for slug, lesson in declarations.read().by_slug.items() if lesson.gpu and lesson.mutants}
    together: dict[Measure, Callable[[Experiment], str]] = {
        "size": lambda experiment: experiment.label,
        "time": lambda experiment: experiment.case.label,
    }
    for kind, label in together.items():
        every = experiments.plan(kind, chosen, implementations, 1, setting.device)
        possible = [experiment for experiment in every if experiment.mutant and not experiment.mutant.unsupported]
        for _, group in itertools.groupby(sorted(possible, key=label), label):
            members = tuple(group)
            blanks = [experiment.record(setting.where, setting.device) for experiment in members]
            yield Work(kind, members[0].case, {_subject(blank): blank.digests for blank in blanks}, members)
