"""Which record counts: the newest of one processor, which is a machine and a device of it.

Two processors give two numbers, so a newer record of one does not replace that of the other. `here` refuses records of
several processors, `each` keeps them apart. `anywhere` is for what is the same on all of them, such as a version, an
answer or a certificate.
"""

from __future__ import annotations

from collections.abc import Iterable

from _ext.core import store as stores
from rosetta_host.catalog.frameworks import Implementation, UserError
from rosetta_host.records.store import R, Record, is_historic

Processor = tuple[str, str]  # the id of a machine, and "cpu" or "gpu"


def processor(record: Record) -> Processor:
    """The processor that a record was made on."""
    return record.machine.id, record.device or "cpu"


def each(records: Iterable[R]) -> dict[Processor, R]:
    """Processor -> its newest record, in the order of their names."""
    last: dict[Processor, R] = {}
    for record in sorted(records, key=lambda record: (processor(record), record.created)):
        last[processor(record)] = record
    return last


def here(records: Iterable[R]) -> R | None:
    """The newest of records of one processor, None of none. Raises UserError where they are of several."""
    last = each(records)
    if len(last) > 1:
        names = ", ".join(f"{machine}@{device}" for machine, device in last)
        raise UserError(f"Records of several machines or devices answer, of which one has to be named: {names}.")
    return next(iter(last.values()), None)


def rank(record: Record) -> tuple[bool, str]:
    """The order of records that hold on every processor: of a CPU, which every reader has, after of a GPU."""
    return (record.device or "cpu") == "cpu", record.created


def anywhere(records: Iterable[R]) -> R | None:
    """The newest record of what no processor changes: of a CPU, or else of a GPU. None of none."""
    return max(records, key=rank, default=None)


def version(store: stores.Store, implementation: Implementation) -> str | None:
    """The version that ran newest in the implementation's locked environment."""
    runs = store.of_kind(Record, implementation=implementation.id, environment=None)
    newest = anywhere(run for run in runs if run.version and not is_historic(run))
    return newest.version if newest else None
