"""The measurements of a lesson's patches: for each implementation and patch, the newest records of the present code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from statistics import geometric_mean, mean
from weakref import WeakKeyDictionary

from sphinx.config import Config

from _ext.core import newest
from _ext.core import store as stores
from _ext.core.verdicts import named
from _ext.lessons.intervals import SAME_ACCURACY, SAME_TIME, Change, Interval, interval, of_accuracy, of_time, ratio
from _ext.results.certificates import number
from rosetta_host.catalog.frameworks import Implementation, UserError
from rosetta_host.environments import digests
from rosetta_host.lessons.declarations import Lesson
from rosetta_host.mutation import mutants
from rosetta_host.mutation.mutants import Mutant
from rosetta_host.records.store import LessonRecord, RecordedCheck

SAME = f"same within {100 * (SAME_TIME - 1):.0f} %"
TIMED: dict[Change, str] = {"more": "slower", "same": SAME, "less": "faster", "cannot tell": "cannot tell"}
COST: dict[Change, str] = {
    "less": "it costs accuracy",
    "more": "it gains accuracy",
    "same": f"same within {100 * SAME_ACCURACY:.0f} point",
    "cannot tell": "cannot tell",
}
STILL_A_TRAP = "still a trap"  # the patch runs, and the certificate fails: the mistake can still be made
# The verdicts in the order in which they are told, with how several are counted.
VERDICTS = {
    STILL_A_TRAP: "still a trap in",
    **{verdict: f"{verdict} in" for verdict in TIMED.values()},
    "cannot be written here": "cannot be written in",
    "failed": "failed in",
    "not measured yet": "not measured yet in",
}
NEEDS_GPU = "needs a GPU: not measured yet"


class Today:
    """The digests of the code as it is, each worked out once a build."""

    def __init__(self) -> None:
        self.digests: dict[tuple[str, str, str], dict[str, str]] = {}

    def of(self, implementation: Implementation, workload: str, device: str) -> dict[str, str]:
        """The digests that a record of this implementation carries if it is made now."""
        key = (implementation.id, workload, device)
        if key not in self.digests:
            self.digests[key] = digests.digests(implementation, workload, device)
        return self.digests[key]


_today: WeakKeyDictionary[Config, Today] = WeakKeyDictionary()


def today(config: Config) -> Today:
    """The digests of the build with this configuration."""
    return _today.setdefault(config, Today())


@dataclass(frozen=True)
class MeasurementSetting:
    """What measurements that may be compared share: machine, device, data, and locks or one external interpreter.

    Accuracies are compared over all machines: another one rounds in another way, and changes nothing else.
    """

    machines: tuple[str, ...]
    device: str
    local: bool
    data: str = ""
    external: bool = False

    @classmethod
    def of(cls, store: stores.Store, *records: LessonRecord) -> MeasurementSetting:
        """Where records were made. The data is named unless it is the official one."""
        first = records[0]
        copy = (
            first.data.source if first.data and first.measure == "accuracy" and first.data.source != "official" else ""
        )
        machines = tuple(dict.fromkeys(record.machine.name for record in records))
        return cls(machines, first.device or "cpu", store.is_local(first), copy, bool(first.environment))

    @property
    def name(self) -> str:
        """How a reader knows it."""
        facts = [
            "on its GPU" if self.device == "gpu" else "",
            "external interpreter" if self.external else "",
            self.data,
        ]
        where = ", ".join(fact for fact in (" and ".join(self.machines), *facts) if fact)
        return where + (" (this machine, just now; not published)" if self.local else "")


def setting_key(store: stores.Store, record: LessonRecord) -> tuple[object, ...]:
    """What sets the setting of a record apart; other facts about a machine may change from day to day."""
    setting = MeasurementSetting.of(store, record)
    return (
        "" if record.measure == "accuracy" else record.machine.id,
        setting.device,
        setting.local,
        setting.data,
        setting.external,
    )


@dataclass(frozen=True)
class Measurement:
    """One patch in one implementation, in one setting; without a setting where nothing current is recorded.

    size: the newest record of its certificate. time: the newest of its time by turns with the example as it is.
    stale: what has changed since it was measured last, if nothing current is recorded. broken: why it does not fit.
    """

    implementation: Implementation
    name: str
    mutant: Mutant | None
    setting: MeasurementSetting | None = None
    size: LessonRecord | None = None
    time: LessonRecord | None = None
    stale: str = ""
    broken: str = ""

    @property
    def newest(self) -> LessonRecord | None:
        """The newer of its records."""
        return newest.here(record for record in (self.size, self.time) if record)

    @property
    def seconds(self) -> tuple[float, float] | None:
        """Seconds a step, as it is and with the patch: geometric means, whose ratio is the mean of `ratio`."""
        if not self.time or not self.time.pairs:
            return None
        before, after = zip(*self.time.pairs, strict=True)
        return geometric_mean(before), geometric_mean(after)

    @property
    def ratio(self) -> Interval | None:
        """How many times as long a step takes with the patch, from pair to pair."""
        return ratio(self.time.pairs) if self.time else None

    @property
    def fault(self) -> LessonRecord | None:
        """The record that did not end as it should have."""
        return next((record for record in (self.size, self.time) if record and record.status != "ok"), None)

    @property
    def verdict(self) -> str:
        """What this patch tells of the lesson in this implementation: one of `VERDICTS`."""
        if self.broken:
            return "failed"
        if self.mutant is None or self.mutant.unsupported:
            return "cannot be written here"
        if self.fault:
            return "not measured yet" if self.fault.status == "unsupported" else "failed"
        if self.size is None or (self.mutant.harmless and self.time is None):
            return "not measured yet"
        return TIMED[of_time(self.ratio)] if self.mutant.harmless else STILL_A_TRAP

    @property
    def why(self) -> str:
        """What a verdict rests on that no number tells."""
        if self.mutant and self.mutant.unsupported:
            return self.mutant.unsupported
        return self.broken or self.stale or (self.fault and (self.fault.reason or self.fault.status)) or ""

    @property
    def failed_checks(self) -> list[RecordedCheck]:
        """The checks that the patch fails, the clearest first: the one farthest beyond its limit.

        Of those that are about as far, the first in the certificate's order: wrong digits are wrong in all its scores.
        """
        return sorted((check for check in self.size.checks if not check.ok), key=_short) if self.size else []

    @property
    def certificate(self) -> str:
        """Which check catches it, or that none does."""
        failed = self.failed_checks
        if failed:
            others = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
            return f"{says_check(failed[0])}{others}"
        return f"passes all {len(self.size.checks)} checks" if self.size and self.size.checks else ""


def _short(check: RecordedCheck) -> float:
    """How far a check is from having failed as clearly as can be: its limit over its figure; 1 without a limit.

    In one digit, for more would tell apart what is alike.
    """
    if check.limit is None:
        return 1.0
    return float(f"{check.limit / check.figure:.0e}") if check.figure else 0.0


def says_check(check: RecordedCheck) -> str:
    """A check that failed, with its figure beside its limit."""
    if check.limit is None:
        return check.name
    figure = "not a finite number" if check.figure is None else number(check.figure)
    return f"{check.name}: {figure}, limit {check.limit:.2g}".replace("e-0", "e-")


@dataclass(frozen=True)
class Cost:
    """What a patch costs an implementation in accuracy, in one setting.

    runs: seed -> accuracy as it is and with the patch. failed: seed -> the run with the patch that went wrong.
    """

    implementation: Implementation
    name: str
    setting: MeasurementSetting
    newest: LessonRecord
    runs: dict[int, tuple[float, float]]
    failed: dict[int, LessonRecord]

    @property
    def means(self) -> tuple[float, float]:
        """The mean accuracy as it is and with the patch, a fraction of 1, over the same seeds."""
        return mean(before for before, _ in self.runs.values()), mean(after for _, after in self.runs.values())

    @property
    def differences(self) -> list[float]:
        """With the patch less as it is, seed by seed."""
        return [after - before for before, after in self.runs.values()]

    @property
    def interval(self) -> Interval | None:
        return interval(self.differences)

    @property
    def finding(self) -> str:
        """What the interval says."""
        return COST[of_accuracy(self.interval)] + ("" if self.interval else ": one seed")


def offered(implementation: Implementation, workload: str) -> tuple[dict[str, Mutant], str]:
    """What an implementation's folder says of patches of a workload; or why that cannot be read."""
    if workload not in implementation.workloads:
        return {}, ""
    try:
        return mutants.offered(implementation, workload), ""
    except UserError as error:
        return {}, str(error)


@dataclass
class LessonEvidence:
    """The measurements of one lesson's patches."""

    store: stores.Store
    now: Today
    slug: str
    lesson: Lesson
    measurements: list[Measurement] = field(init=False, default_factory=list)
    # Implementations whose folder says nothing of any patch of it.
    silent: list[Implementation] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        for implementation in self.store.implementations.values() if self.lesson.mutants else ():
            offers, broken = offered(implementation, self.lesson.workload)
            names = [name for name in self.lesson.mutants if name in offers or broken]
            for name in names:
                self.measurements += self.of(implementation, name, offers.get(name), broken)
            if not names and self.lesson.workload in implementation.workloads:
                self.silent.append(implementation)

    def of(
        self, implementation: Implementation, name: str, mutant: Mutant | None, broken: str = ""
    ) -> Iterator[Measurement]:
        """One measurement for each setting with a current record, or one without a setting."""
        if mutant is None or mutant.unsupported:
            yield Measurement(implementation, name, mutant, broken=broken)
            return
        runs = [run for run in self.runs(implementation, mutant) if run.measure != "accuracy"]
        settings: dict[tuple[object, ...], list[LessonRecord]] = {}
        for run in runs:
            if not self.changed(implementation, mutant, run):
                settings.setdefault(setting_key(self.store, run), []).append(run)
        for here in settings.values():
            size, time = ([run for run in here if run.measure == measure] for measure in ("size", "time"))
            setting = MeasurementSetting.of(self.store, here[-1])
            yield Measurement(implementation, name, mutant, setting, newest.here(size), newest.here(time))
        if not settings:
            yield Measurement(implementation, name, mutant, stale=self.stale(implementation, mutant, runs))

    def runs(self, implementation: Implementation, mutant: Mutant | None) -> list[LessonRecord]:
        """The records of a patch of this lesson in an implementation, or of the implementation as it is, oldest first.

        One that was interrupted says nothing.
        """
        wanted = {"mutant": mutant.name, "lesson": self.slug} if mutant else {"mutant": None}
        runs = self.store.of_kind(
            LessonRecord, implementation=implementation.id, workload=self.lesson.workload, **wanted
        )
        return [run for run in runs if run.status != "interrupted"]

    def changed(self, implementation: Implementation, mutant: Mutant | None, run: LessonRecord) -> list[str]:
        """Which of the things that a record holds for have changed."""
        now = dict(self.now.of(implementation, self.lesson.workload, run.device or "cpu"))
        if mutant:
            now["mutant"] = digests.text_digest(mutant.patched(), mutant.label)
        if run.measure == "size":  # what the certificate says
            now[digests.JUDGE] = digests.judge_digest(self.lesson.workload)
        if run.environment:  # no lock made it, so none can differ from it
            now["lock"] = run.digests.get("lock", "")
        return digests.differing(run.digests, now)

    def stale(self, implementation: Implementation, mutant: Mutant | None, runs: list[LessonRecord]) -> str:
        """That there is a record, and what has changed since."""
        last = newest.anywhere(runs)
        if last is None:
            return ""
        changed = [key for key in self.changed(implementation, mutant, last) if key != "mutant"] or ["patch"]
        return f"stale: measured with another {named(changed)}"

    @cached_property
    def costs(self) -> list[Cost]:
        """What each patch costs in accuracy, wherever a current record says so."""
        implementations = self.store.implementations.values() if self.lesson.accuracy else ()
        return [
            cost
            for implementation in implementations
            for name in self.lesson.mutants
            for cost in self.cost(implementation, name)
        ]

    def cost(self, implementation: Implementation, name: str) -> Iterator[Cost]:
        """The runs of one patch in one implementation, each beside its unpatched run with the same seed, by setting."""
        mutant = offered(implementation, self.lesson.workload)[0].get(name)
        if mutant is None or mutant.unsupported:
            return
        own = self.by_seed(implementation, None)
        for key, patched in self.by_seed(implementation, mutant).items():
            before = {seed: run.accuracy for seed, run in own.get(key, {}).items() if run.accuracy is not None}
            after = {seed: run.accuracy for seed, run in patched.items() if run.accuracy is not None}
            runs = {seed: (before[seed], after[seed]) for seed in sorted(before.keys() & after.keys())}
            failed = {seed: run for seed, run in patched.items() if run.accuracy is None}
            if runs or failed:
                last = newest.anywhere(patched.values())
                assert last
                paired = [by_seed[seed] for seed in runs for by_seed in (patched, own[key])]
                setting = MeasurementSetting.of(self.store, *paired, *failed.values())
                yield Cost(implementation, name, setting, last, runs, failed)

    def by_seed(
        self, implementation: Implementation, mutant: Mutant | None
    ) -> dict[tuple[object, ...], dict[int, LessonRecord]]:
        """Setting -> seed -> the newest current run on all of the data."""
        current: dict[tuple[object, ...], dict[int, LessonRecord]] = {}
        for run in self.runs(implementation, mutant):
            if run.measure == "accuracy" and run.seed is not None and not self.changed(implementation, mutant, run):
                current.setdefault(setting_key(self.store, run), {})[run.seed] = run
        return current

    @property
    def stale_costs(self) -> bool:
        """Whether the cost in accuracy is measured, but with other code."""
        runs = self.store.of_kind(LessonRecord, lesson=self.slug)
        return not self.costs and any(run.measure == "accuracy" and run.mutant is not None for run in runs)

    def of_mutant(self, name: str) -> list[Measurement]:
        """One measurement of a patch for each implementation: with a verdict, of the lesson's device, the newest."""
        best: dict[str, Measurement] = {}
        for measurement in (measurement for measurement in self.measurements if measurement.name == name):
            before = best.get(measurement.implementation.id)
            if before is None or self.weight(measurement) > self.weight(before):
                best[measurement.implementation.id] = measurement
        return list(best.values())

    def weight(self, measurement: Measurement) -> tuple[bool, bool, str]:
        """The rank of a measurement: a GPU counts first for a lesson about GPUs, a CPU for the others."""
        wanted = "gpu" if self.lesson.gpu else "cpu"
        own = measurement.setting is not None and measurement.setting.device == wanted
        return measurement.verdict != "not measured yet", own, measurement.newest.created if measurement.newest else ""

    def tell(self, name: str) -> str:
        """How often each verdict was given for one patch: "still a trap in 9 implementations, failed in 3"."""
        counts = Counter(measurement.verdict for measurement in self.of_mutant(name))
        phrases = [f"{VERDICTS[verdict]} {counts[verdict]}" for verdict in VERDICTS if counts[verdict]]
        if phrases:
            phrases[0] += " implementation" if phrases[0].endswith(" 1") else " implementations"
        return ", ".join(phrases)

    @property
    def on_gpu(self) -> bool:
        """Whether there is a verdict of anything of the lesson on a GPU."""
        on_gpu = [
            measurement
            for measurement in self.measurements
            if measurement.setting and measurement.setting.device == "gpu"
        ]
        return any(measurement.verdict != "not measured yet" for measurement in on_gpu)
