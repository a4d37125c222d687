"""Validates records: each is read, compared with itself, its workload and the published ones, and refused or not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.records import store
from rosetta_host.records.store import COMMITTED, SCHEMA_FILE, Record, RunRecord, is_historic
from rosetta_host.validation import floor, identity, sums, verdicts
from rosetta_host.validation.reference import Reason, Reference, is_of_today


def reasons(path: Path, record: Record, reference: Reference) -> Iterator[Reason]:
    """Why a record cannot be true; nothing of one that can be. path: its file, whose name and folders count."""
    first = list(identity.subject(path, record, reference))
    if first:  # what follows relies on it
        yield from first
        return
    yield from identity.circumstances(path, record, reference)
    yield from identity.data(record)
    yield from verdicts.reasons(record)
    if isinstance(record, RunRecord) and not is_historic(record):
        yield from _of_a_run(record, reference)


def _of_a_run(record: RunRecord, reference: Reference) -> Iterator[Reason]:
    implementation = reference.implementations[record.implementation]
    yield from sums.times(record)
    yield from sums.pairs(record)
    yield from sums.sizes(record, implementation)
    yield from sums.completeness(record)
    yield from floor.reasons(record, reference)
    if record.status == "ok" and is_of_today(record):
        yield from sums.steps(record, implementation)
        yield from sums.losses(record)
        yield from sums.accuracy(record)


def refusals(records: Mapping[Path, Record], reference: Reference) -> dict[Path, list[str]]:
    """The records that are refused: the file -> why, each in a sentence that names the file."""
    refused = {path: list(reasons(path, record, reference)) for path, record in records.items()}
    return {path: [f"{shown(path)} is refused: {reason}" for reason in why] for path, why in refused.items() if why}


def shown(path: Path) -> str:
    """A file as the user sees it from where the command runs."""
    return os.path.relpath(path)


def validate(files: Sequence[Path], latest: str | None) -> tuple[int, list[str]]:
    """Validate these files and all records in these folders, or the published ones where none is given.

    latest: as `Reference` takes it. Returns how many were validated, and why some are refused. Raises UserError for a
    file that does not exist, and where there is no record.
    """
    implementations = frameworks.implementations()
    since = frameworks.compiled_since(implementations.values())
    published = {path.resolve(): path for path in store.paths([COMMITTED])}
    wanted = {path.resolve(): path for path in (_expanded(files) if files else published.values())}
    if not wanted:
        raise UserError(f"There are no records in {', '.join(map(str, files)) or COMMITTED}.")
    records: dict[Path, Record] = {}
    unreadable = []
    for resolved, path in {**published, **wanted}.items():
        try:
            records[resolved] = store.read(path, since)
        except UserError as error:
            unreadable += [str(error)] if resolved in wanted else []
    refused = refusals(
        {path: records[path] for path in wanted if path in records}, Reference.of(records, implementations, latest)
    )
    return len(wanted), unreadable + [reason for why in refused.values() for reason in why]


def _expanded(files: Iterable[Path]) -> Iterator[Path]:
    for path in files:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*.json") if file.name != SCHEMA_FILE)
        elif path.is_file():
            yield path
        else:
            raise UserError(f"There is no file {path}: name records, or folders that hold them.")
