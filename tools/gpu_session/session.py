"""A session on the machine: the implementations that its Python can run on this GPU, and their tasks."""

from __future__ import annotations

import argparse
import functools
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Case, Implementation, UserError
from rosetta_host.certificate import certify, precheck
from rosetta_host.environments import environment, external_python, process
from rosetta_host.records import machine, store
from rosetta_host.records.store import CertificateRecord, Record
from tools.gpu_session import engine, work
from tools.gpu_session.planner import Given, Session, Task
from tools.gpu_session.work import Setting, Work

ASKED = 90.0  # seconds in which a process must import a framework and train a step


def say(line: str) -> None:
    print(line, flush=True)


def _setting(options: argparse.Namespace) -> Setting:
    external_python.use(options.python)
    if options.device == "gpu" and machine.gpu() is None:
        raise UserError("nvidia-smi finds no GPU on this machine; rehearse a session with --device cpu.")
    return Setting.of(options.device, options.preset, options.data, options.unofficial, options.machine)


def run(options: argparse.Namespace, began: float) -> None:
    """Measure until `options.minutes` after `began`, a moment of time.monotonic, at the latest. Raises UserError."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engine.adopt()
    setting, folder = _setting(options), options.out / "records"
    implementations = _installed(frameworks.select(options.ids))
    precheck.require(
        [case for implementation in implementations for case in implementation.cases(list(frameworks.WORKLOADS))],
        setting.device,
    )
    begun = {record.implementation for record in store.read_all([folder])}
    suited = _suited(
        [implementation for implementation in implementations if implementation.id not in begun], setting, options
    )
    works = work.plan(
        [
            implementation
            for implementation in implementations
            if implementation.id in begun or implementation in suited
        ],
        setting,
    )
    estimates = work.estimates(store.read_all([store.COMMITTED]), setting.device)
    say(f"{len(works)} tasks; records go to {folder}")
    Session(
        [each.task(estimates) for each in works],
        lambda: _statuses(works, setting, folder),
        functools.partial(_start, options=options),
        functools.partial(engine.archive, options.out),
        engine.Clock(),
        began + 60 * options.minutes,
        machine.cores(),
        Given(options.out / "given.json"),
        say,
    ).run()
    statuses = _statuses(works, setting, folder).values()
    say(f"{len(statuses)} of {len(works)} tasks have records: {options.out / engine.ARCHIVE}")


def _statuses(works: Sequence[Work], setting: Setting, folder: Path) -> dict[str, str]:
    records = store.read_all([folder])
    each = {one.key: one.status(records, setting) for one in works}
    return {key: status for key, status in each.items() if status}


def _start(task: Task, options: argparse.Namespace) -> engine.Process:
    arguments = ["--task", task.key, "--parent", str(os.getpid())]
    command = [sys.executable, "-m", "tools.gpu_session", "run", *options.given, *arguments]
    return engine.Process(command, options.out / "logs" / (re.sub(r"\W+", "-", task.key) + ".log"))


def do(options: argparse.Namespace) -> None:
    """Do one task of a session, in a process of its own, and write its records. Raises UserError."""
    with engine.task(options.parent):
        setting = _setting(options)
        implementations = frameworks.select([options.task.split()[1]])
        (each,) = (one for one in work.plan(implementations, setting) if one.key == options.task)
        for record in each.records(setting):
            if record.status != "interrupted":  # the session stopped it, and says nothing of the framework
                _write(record, options)


def _write(record: Record, options: argparse.Namespace) -> None:
    record.commit = record.commit or options.commit
    store.write(record, options.out / "records")


def _installed(implementations: Sequence[Implementation]) -> list[Implementation]:
    """Those whose framework the interpreter lists; the others are named."""
    at_hand = external_python.versions().keys()
    installed = [
        implementation for implementation in implementations if at_hand & set(implementation.framework.packages)
    ]
    missing = [implementation.id for implementation in implementations if implementation not in installed]
    if not installed:
        raise UserError(f"{external_python.python()} holds none of the frameworks {', '.join(missing)}.")
    if missing:
        say(f"not in {external_python.python()}: {', '.join(missing)}")
    return installed


def _suited(
    implementations: Sequence[Implementation], setting: Setting, options: argparse.Namespace
) -> list[Implementation]:
    """Those that can run here. What has no code for the GPU gets certificates that say so; what lacks a package, none.

    An implementation that gives no answer is kept: its certificate says what is wrong with it.
    """
    suited = []
    for implementation, event in certify.side_by_side(
        [functools.partial(_asked, implementation, setting.device) for implementation in implementations]
    ):
        if not event:
            suited.append(implementation)
            continue
        say(f"{implementation.id}: {event['event']}: {event['reason']}")
        if event["event"] == "unsuited":
            for case in implementation.cases(list(frameworks.WORKLOADS)):
                _write(_unsupported(case, setting, str(event["reason"])), options)
    return suited


def _asked(implementation: Implementation, device: str) -> tuple[Implementation, process.Event]:
    """What a process of this implementation reports of its framework and the device; nothing where all is well."""
    workload, events = implementation.workloads[0], list[process.Event]()
    python = environment.ensure(implementation, device)
    environ = environment.variables(implementation, workload, environment.threads(implementation, workload), device)
    command: list[str | Path] = [python, "-m", "tools.gpu_session.chip", implementation.example(workload), device]
    process.run(command, environ, ASKED, events.append)
    return implementation, events[0] if events else {}


def _unsupported(case: Case, setting: Setting, reason: str) -> CertificateRecord:
    record = certify.blank(CertificateRecord, case, setting.where, setting.device, checks=[])
    record.status, record.reason = "unsupported", f"{case.implementation.name} cannot compute on this GPU: {reason}"
    return record
