"""Which record speaks: the newest, at one place, which is a machine and a device of it.

Two places give two numbers, so none may stand for the other by being newer. `here` refuses records of several places,
`each` tells them apart. `anywhere` is for what no place changes, such as a version, an answer or a certificate.
"""

from __future__ import annotations

from collections.abc import Iterable

from _ext.core import store as stores
from rosetta_host.catalog.frameworks import Row, UserError
from rosetta_host.records.store import R, Record, is_historic

Place = tuple[str, str]  # the id of a machine, and "cpu" or "gpu"


def place(record: Record) -> Place:
    """Where a record was made."""
    return record.machine.id, record.device or "cpu"


def each(records: Iterable[R]) -> dict[Place, R]:
    """Place -> its newest record, places in the order of their names."""
    last: dict[Place, R] = {}
    for record in sorted(records, key=lambda record: (place(record), record.created)):
        last[place(record)] = record
    return last


def here(records: Iterable[R]) -> R | None:
    """The newest of records of one place, None of none. Raises UserError where they are of several."""
    last = each(records)
    if len(last) > 1:
        names = ", ".join(f"{machine}@{device}" for machine, device in last)
        raise UserError(f"Records of several machines or devices answer, of which one has to be named: {names}.")
    return next(iter(last.values()), None)


def rank(record: Record) -> tuple[bool, str]:
    """The order of records that hold at every place: those of a CPU, which every reader has, after those of a GPU."""
    return (record.device or "cpu") == "cpu", record.created


def anywhere(records: Iterable[R]) -> R | None:
    """The newest record of what no place changes: of a CPU, or else of a GPU. None of none."""
    return max(records, key=rank, default=None)


def version(store: stores.Store, row: Row) -> str | None:
    """The version that ran newest in the row's locked environment."""
    runs = store.of_kind(Record, row=row.id, environment=None)
    newest = anywhere(run for run in runs if run.version and not is_historic(run))
    return newest.version if newest else None
