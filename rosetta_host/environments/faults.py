"""Turns a fault of this project's own code into a record, so that the runs of other implementations go on."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

from rosetta_host.catalog.frameworks import ROOT
from rosetta_host.environments.process import without_local_paths
from rosetta_host.records.store import Record


def where(error: Exception) -> str:
    """An exception in one line: its type, what it says, and the line of this project that it came through last."""
    frames = traceback.extract_tb(error.__traceback__)
    packages = ("rosetta_common", "rosetta_host")
    own = [frame for frame in frames if any(Path(frame.filename).is_relative_to(ROOT / name) for name in packages)]
    location = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {without_local_paths(str(error))}{location}"


@contextlib.contextmanager
def recorded(record: Record) -> Iterator[None]:
    """A block whose exceptions end it alone: the record fails with them as its reason, and with their traceback."""
    try:
        yield
    except Exception as error:
        record.status, record.reason = "failed", f"This project's own code failed: {where(error)}."
        record.log = without_local_paths("".join(traceback.format_exception(error)))
