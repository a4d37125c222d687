"""Physical floor: no run computes faster than its machine multiplies matrices, or moves bytes faster than it copies.

The arithmetic that is counted is a lower bound of what a run does, but for algorithms such as Winograd's that need
fewer multiplications. A measured rate is noisy, because other work slows it down.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rosetta_host.benchmark.peaks import PEAKS
from rosetta_host.catalog import workloads
from rosetta_host.records.store import LessonRecord, RunRecord, TurnRecord
from rosetta_host.validation.reference import Reason, Reference, is_of_today, settings

# How far the rate of a machine lies above the median of its records: up to 1.23 times in the published ones.
SPREAD = 1.5
# How far a part of a run may go beyond the rate of its machine: up to 1.33 times in the published records, and SPREAD
# times that where the rate was measured at a bad moment.
SLACK = 2.0
ENOUGH = 5  # records, whose median a single one does not move much
# The fastest that a core multiplies in float32: two fused multiply-adds of 16 numbers a cycle, as processors with
# AVX-512 do them, at a clock that no processor on sale exceeds.
CORE = 2 * 2 * 16 * 6.2e9  # FLOP/s
MEASURE_AGAIN = "Measure again with the machine to itself, and submit the file as its command writes it."


class Part(NamedTuple):
    """A part of a run: its operations, and the seconds that it took."""

    what: str
    flop: float
    seconds: float


def reasons(record: RunRecord, reference: Reference) -> Iterator[Reason]:
    """Why the times of a run are too short for its machine, or its rates too high for any."""
    yield from _rates(record, reference)
    if record.status != "ok" or not is_of_today(record):
        return
    parts = [part for part in _parts(record) if part.seconds > 0]
    if record.device == "gpu" and parts and record.machine.gpu not in PEAKS:
        yield Reason(
            f"The float32 peak of its GPU, {record.machine.gpu}, is not known, so that its times cannot be checked.",
            "Add the peak and its source to rosetta_host/benchmark/peaks.py.",
        )
    ceiling, name = _ceiling(record, reference)
    for part in parts:
        if ceiling and part.flop / part.seconds > SLACK * ceiling:
            yield Reason(
                f"{part.what} took {part.seconds:.3g} s, which needs {part.flop / part.seconds:.3g} FLOP/s: "
                f"{part.flop / part.seconds / ceiling:.1f} times {name}, {ceiling:.3g} FLOP/s, and more than "
                f"{SLACK:g} times is impossible.",
                MEASURE_AGAIN,
            )
    yield from _bytes(record)


def _rates(record: RunRecord, reference: Reference) -> Iterator[Reason]:
    """Whether the machine can have the rates that the record states."""
    machine, known = record.machine, reference.rates.get(record.machine.id)
    for rate in _stated(record):
        if rate <= 0:
            yield Reason(f"It states a rate of the matrix product of {rate:g} FLOP/s.")
        if machine.cores and rate > CORE * machine.cores:
            yield Reason(
                f"A matrix product of {rate:.3g} FLOP/s is more than {machine.cores} cores can compute, "
                f"{CORE * machine.cores:.3g} FLOP/s."
            )
        if known and known.records >= ENOUGH and rate > SPREAD * known.median:
            yield Reason(
                f"A matrix product of {rate:.3g} FLOP/s is {rate / known.median:.1f} times the median of the "
                f"{known.records} records of {machine.id}, {known.median:.3g} FLOP/s.",
                "Measure again; give another machine a name of its own with --machine NAME.",
            )


def _stated(record: RunRecord) -> list[float]:
    """The rates of the matrix product that the record states."""
    rates = [record.machine.matmul_rate, record.matmul_rate_after]
    if isinstance(record, TurnRecord) and record.conditions:
        rates += record.conditions.matmul_rates
    return [rate for rate in rates if rate is not None]


def _ceiling(record: RunRecord, reference: Reference) -> tuple[float, str]:
    """The rate that bounds a run, and its name; 0 where none is known."""
    if record.device == "gpu":
        peak = PEAKS.get(record.machine.gpu or "")
        return (peak.rate if peak else 0.0), f"the published float32 peak of {record.machine.gpu}"
    known = reference.rates.get(record.machine.id)
    return max([*_stated(record), known.median if known else 0.0]), "the machine's matrix product"


def _parts(record: RunRecord) -> Iterator[Part]:
    """The parts of a run whose arithmetic is known."""
    flop, batch = workloads.get(record.workload).flop(), settings(record).batch_size
    times, data = record.times, record.data
    if times and times.epochs and data and data.train:
        yield Part("Its fastest epoch", data.train * flop, min(times.epochs))
    if times and times.first_step:
        yield Part("Its first step", batch * flop, times.first_step)
    if times and times.predict and data and data.test:  # a training step has at most three passes
        yield Part("Its prediction", data.test * flop / 3, times.predict)
    if isinstance(record, LessonRecord | TurnRecord) and record.pairs:
        reference, own = (min(seconds) for seconds in zip(*record.pairs, strict=True))
        yield Part("The fastest step that it is compared with", batch * flop, reference)
        yield Part("Its fastest step", batch * flop, own)


def _bytes(record: RunRecord) -> Iterator[Reason]:
    """Each step reads every parameter in float32 and writes it: no faster than the machine copies."""
    rate, times = record.machine.copy_rate, record.times
    if record.device == "gpu" or not (rate and record.parameters and record.steps and record.epochs and times):
        return
    moved = 2 * 4 * record.parameters * record.steps / record.epochs
    fastest = min(times.epochs, default=0)
    if fastest > 0 and moved / fastest > SLACK * rate:
        yield Reason(
            f"Its fastest epoch took {fastest:.3g} s and moves {moved:.3g} bytes of parameters: "
            f"{moved / fastest / rate:.1f} times what the machine copies, {rate:.3g} bytes/s.",
            MEASURE_AGAIN,
        )
