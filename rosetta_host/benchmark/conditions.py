"""What else the machine does during a ranked sweep: sampled, compared with limits, and waited for."""

from __future__ import annotations

import contextlib
import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import msgspec
import psutil

from rosetta_host.catalog.frameworks import UserError
from rosetta_host.records import machine
from rosetta_host.records.codes import Disturbance
from rosetta_host.records.store import Conditions

EVERY = 1.0  # seconds between two samples of the free memory
QUIET = 0.5  # seconds: /proc/stat counts hundredths of a second, so that this resolves 2 % of one core
PATIENCE = 300.0  # seconds to wait for an idle machine
MATMUL = {"size": 1024, "trials": 5}  # a tenth of a second on two cores: a sweep measures it thousands of times


# The most that may disturb a turn. Shares are of all cores' time.
OTHER_WORK = 0.05  # one busy core of twenty reaches it; the services of an idle system stay below it
STEAL = 0.02  # it stops the threads of a turn one after the other, so that it costs more than its share
FREE_MEMORY = 0.05  # of all memory; below it, Linux reclaims pages, which a turn then reads from the disk again
FREQUENCY = 0.9  # of the sweep's highest; a step of a throttled processor takes as much longer
MATMUL_RATE = 0.8  # of the sweep's median; measured for a tenth of a second, it varies more than a stretch


class Limits(msgspec.Struct, frozen=True):
    """The limits of a sweep: the most of the first two, the least of the others."""

    other_work: float = OTHER_WORK
    steal: float = STEAL
    free_memory: float = FREE_MEMORY
    frequency: float = FREQUENCY
    matmul_rate: float = MATMUL_RATE


class Sample(NamedTuple):
    """Seconds since the machine started, summed over its cores, and the counters of `machine.strain`."""

    total: float
    busy: float
    own: float
    counters: machine.Counters


def _own() -> float:
    """Seconds of processor time of this process and all its descendants, those that have ended included."""
    host, seconds = psutil.Process(), 0.0
    for process in [host, *host.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile: its parent has its time
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def sample() -> Sample:
    times = psutil.cpu_times()
    busy = sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq"))
    total = busy + times.idle + sum(getattr(times, name, 0.0) for name in ("iowait", "steal"))
    return Sample(total, busy, _own(), machine.counters())


def _free_memory() -> int:
    return int(psutil.virtual_memory().available)


def _frequency() -> float | None:
    """Hz, the mean of the cores; None if the system does not state it."""
    try:
        frequency = psutil.cpu_freq()
    except (OSError, NotImplementedError):
        return None
    return 1e6 * frequency.current if frequency and frequency.current else None


def between(before: Sample, after: Sample) -> Conditions:
    """The shares of the span between two samples."""
    total = max(after.total - before.total, 1e-9)
    other = (after.busy - before.busy) - (after.own - before.own)
    steal, pressure = machine.strain(before.counters, after.counters)
    return Conditions(
        load=os.getloadavg()[0],
        other_work=max(0.0, other) / total,
        steal=steal,
        pressure=pressure,
        free_memory=_free_memory(),
    )


class Watch:
    """Samples the machine from the start of the block to its end; `conditions` are those of the span."""

    def __init__(self) -> None:
        self.conditions = Conditions()
        self._rates: list[float] = []
        self._frequencies: list[float] = []
        self._least = _free_memory()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._load, self._before = os.getloadavg()[0], sample()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.conditions = msgspec.structs.replace(
            between(self._before, sample()),
            load=self._load,
            free_memory=min(self._least, _free_memory()),
            frequency=min(self._frequencies, default=None),
            matmul_rates=self._rates,
        )

    def _follow(self) -> None:
        while not self._over.wait(EVERY):
            self._least = min(self._least, _free_memory())

    def measure_rate(self) -> None:
        """Measure the rate of the matrix product, and the frequency right after it, when all cores have worked.

        At any other time a core that idles lowers its frequency, which says nothing about the turn.
        """
        self._rates.append(machine.matmul_rate(**MATMUL))
        if frequency := _frequency():
            self._frequencies.append(frequency)


def exceeded(conditions: Conditions, past: Sequence[Conditions], limits: Limits) -> list[Disturbance]:
    """What disturbed a span beyond the limits. past: the conditions of the sweep's earlier turns."""
    spans = [*past, conditions]
    rates = [rate for span in spans for rate in span.matmul_rates]
    frequencies = [span.frequency for span in spans if span.frequency is not None]
    least_rate = min(conditions.matmul_rates, default=None)
    tests = {
        Disturbance.OTHER_WORK: (conditions.other_work or 0.0) > limits.other_work,
        Disturbance.STEAL: (conditions.steal or 0.0) > limits.steal,
        Disturbance.MEMORY: conditions.free_memory is not None
        and conditions.free_memory < limits.free_memory * psutil.virtual_memory().total,
        Disturbance.FREQUENCY: conditions.frequency is not None
        and conditions.frequency < limits.frequency * max(frequencies),
        Disturbance.MATMUL_RATE: least_rate is not None and least_rate < limits.matmul_rate * statistics.median(rates),
    }
    return [disturbance for disturbance, is_exceeded in tests.items() if is_exceeded]


def sentence(disturbance: Disturbance, conditions: Conditions, limits: Limits) -> str:
    """A disturbance with its figure and its limit, as the terminal shows it."""
    if disturbance == Disturbance.OTHER_WORK:
        return f"other processes take {conditions.other_work:.0%} of the cores (limit {limits.other_work:.0%})"
    if disturbance == Disturbance.STEAL:
        return f"the hypervisor gives {conditions.steal:.0%} of the cores to others (limit {limits.steal:.0%})"
    if disturbance == Disturbance.MEMORY:
        return (
            f"{(conditions.free_memory or 0) / 1e9:.1f} GB of memory are free (limit {limits.free_memory:.0%} of all)"
        )
    if disturbance == Disturbance.FREQUENCY:
        return f"the frequency fell below {limits.frequency:.0%} of the sweep's highest"
    return f"the matrix product's rate fell below {limits.matmul_rate:.0%} of the sweep's median"


def wait_until_idle(limits: Limits, report: Callable[[str], None], patience: float = PATIENCE) -> None:
    """Return as soon as nothing but this project uses the machine.

    Raises UserError with the limits that are exceeded if that takes longer than `patience` seconds.
    """
    deadline, said = time.monotonic() + patience, False
    while True:
        before = sample()
        time.sleep(QUIET)
        conditions = between(before, sample())
        exceeding = exceeded(conditions, [], limits)
        if not exceeding:
            return
        reasons = "; ".join(sentence(disturbance, conditions, limits) for disturbance in exceeding)
        if time.monotonic() > deadline:
            raise UserError(
                f"A ranked sweep needs the machine to itself, but after {patience:.0f} seconds {reasons}. "
                "End the other work and repeat the command: turns that are done are kept."
            )
        if not said:
            report(f"Waiting up to {patience:.0f} seconds for an idle machine: {reasons}.")
            said = True
