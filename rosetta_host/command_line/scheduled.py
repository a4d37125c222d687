"""`benchmark --scheduler`: runs that other machines make, and their records."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from rosetta_host.benchmark.runs import summary
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Case, UserError
from rosetta_host.command_line.certificates import reason, select_cases
from rosetta_host.command_line.progress import say
from rosetta_host.environments.digests import JUDGE, certificate_digests, differing
from rosetta_host.records import store
from rosetta_host.records.store import AnyRecord, BenchmarkRecord, CertificateRecord, of_kind
from rosetta_host.scheduling import engines
from rosetta_host.scheduling.task import Task
from rosetta_host.scheduling.worker import Made

# What is of one machine: option -> why it makes no sense where runs go to others.
OF_ONE_MACHINE = {
    "ranked": "a ranked table is of one machine: run it there",
    "stale": "what is stale depends on the machine",
    "python": "an external interpreter is of one machine",
    "machine": "a machine is named where its worker starts",
}


def run(options: argparse.Namespace, folder: Path) -> list[str]:
    """Hand over what has no record yet, write each record as it comes, and return the status of each run.

    Raises UserError for options of one machine alone, and where the scheduler cannot be reached.
    """
    for name, why in OF_ONE_MACHINE.items():
        if getattr(options, name):
            raise UserError(f"--{name} does not go with --scheduler: {why}.")
    planned = tasks(options)
    past = of_kind(store.read_all([folder]), BenchmarkRecord)
    again = options.again or options.preset == "quick"
    left = planned if again else [task for task in planned if not is_done(task, past)]
    say(f"{len(left)} of {len(planned)} runs to make; {len(planned) - len(left)} have records.")
    statuses: list[str] = []
    for number, (task, made) in enumerate(engines.outcomes(left, options.scheduler), 1):
        records, place = _records(made), f"[{number}/{len(left)}]"
        for record in records:
            path = store.write(record, folder)
            say(f"{place} {line(record)}  ({os.path.relpath(path)})")
        if not records:
            say(f"{place} {task.label}: {made.reason}")
        statuses += [record.status for record in of_kind(records, BenchmarkRecord)] or ["failed"]
    return statuses


def _records(made: Made) -> list[AnyRecord]:
    """What a machine recorded; nothing, with the reason, where this checkout cannot read it."""
    try:
        return [msgspec.json.decode(record, type=AnyRecord) for record in made.records]
    except msgspec.ValidationError as error:
        made.reason = f"Its records have another form ({error}): bring both checkouts to the same commit."
        return []


def tasks(options: argparse.Namespace) -> list[Task]:
    """All runs that the options ask for: seed by seed, to part an implementation's runs in time."""
    cases = select_cases(options, frameworks.select(options.ids), options.device, options.variant)
    hours = options.hours if options.preset == "full" else None
    return [_task(case, seed, hours, options) for seed in range(options.seeds) for case in cases]


def _task(case: Case, seed: int, hours: float | None, options: argparse.Namespace) -> Task:
    return Task(
        case.implementation.id,
        case.workload,
        case.variant,
        options.preset,
        options.device,
        seed,
        certificate_digests(case.implementation, case.workload, options.device),
        hours,
        str(options.data) if options.data else None,
        options.unofficial,
    )


def is_done(task: Task, past: Sequence[BenchmarkRecord]) -> bool:
    """Whether some machine has made this run, with this code."""
    now = {name: digest for name, digest in task.digests.items() if name != JUDGE}
    wanted = ("ok", task.implementation, task.workload, task.variant, task.preset, task.device, task.seed)
    return any(
        (r.status, r.implementation, r.workload, r.variant, r.preset, r.device, r.seed) == wanted
        and not differing(r.digests, now)
        for r in past
    )


def line(record: AnyRecord) -> str:
    """A record in one line, with its machine."""
    if isinstance(record, CertificateRecord):
        verdict = "certified" if record.status == "ok" else f"{record.status}: {reason(record)}"
        text = " ".join(filter(None, (record.implementation, record.workload, record.variant))) + f": {verdict}"
    else:
        assert isinstance(record, BenchmarkRecord)
        text = summary(record)
    return f"{text}, on {record.machine.name}"
