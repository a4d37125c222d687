"""Whether the figures of a run add up: its times, its steps, its rates, its losses and its accuracy."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from itertools import chain

from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import Implementation
from rosetta_host.records.store import BenchmarkRecord, LessonRecord, RunRecord, Times, TurnRecord, is_patched
from rosetta_host.validation.reference import Reason, is_of_today, parameter_count, settings

ROUNDING = 1e-6  # relative: of sums and quotients that are computed again in another order
# The loss of a network that knows nothing is ln(classes); one that has learned was at most 0.83 of it in the published
# records.
UNLEARNED = 0.95
NEEDED = ("data", "accuracy", "losses", "train_rate", "predict_rate", "steps", "epochs", "seed")  # of a benchmark


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=ROUNDING, abs_tol=1e-12)


def times(record: RunRecord) -> Iterator[Reason]:
    """Whether the times are seconds that make up the whole."""
    if (times := record.times) is None:
        return
    parts = {name: getattr(times, name) for name in times.__struct_fields__ if name != "epochs"}
    stated = {name: seconds for name, seconds in parts.items() if seconds is not None}
    wrong = [
        f"{name} is {seconds:g} s"
        for name, seconds in chain(stated.items(), (("an epoch", epoch) for epoch in times.epochs))
        if not (math.isfinite(seconds) and seconds >= 0)
    ]
    if wrong:
        yield Reason(f"Of its times, {', '.join(wrong)}.")
        return
    yield from _whole(times)


def _whole(times: Times) -> Iterator[Reason]:
    if times.epochs and times.train is not None and not _close(sum(times.epochs), times.train):
        yield Reason(f"Its epochs add up to {sum(times.epochs):.6g} s, and it states {times.train:.6g} s of training.")
    inside = (times.imported, times.load, times.build, times.train, times.predict, times.evaluate)
    parts = sum(seconds for seconds in inside if seconds is not None)
    if times.process is not None and times.process < parts * (1 - ROUNDING):
        yield Reason(f"The parts of its process took {parts:.6g} s, and the whole process {times.process:.6g} s.")


def steps(record: RunRecord, implementation: Implementation) -> Iterator[Reason]:
    """Whether the epochs, the steps and the rates follow from the data and the preset."""
    data, times, batch = record.data, record.times, settings(record).batch_size
    if not (data and data.train and times and times.epochs and record.epochs):
        return
    planned = settings(record).epochs if record.preset == "full" else 1
    if record.preset and record.epochs != planned:
        yield Reason(f"It trained for {record.epochs} epochs; the preset {record.preset} has {planned}.")
    if len(times.epochs) != record.epochs:
        yield Reason(f"It trained for {record.epochs} epochs, and states the times of {len(times.epochs)}.")
    full, rest = divmod(data.train, batch)
    partial = implementation.workload(record.workload).partial_batch and rest > 0
    possible = {record.epochs * full, record.epochs * (full + partial)}
    if record.steps is not None and record.steps not in possible:
        counts = " or ".join(map(str, sorted(possible)))
        yield Reason(
            f"It made {record.steps} steps; {record.epochs} epochs of {data.train} samples in batches of {batch} are "
            f"{counts}."
        )
    elif record.steps and record.train_rate is not None:
        samples = min(record.steps // record.epochs * batch, data.train)
        yield from _rate("trained", record.train_rate, samples, [times.epochs, _steady(record)], "its median epoch")
    if times.predict and data.test and record.predict_rate is not None:
        yield from _rate("predicted", record.predict_rate, data.test, [[times.predict]], "its prediction")


def _steady(record: RunRecord) -> list[float]:
    """The seconds of the epochs without what compiles in the first."""
    first, *others = record.times.epochs if record.times else []
    return [first - record.compile_in_training, *others]


def _rate(verb: str, stated: float, samples: int, ways: list[list[float]], what: str) -> Iterator[Reason]:
    """Whether a rate is that of the median, in one of the ways in which records took it.

    Of an even number, some took the upper one of the two. The rate of newer ones leaves out what compiles.
    """
    if min(map(min, ways)) <= 0:
        return
    rates = [(samples / statistics.median_high(way), samples / statistics.median_low(way)) for way in ways]
    if not any(least * (1 - ROUNDING) <= stated <= most * (1 + ROUNDING) for least, most in rates):
        yield Reason(f"It states that it {verb} {stated:.6g} samples per second, but {what} gives {rates[0][1]:.6g}.")


def losses(record: RunRecord) -> Iterator[Reason]:
    """Whether the losses are those of a network that learns, one for each epoch."""
    values, unlearned = list(record.losses), math.log(settings(record).classes)
    if not values:
        return
    if record.epochs is not None and len(values) != record.epochs:
        yield Reason(f"It trained for {record.epochs} epochs, and states {len(values)} losses.")
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if len(finite) < len(values) or min(finite) <= 0:
        yield Reason("A loss of it is not a positive number.")
        return
    if len(finite) > 1 and finite[-1] >= finite[0]:
        yield Reason(f"Its loss does not decrease: {finite[0]:.4g} in the first epoch, {finite[-1]:.4g} in the last.")
    if not is_patched(record) and record.accuracy and finite[-1] > UNLEARNED * unlearned:
        yield Reason(
            f"Its last loss, {finite[-1]:.4g}, is that of a network that has learned nothing (ln of the number of "
            f"classes: {unlearned:.4g}), and its accuracy is {record.accuracy:.4g}."
        )


def accuracy(record: RunRecord) -> Iterator[Reason]:
    """Whether the accuracy is a share of the test samples, and that of a correct run."""
    value, test = record.accuracy, record.data.test if record.data else None
    if value is None:
        return
    if not 0 <= value <= 1:
        yield Reason(f"Its accuracy, {value:g}, is no fraction of 1.")
        return
    if test and not math.isclose(value * test, round(value * test), abs_tol=1e-6 * test):
        yield Reason(f"Its accuracy, {value!r}, is no share of {test} samples.")
    band = workloads.get(record.workload).accuracies.get(record.preset or "")
    if band and not is_patched(record) and not band[0] <= value <= band[1]:
        yield Reason(
            f"Its accuracy, {value:.4g}, leaves the band of the preset {record.preset}, {band[0]:g} to {band[1]:g}.",
            "Certify the implementation, and run it again.",
        )


def sizes(record: RunRecord, implementation: Implementation) -> Iterator[Reason]:
    """Whether the network and its memory have the size that they must have."""
    expected = parameter_count(implementation, record.workload)
    if record.parameters is not None and is_of_today(record) and record.parameters != expected:
        yield Reason(f"Its network has {record.parameters} parameters; that of {implementation.id} has {expected}.")
    memory, resident = record.machine.memory, record.peak_resident
    if resident is not None and not 0 < resident <= (memory or math.inf):
        yield Reason(f"Its process held {resident} bytes of a memory of {memory}.")
    shares = {"steal": record.steal, "pressure": record.pressure}
    for name, share in shares.items():
        if share is not None and not 0 <= share <= 1:
            yield Reason(f"Its {name}, {share:g}, is no fraction of 1.")


def pairs(record: RunRecord) -> Iterator[Reason]:
    """Whether what was timed by turns has seconds in each turn."""
    if not isinstance(record, LessonRecord | TurnRecord):
        return
    wrong = [pair for pair in record.pairs if not all(math.isfinite(seconds) and seconds > 0 for seconds in pair)]
    if wrong:
        yield Reason(f"A pair of its times, {wrong[0][0]:g} s and {wrong[0][1]:g} s, is not of positive seconds.")
    if record.status == "ok" and not record.pairs and (isinstance(record, TurnRecord) or record.measure == "time"):
        yield Reason("It ended well, and holds no pairs of times.")
    if isinstance(record, TurnRecord):
        p50, p95 = record.steps_p50, record.steps_p95
        if p50 is not None and p95 is not None and not 0 < p50 <= p95:
            yield Reason(f"Half of its steps take {p50:g} s, and 95 of 100 {p95:g} s.")


def completeness(record: RunRecord) -> Iterator[Reason]:
    """Whether a benchmark that ended well holds the figures that the others are checked by."""
    if isinstance(record, BenchmarkRecord) and record.status == "ok":
        missing = [name for name in NEEDED if getattr(record, name) in (None, [])]
        missing += [] if record.times and record.times.epochs else ["times.epochs"]
        missing += [] if record.device == "gpu" or record.machine.matmul_rate else ["machine.matmul_rate"]
        if missing:
            yield Reason(f"It ended well, and lacks {', '.join(missing)}.")
