"""A task as a process of its own, none of whose descendants outlives it; and the archive of the records."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

SET_PDEATHSIG, SET_CHILD_SUBREAPER = 1, 36  # of prctl(2)
ARCHIVE = "records.tar.gz"


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def adopt() -> None:
    """Become the parent of every descendant whose own parent dies, so that `end_children` reaches it."""
    _prctl(SET_CHILD_SUBREAPER, 1)


@contextlib.contextmanager
def task(parent: int) -> Iterator[None]:
    """A block in which a process does a task for its session, the process `parent`.

    SIGTERM interrupts the block. It comes too when the session dies: a task must not go on beside the next session.
    Nothing that the block has started outlives it.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    adopt()
    _prctl(SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the call
        raise KeyboardInterrupt
    try:
        yield
    finally:
        end_children()


def end_children(but: Collection[int] = ()) -> None:
    """Kill the children of this process but these, and then what they leave, which `adopt` makes its children."""
    while children := set(_children(os.getpid())).difference(but):
        for pid in children:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


class Clock:
    """The system's clock."""

    now = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)


class Process:
    """A running task. Its output goes to a file."""

    living: ClassVar[set[int]] = set()  # the processes of all running tasks

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self.living.add(self._process.pid)

    def poll(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """Ask it to end what it has started and to write its record."""
        self._process.terminate()

    def kill(self) -> None:
        """End it and all that it has started, in whatever group or session."""
        self._process.kill()
        self._process.wait()
        self.living.discard(self._process.pid)
        end_children(self.living)


def _children(parent: int) -> list[int]:
    """The processes whose parent this is."""
    processes = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in parentheses, may hold anything; the state and the parent follow it.
            if int(path.read_text("utf-8", "replace").rpartition(")")[2].split()[1]) == parent:
                processes.append(int(path.parent.name))
    return processes


def archive(folder: Path) -> Path:
    """Write all records under folder/records to one archive, which is whole at every moment."""
    path = folder / ARCHIVE
    part = path.with_suffix(".part")
    records = folder / "records"
    with tarfile.open(part, "w:gz") as tar:
        for record in sorted(records.glob("*/*/*.json")):
            tar.add(record, str(record.relative_to(records)))
    os.replace(part, path)
    return path
