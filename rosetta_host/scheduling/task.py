"""One run for another machine, and how that machine makes it: `python -m rosetta_host.scheduling.task FOLDER [NAME]`.

FOLDER/task.json is the task. The records go to FOLDER/records; where none can be made, FOLDER/reason.txt says why. NAME
is the machine's, by default made of its processor and cores.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import msgspec

from rosetta_host.benchmark import runs
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Case, UserError
from rosetta_host.certificate import certify
from rosetta_host.datasets import dataset
from rosetta_host.environments.digests import certificate_digests, differing
from rosetta_host.records import machine, store
from rosetta_host.records.store import LOCAL, Record

TASK, RECORDS, REASON = "task.json", "records", "reason.txt"
WITHOUT_RECORDS = 2  # the exit code


class Task(msgspec.Struct, frozen=True):
    """A run to make on another machine.

    variant: None for `train`. hours: as `--hours`; None for no limit. data: a folder on that machine with the data;
    None for the one that it keeps. digests: those of the code that is to run, as a certificate has them.
    """

    implementation: str
    workload: str
    variant: str | None
    preset: str
    device: str
    seed: int
    digests: dict[str, str]
    hours: float | None = None
    data: str | None = None
    unofficial: bool = False

    @property
    def label(self) -> str:
        return " ".join(filter(None, (self.implementation, self.workload, self.variant, f"seed {self.seed}")))

    def encoded(self) -> bytes:
        return msgspec.json.encode(self)


def run(task: Task, name: str | None = None) -> list[Record]:
    """Make the run on this machine, called `name`; and a certificate before it, if the machine has no current one.

    Returns the records of both. Raises UserError if this checkout differs from the caller's or the data is missing.
    """
    case, where = _case(task), machine.describe(name)
    data = Path(task.data) if task.data else None
    job = runs.Job(
        case, task.preset, task.device, task.seed, *dataset.locate(task.workload, task.preset, data, task.unofficial)
    )
    made: list[Record] = []
    if not certify.certified(case, where, task.device, store.read_all([LOCAL])):
        certificate = certify.certify(case, where, task.device)
        store.write(certificate, LOCAL)
        made.append(certificate)
    limit = math.inf if task.hours is None else 3600 * task.hours
    return [*made, runs.benchmark(job, where, lambda job, event: None, limit)]


def _case(task: Task) -> Case:
    """The case of this checkout. Raises UserError if its code is not that of the task."""
    [implementation] = frameworks.select([task.implementation])
    now = certificate_digests(implementation, task.workload, task.device)
    if names := differing(task.digests, now):
        raise UserError(
            f"The checkout there differs from yours in what {task.implementation} runs ({', '.join(names)}): bring "
            "both to the same commit."
        )
    return Case(implementation, task.workload, task.variant)


def main(folder: Path, name: str | None = None) -> int:
    """Make the run of a folder; 0 if it left records, whatever their status."""
    try:
        for record in run(msgspec.json.decode((folder / TASK).read_bytes(), type=Task), name):
            store.write(record, folder / RECORDS)
    except UserError as error:
        (folder / REASON).write_text(str(error), "utf-8")
        return WITHOUT_RECORDS
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:3]))
