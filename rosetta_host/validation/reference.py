"""What a record is compared with: the published records, and what the catalog states."""

from __future__ import annotations

import functools
import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

from rosetta_common import run
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import Implementation
from rosetta_host.certificate import parameters
from rosetta_host.records.store import Record, is_historic

AS_ITS_COMMAND_WROTE_IT = "Run it again, and submit the file as its command writes it."


class Reason(NamedTuple):
    """Why a record is refused, without its file's name: a sentence with the figures, and what to do."""

    what: str
    remedy: str = AS_ITS_COMMAND_WROTE_IT

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"


class Rate(NamedTuple):
    """The rate of a machine's matrix product, FLOP/s: the median of so many records."""

    median: float
    records: int


@dataclass(frozen=True)
class Reference:
    """What all records are compared with.

    rates: machine -> its rate. timings: the times of a run, which no two share -> the names of the files that hold
    them. latest: the time after which no record can have been made; None: that is not checked.
    """

    implementations: Mapping[str, Implementation]
    rates: Mapping[str, Rate]
    timings: Mapping[tuple[float, ...], set[str]]
    latest: str | None = None

    @classmethod
    def of(
        cls, records: Mapping[Path, Record], implementations: Mapping[str, Implementation], latest: str | None = None
    ) -> Reference:
        """The reference that these records make."""
        rates: dict[str, list[float]] = defaultdict(list)
        timings: dict[tuple[float, ...], set[str]] = defaultdict(set)
        for path, record in records.items():
            if (rate := record.machine.matmul_rate) is not None:
                rates[record.machine.id].append(rate)
            if key := timing(record):
                timings[key].add(path.name)
        medians = {name: Rate(statistics.median(known), len(known)) for name, known in rates.items()}
        return cls(implementations, medians, timings, latest)


def timing(record: Record) -> tuple[float, ...]:
    """The times that no other run can share to the last digit; none for a number that is quoted."""
    if record.times is None or record.times.process is None or is_historic(record):
        return ()
    return (*record.times.epochs, record.times.process)


def is_of_today(record: Record) -> bool:
    """Whether a record is of the workload's network, data and hyperparameters as they are now."""
    return record.created >= workloads.get(record.workload).since


def settings(record: Record) -> SimpleNamespace:
    """The hyperparameters of its workload."""
    known: SimpleNamespace = run.settings_of(record.workload)
    return known


def parameter_count(implementation: Implementation, workload: str) -> int:
    """The number of parameters of a network in the forms that an implementation declares."""
    return _count(workload, tuple(sorted(implementation.workload(workload).forms.items())))


@functools.cache  # the largest weights have millions of entries
def _count(workload: str, forms: tuple[tuple[str, str], ...]) -> int:
    shapes: dict[str, tuple[int, ...]] = workloads.module(workload, "weights").shapes()
    return parameters.count(workload, dict(forms), {name: prod(shape) for name, shape in shapes.items()})
