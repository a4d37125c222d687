"""Whether the status of a record follows from its checks."""

from __future__ import annotations

from collections.abc import Iterator

from rosetta_host.records.store import CertificateRecord, Check, LessonRecord, Record, RecordedCheck, TransferRecord
from rosetta_host.validation.reference import Reason


def reasons(record: Record) -> Iterator[Reason]:
    """Why the checks contradict the status, or a check its own limit."""
    if not isinstance(record, CertificateRecord | LessonRecord | TransferRecord):
        return
    for check in record.checks:
        if check.ok and check.limit is not None and _is_beyond(check):
            yield Reason(
                f'The check "{check.name}" is ok with the figure {check.figure} and the limit {check.limit:g}.'
            )
    if record.status != "ok" or isinstance(record, LessonRecord):  # whose error is meant to fail some
        return
    failed = [check for check in record.checks if not check.ok and not (isinstance(check, Check) and check.by_design)]
    if failed:
        yield Reason(f'Its status is ok, but the check "{failed[0].name}" failed.')
    if not record.checks:
        yield Reason("Its status is ok, and it holds no checks.")


def _is_beyond(check: Check | RecordedCheck) -> bool:
    """Whether a check has no figure within its limits."""
    figure, limit = check.figure, check.limit
    if figure is None or limit is None:
        return True
    return figure > limit or (check.floor is not None and figure < check.floor)
