"""What each command does with its options; it returns the exit code."""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from rosetta_host.benchmark import first_look, runs
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Case, Implementation, UserError
from rosetta_host.certificate import certify, judge
from rosetta_host.command_line import scheduled
from rosetta_host.command_line.certificates import certify_cases, published, select_cases, selected_workloads
from rosetta_host.command_line.progress import Screen, say
from rosetta_host.datasets import dataset
from rosetta_host.defaults import collect, explicit
from rosetta_host.environments import environment, locks
from rosetta_host.lessons import declarations, experiments
from rosetta_host.lessons.experiments import Experiment
from rosetta_host.mutation import runner
from rosetta_host.publishing import standalone_check
from rosetta_host.records import machine, store, vcs
from rosetta_host.records.store import COMMITTED, LOCAL, DefaultsRecord, Machine, Measure
from rosetta_host.scaffold import new
from rosetta_host.transfer import moves
from rosetta_host.validation import validate

T = TypeVar("T")


def _folder(options: argparse.Namespace, published: bool = False) -> Path:
    """Where records go: where the user says, else to the published ones or to this machine's own.

    A published record names the commit that it is a run of, so none is written from a checkout that differs from it.
    Raises UserError there.
    """
    folder: Path = options.records or (COMMITTED if published else LOCAL)
    if folder.resolve().is_relative_to(COMMITTED.resolve()) and (changed := vcs.changed()):
        others = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise UserError(
            "Records under docs/records name the commit that ran, but this checkout has uncommitted changes "
            f"({changed[0]}{others}). Commit them, or write the records elsewhere with --records DIR."
        )
    return folder


def exit_code(statuses: Sequence[str]) -> int:
    """1 if a run went wrong. An implementation that cannot run here stops no other; in CI it is an error."""
    bad = [status for status in statuses if status not in ("ok", "unsupported")]
    unsupported = statuses.count("unsupported")
    return int(bool(bad) or (unsupported > 0 and (bool(os.environ.get("CI")) or unsupported == len(statuses))))


def run_certificate(options: argparse.Namespace) -> int:
    folder = _folder(options)
    cases = select_cases(options, frameworks.select(options.ids), options.device, options.variant)
    short = list[Case]()
    if options.stale:
        current = published(cases, options.device, store.read_all([COMMITTED, folder]))
        cases = _left(cases, current, "certificates")
    if options.short:
        past = store.read_all([COMMITTED, folder])  # one that failed here is to be made whole
        short = published(cases, options.device, past)
        repeated = [case for case in cases if case.variant is None or case not in short]
        if len(repeated) < len(cases):
            say(f"Variants with a published certificate, which are not repeated: {len(cases) - len(repeated)}.")
        cases, short = repeated, [case for case in short if case in repeated]
    return exit_code(certify_cases(options, cases, folder, short))


def _left(planned: list[T], current: list[T], what: str) -> list[T]:
    """What is planned and not current, said in a line."""
    left = [item for item in planned if item not in current]
    say(f"Stale: {len(left)} of {len(planned)} {what}.")
    return left


def run_benchmark(options: argparse.Namespace) -> int:
    if options.stale and (options.ranked or options.preset == "quick"):
        raise UserError("--stale is for the presets whose records are published: add --preset epoch or --preset full.")
    if options.scheduler:
        return exit_code(scheduled.run(options, _folder(options, published=options.preset != "quick")))
    if options.ranked:
        from rosetta_host.command_line import ranked  # scipy, which it imports, takes a second to load

        return exit_code(ranked.run(options, _folder(options, published=True)))
    start, device, is_quick = time.monotonic(), options.device, options.preset == "quick"
    folder = _folder(options, published=not is_quick)
    every_case = select_cases(options, frameworks.select(options.ids), device, options.variant)
    implementations, left = _first_look(options)
    cases = [case for case in every_case if case.implementation in implementations]
    planned = runs.jobs(
        implementations,
        selected_workloads(options),
        options.preset,
        device,
        options.seeds,
        options.data,
        options.unofficial,
    )
    planned = [job for job in planned if job.case in cases]
    where, past = machine.describe(options.machine), store.read_all([folder])
    if options.stale:
        planned = _left(planned, [job for job in planned if not runs.is_stale(job, where, past)], "runs")
        cases = [case for case in cases if case in [job.case for job in planned]]
    # A newcomer's machine proves equality for itself, though certificates of other machines come with the checkout.
    stale = [case for case in cases if not certify.certified(case, where, device, past)]
    # With those at hand a first look needs no more than what its own float32 computes.
    short = published(stale, device, store.read_all([COMMITTED, folder])) if is_quick else []
    statuses = certify_cases(options, stale, folder, short, judge.SHORTEST) if stale else []
    if not is_quick and not options.again:
        planned = [job for job in planned if not runs.done(job, where, past)]
    if is_quick:  # it ranks nobody, so the rate is measured once and not before each run
        where = machine.measured(where)
    limit = 3600 * options.hours if options.preset == "full" else math.inf
    statuses += _train(planned, where, folder, limit)
    if statuses[-1:] == ["interrupted"]:
        return 130
    if left:
        options.left.write_text(" ".join(implementation.id for implementation in left), "utf-8")
        minutes = (time.monotonic() - start) / 60 * (len(every_case) - len(cases)) / max(1, len(cases))
        say(
            f"{len(implementations)} of {len(implementations) + len(left)} frameworks are done. The others take about "
            f"{minutes:.0f} minutes."
        )
    return exit_code(statuses)


def _first_look(options: argparse.Namespace) -> tuple[list[Implementation], list[Implementation]]:
    """The implementations to benchmark now, and those that `--left` leaves for a second call."""
    implementations = frameworks.select(options.ids)
    if options.left and options.preset == "quick" and not (options.ids or options.python or options.variant):
        return first_look.split(implementations, options.device)
    return implementations, []


def _train(planned: Sequence[runs.Job], where: Machine, folder: Path, limit: float) -> list[str]:
    """Run these jobs, write the record of each, and return their statuses; the user's interruption is the last."""
    statuses: list[str] = []
    with Screen(len(planned)) as screen:
        for job in planned:
            screen.begin(job)
            record = runs.benchmark(job, where, screen.event, limit)
            path = store.write(record, folder)
            statuses.append(record.status)
            say(f"{runs.summary(record)}  ({os.path.relpath(path)})")
            if record.status == "interrupted":
                break
    return statuses


def run_mutation(options: argparse.Namespace) -> int:
    implementations, workloads = frameworks.select(options.ids), selected_workloads(options)
    select_cases(options, implementations, "cpu")
    return runner.run(implementations, workloads, options.mutant, options.minutes, say)


def run_lessons(options: argparse.Namespace) -> int:
    planned = _lessons_planned(options)
    folders = {kind: _folder(options, published=kind == "accuracy") for kind in planned}
    where, device = machine.describe(options.machine), options.device
    workloads = {experiment.case.workload for experiment in planned.get("accuracy", [])}
    data = {name: dataset.locate(name, experiments.PRESET, options.data, options.unofficial) for name in workloads}
    statuses: list[str] = []
    wrong: list[str] = []
    for kind, wanted in planned.items():
        left = wanted if options.again else experiments.left(wanted, where, device, folders[kind], data)
        say(f"{kind}: {len(left)} of {len(wanted)} to measure; {len(wanted) - len(left)} have records")
        for experiment, record in _measured(kind, left, where, device, data):
            path = store.write(record, folders[kind])
            say(f"{experiment.label}: {experiments.summary(record)}  ({os.path.relpath(path)})")
            if not (experiment.mutant and experiment.mutant.unsupported):
                statuses.append(record.status)
                wrong += [f"{experiment.label} ({kind})"] if record.status != "ok" else []
    say(
        f"{statuses.count('ok')} of {len(statuses)} measurements succeeded."
        + (f" Failed: {', '.join(wrong)}" if wrong else "")
    )
    return exit_code(statuses)


def _lessons_planned(options: argparse.Namespace) -> dict[Measure, list[Experiment]]:
    """The measurements of the named lessons and implementations, by kind. Raises UserError where there are none."""
    kinds: list[Measure] = list(dict.fromkeys(options.kind or ["size", "time"]))
    declared, implementations_by_id = declarations.read(), frameworks.implementations()
    chosen, ids = declarations.select(declared, options.names, implementations_by_id)
    declarations.check(declared, implementations_by_id.values())
    chosen = {slug: lesson for slug, lesson in chosen.items() if lesson.workload in selected_workloads(options)}
    planned = {}
    for kind in kinds:
        implementations = [
            implementations_by_id[name]
            for name in ids or (declared.accuracy_implementations if kind == "accuracy" else implementations_by_id)
        ]
        planned[kind] = experiments.plan(kind, chosen, implementations, options.seeds, options.device)
    if not any(planned.values()):
        raise UserError(
            f"There is nothing to measure for {', '.join(options.names) or 'the lessons'} by {', '.join(kinds)}."
        )
    return planned


def _measured(
    kind: str, left: list[Experiment], where: store.Machine, device: str, data: dict[str, tuple[Path, str]]
) -> experiments.Measured:
    if kind == "size":
        yield from experiments.sizes(left, where, device)
    elif kind == "time":
        yield from experiments.times(left, where, device, say)
    else:
        with Screen(len(left)) as screen:
            for experiment in left:
                job = experiments.job(experiment, device, *data[experiment.case.workload])
                screen.begin(job)
                record = experiments.accuracy(experiment, job, where, screen.event)
                yield experiment, record
                if record.status == "interrupted":
                    raise KeyboardInterrupt


def run_transfer(options: argparse.Namespace) -> int:
    implementations = frameworks.select(options.ids)
    if len(implementations) < 2:
        raise UserError("A transfer needs two frameworks: name at least two, or none for all.")
    statuses: list[str] = []

    folder, where, device = _folder(options), machine.describe(options.machine), options.device
    for record in moves.transfer_all(implementations, selected_workloads(options), where, device, say):
        path = store.write(record, folder)
        say(f"{moves.summary(record)}  ({os.path.relpath(path)})")
        statuses.append(record.status)
    return exit_code(statuses)


def run_defaults(options: argparse.Namespace) -> int:
    implementations, statuses = frameworks.select(options.ids), []
    past = store.of_kind(store.read_all(), DefaultsRecord)
    if options.missing:
        return say_missing(implementations, collect.newest(past, options.device))
    folder = _folder(options)
    if options.stale:
        current = [
            implementation for implementation in implementations if collect.holds(implementation, options.device, past)
        ]
        implementations = _left(implementations, current, "frameworks")
    for record in collect.ask_all(implementations, machine.describe(options.machine), options.device, say):
        path = store.write(record, folder)
        say(f"{collect.summary(record)}  ({os.path.relpath(path)})")
        before = [
            old
            for old in past
            if (old.implementation, old.device) == (record.implementation, record.device) and old.answers
        ]
        for line in collect.changes(before[-1], record) if before else ():
            say(f"  changed: {line}")
        for line in explicit.problems(record):
            say(f"  explicit.toml: {line}")
        if len(implementations) == 1:
            for name, answer in record.answers.items():
                say(f"  {name}: {answer.statement}" + (f" ({answer.reason})" if answer.reason else ""))
        statuses.append(record.status)
    return exit_code(statuses)


def say_missing(implementations: Sequence[Implementation], records: Mapping[str, DefaultsRecord]) -> int:
    """List what no line of these implementations' explicit.toml gives, and other frameworks do by default."""
    for implementation in implementations:
        if record := records.get(implementation.id):
            for name, statement in explicit.missing(record, records.values()):
                say(f"{implementation.id}: {name}: {statement}")
        else:
            say(f"{implementation.id}: not measured yet")
    return 0


def run_speed(options: argparse.Namespace) -> int:
    from rosetta_host.benchmark import speed  # scipy, which it imports, takes a second to load

    statuses: list[str] = []
    for implementation in frameworks.select(options.ids):
        for workload in (name for name in selected_workloads(options) if name in implementation.workloads):
            try:
                measured = speed.measure(implementation, workload, options.device)
            except environment.Unsupported as error:
                say(f"{implementation.id} {workload}: {error}")
                statuses.append("unsupported")
                continue
            for line in speed.lines(measured):
                say(line)
            statuses.append("ok" if measured.ok else "failed")
    return exit_code(statuses)


def run_standalone(options: argparse.Namespace) -> int:
    implementations, all_implementations = frameworks.select(options.ids), list(frameworks.implementations().values())
    script_runs = standalone_check.run_all(
        implementations, all_implementations, selected_workloads(options), options.device, say
    )
    statuses = [script_run.status for script_run in script_runs]
    say(f"{statuses.count('ok')} of {len(statuses)} standalone scripts work")
    return exit_code(statuses)


def run_new(options: argparse.Namespace) -> int:
    folder = new.create(options.name)
    say(f"{os.path.relpath(folder)} holds {', '.join(sorted(path.name for path in folder.iterdir()))}. Next:")
    for line in new.next_steps(options.name):
        say(line)
    return 0


def run_locks(options: argparse.Namespace) -> int:
    for name in options.names:
        locks.bump(name, frameworks.implementations(), say)
    return 0


def run_notebooks(options: argparse.Namespace) -> int:
    from rosetta_host.publishing import kernels  # needs what only the session `notebooks` installs

    implementations, all_implementations = frameworks.select(options.ids), list(frameworks.implementations().values())
    return exit_code(
        list(kernels.make_all(implementations, all_implementations, selected_workloads(options), options.again, say))
    )


def run_validate(options: argparse.Namespace) -> int:
    count, reasons = validate.validate(options.files, store.now())
    for reason in reasons:
        say(reason)
    say(f"{count} records are validated" + (f"; {len(reasons)} reasons to refuse some." if reasons else "."))
    return int(bool(reasons))


COMMANDS = {
    "benchmark": run_benchmark,
    "certificate": run_certificate,
    "mutation": run_mutation,
    "lessons": run_lessons,
    "transfer": run_transfer,
    "defaults": run_defaults,
    "speed": run_speed,
    "standalone": run_standalone,
    "new": run_new,
    "locks": run_locks,
    "notebooks": run_notebooks,
    "validate": run_validate,
}
