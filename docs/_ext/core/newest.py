"""Which record speaks: the newest, at one place, which is a machine and a device of it.

Two places give two numbers, so none may stand for the other by being newer. `here` refuses records of several places,
`each` tells them apart. `anywhere` is for what no place changes, such as a version, an answer or a certificate.
"""

from __future__ import annotations

from collections.abc import Iterable

from _ext.core import store as stores
from rosetta_host.catalog.frameworks import Row, UserError
from rosetta_host.records.store import Record

Place = tuple[str, str]  # the id of a machine, and "cpu" or "gpu"


def place(record: Record) -> Place:
    """Where a record was made."""
    return record.machine.id, record.device or "cpu"


def each(records: Iterable[Record]) -> dict[Place, Record]:
    """Place -> its newest record, places in the order of their names."""
    found: dict[Place, Record] = {}
    for record in sorted(records, key=lambda record: (place(record), record.created)):
        found[place(record)] = record
    return found


def here(records: Iterable[Record]) -> Record | None:
    """The newest of records of one place, None of none. Raises UserError where they are of several."""
    found = each(records)
    if len(found) > 1:
        names = ", ".join(f"{machine}@{device}" for machine, device in found)
        raise UserError(f"Records of several machines or devices answer, of which one has to be named: {names}.")
    return next(iter(found.values()), None)


def rank(record: Record) -> tuple[bool, str]:
    """The order of records that hold at every place: those of a CPU, which every reader has, after those of a GPU."""
    return (record.device or "cpu") == "cpu", record.created


def anywhere(records: Iterable[Record]) -> Record | None:
    """The newest record of what no place changes: of a CPU, or else of a GPU. None of none."""
    return max(records, key=rank, default=None)


def version(store: stores.Store, row: Row) -> str | None:
    """The version that ran newest in the row's locked environment."""
    runs = store.of(row=row.id, historic=False, environment=None)
    newest = anywhere(run for run in runs if run.version)
    return newest.version if newest else None
