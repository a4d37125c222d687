"""What a scheduler calls on the machine of a worker: makes a task's run there, and gives its records back."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from rosetta_host.catalog.frameworks import ROOT
from rosetta_host.environments import process
from rosetta_host.scheduling import task

LOG = 2000  # characters of a failed run's output that come back


class Made(msgspec.Struct):
    """What a machine made of a task: its records as JSON; or the reason why there is none, in a sentence."""

    records: list[bytes] = []
    reason: str | None = None


def make(encoded: bytes, name: str | None = None) -> Made:
    """Make the run of a task in a process of its own. Never raises for what goes wrong with the run.

    name: the machine's. The process ends with this one, even by SIGKILL, and with it all that it has started.
    """
    with tempfile.TemporaryDirectory(prefix="rosetta-") as kept, tempfile.TemporaryFile() as log:
        folder = Path(kept)
        (folder / task.TASK).write_bytes(encoded)
        command: list[str | Path] = [sys.executable, "-m", task.__name__, folder, *([name] if name else [])]
        ended = subprocess.run(
            process.guarded(command), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        records = [path.read_bytes() for path in sorted((folder / task.RECORDS).rglob("*.json"))]
        if ended.returncode == 0 and records:
            return Made(records)
        if (folder / task.REASON).exists():
            return Made(reason=(folder / task.REASON).read_text("utf-8"))
        log.seek(0)
        last = process.without_local_paths(log.read().decode("utf-8", "replace")[-LOG:]).strip()
        return Made(reason=f"The run ended with code {ended.returncode} and left no record: {last or 'no output'}")


def make_on_dask(encoded: bytes) -> Made:
    """`make`, on a worker of Dask; its name is the machine's, if it was started with one."""
    from distributed import get_worker

    worker = get_worker()
    return make(encoded, None if worker.name == worker.address else str(worker.name))
