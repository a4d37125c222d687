"""What a record says that it is: its file, its subject, its time, its data, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import WORKLOADS
from rosetta_host.records.convert import KINDS_OF_SCHEMA_1
from rosetta_host.records.store import (
    BenchmarkRecord,
    Data,
    DefaultsRecord,
    Record,
    RunRecord,
    file_name,
    is_historic,
)
from rosetta_host.validation.reference import Reason, Reference, is_of_today, timing

FORMAT = "%Y%m%dT%H%M%S.%fZ"
DEVICES = ("cpu", "gpu")
PRECISION = "float32"  # the precision of every preset


def subject(path: Path, record: Record, reference: Reference) -> Iterator[Reason]:
    """What makes it pointless to look further: it is filed as another record, or of nothing that this project has."""
    kinds = {record.kind, *(old for old, kind in KINDS_OF_SCHEMA_1.items() if kind == record.kind)}
    if path.parent.parent.name not in kinds or path.parent.name != record.machine.id or path.name != file_name(record):
        belongs = f"{record.kind}/{record.machine.id}/{file_name(record)}"
        yield Reason(f"Its content belongs to {belongs}.", "Keep the name and the folder that its command gives it.")
    if record.implementation not in reference.implementations:
        yield Reason(f"There is no framework {record.implementation} in examples/.", "Submit its folder first.")
    if record.workload not in WORKLOADS and not isinstance(record, DefaultsRecord):
        yield Reason(f"There is no workload {record.workload}.", "Submit its folder first.")
    try:
        datetime.strptime(record.created, FORMAT)
    except ValueError:
        yield Reason(f"Its time, {record.created}, does not have the form {FORMAT}.")


def circumstances(path: Path, record: Record, reference: Reference) -> Iterator[Reason]:
    """When, from which code and in which precision it ran, and whether it is a copy of another record."""
    if reference.latest is not None and record.created > reference.latest:
        yield Reason(
            f"It was created at {record.created}, which is in the future: now it is {reference.latest}.",
            "Set the machine's clock, and run it again.",
        )
    if is_historic(record):
        yield from _quoted(record)
    elif record.status == "ok" and not record.digests:
        yield Reason("It ended well, and states no digests of the code that ran.")
    if record.status != "ok" and not record.reason:
        yield Reason(f"Its status is {record.status}, and it gives no reason.")
    if record.device not in DEVICES:
        yield Reason(f"It ran on the device {record.device}; there are {' and '.join(DEVICES)}.")
    if record.precision not in (None, PRECISION):
        yield Reason(f"It was computed in {record.precision}; every preset computes in {PRECISION}.")
    for name in sorted(reference.timings.get(timing(record), set()) - {path.name}):
        yield Reason(f"Its times are those of {name}, to the last digit: one is a copy.", "Submit one of the two.")


def _quoted(record: Record) -> Iterator[Reason]:
    """What a number of the original notebooks cannot have."""
    measured = [name for name in ("digests", "commit", "log") if getattr(record, name)]
    if isinstance(record, BenchmarkRecord) and not record.source:
        yield Reason("It is historic, and names no source.", "Name the publication that states the number.")
    if measured:
        yield Reason(f"It is historic, and has {', '.join(measured)} as only a run has.")


def data(record: Record) -> Iterator[Reason]:
    """Whether its data are a copy that the workload knows."""
    if isinstance(record, RunRecord) and record.data is not None and is_of_today(record):
        yield from _copy(record.workload, record.data)


def _copy(name: str, data: Data) -> Iterator[Reason]:
    workload = workloads.get(name)
    source, copies = workload.source, workload.copies
    if data.name != source.name:
        yield Reason(f"Its data are {data.name}; those of {workload.title} are {source.name}.")
    if data.source not in ("official", *copies) and copies:
        yield Reason(f"Its data are of an unknown source, {data.source}; known are official, {', '.join(copies)}.")
    known = copies.get(data.source)
    if known is not None and data.digest != known:
        yield Reason(
            f"The digest of its data, {_short(data.digest)}, is not that of the {data.source}, {_short(known)}.",
            f"Train on the {data.source}, or on the official data.",
        )
    if known is None and data.digest in {None, *copies.values()}:
        yield Reason(f"Its data are called {data.source}, but their digest, {_short(data.digest)}, is of another copy.")
    expected = (source.train, source.test)
    if data.source != "embedded sample" and (data.train, data.test) != expected:
        yield Reason(
            f"It has {data.train} samples to train on and {data.test} to test; {source.name} has {expected[0]} and "
            f"{expected[1]}."
        )


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "none"
