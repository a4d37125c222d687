"""What the tests' workers do in place of a run, and the tasks that tell them to."""

import os
import time
from pathlib import Path

import msgspec

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Case
from rosetta_host.certificate import certify
from rosetta_host.records import machine
from rosetta_host.records.store import BenchmarkRecord
from rosetta_host.scheduling.task import Task
from rosetta_host.scheduling.worker import Made


def tasks(count: int, folder: Path) -> list[Task]:
    return [Task("numpy", "gru", None, "quick", "cpu", seed, {}, data=str(folder)) for seed in range(count)]


def run(encoded: bytes, name: str = "here") -> Made:
    """Note the start in the folder of the task, wait there while a file held-NAME stands, and record the run."""
    task = msgspec.json.decode(encoded, type=Task)
    folder = Path(task.data)
    with (folder / "started").open("a") as started:
        started.write(f"{task.seed} {name} {os.getpid()}\n")
    while (folder / f"held-{name}").exists():
        time.sleep(0.02)
    case = Case(frameworks.select(["numpy"])[0], "gru")
    record = certify.blank(BenchmarkRecord, case, machine.describe(name), "cpu", preset="quick", seed=task.seed)
    return Made([msgspec.json.encode(record)])


def run_on_dask(encoded: bytes) -> Made:
    from distributed import get_worker

    return run(encoded, get_worker().name)


def nothing(encoded: bytes) -> Made:
    """As many bytes as a record, at once."""
    return Made([encoded * 20])
