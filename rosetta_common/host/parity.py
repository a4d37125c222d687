"""Certifies rows: runs the protocol in their environments, judges the traces, and writes the certificates."""

from __future__ import annotations

import functools
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
from threadpoolctl import threadpool_limits

from rosetta_common import weights
from rosetta_common.host import behaviour, certificate, environment, machine, oracle, process, protocol, records
from rosetta_common.host.catalogue import ROOT, Row
from rosetta_common.host.certificate import Limits, Trace
from rosetta_common.host.digests import digests
from rosetta_common.host.records import Check, Machine, Record

TIMEOUT = 900.0  # seconds for one traced process; the slowest takes about a minute on one core

Report = Callable[[str], None]


class TraceFailed(Exception):
    """The example could not follow the protocol; `ended` says how it ended."""

    def __init__(self, ended: process.Ended) -> None:
        super().__init__(ended.reason)
        self.ended = ended


class Tracer:
    """Runs programs on one example, each in a fresh process of the row's environment."""

    def __init__(self, row: Row, workload: str, python: Path, device: str, threads: int, folder: Path) -> None:
        self.row, self.workload, self.python, self.folder = row, workload, python, folder
        self.environ = environment.variables(row, workload, threads, device)

    def run(self, name: str, program: dict[str, Any], samples: protocol.Samples, seconds: float = TIMEOUT) -> Trace:
        """The trace of a program on a data set. Raises TraceFailed where the process does not end well."""
        folder = self.folder / name
        protocol.write_samples(self.workload, folder / "data", samples)
        (folder / "program.json").write_text(json.dumps(program), "utf-8")
        canonical = weights.canonical(self.workload)
        np.savez(folder / "canonical.npz", allow_pickle=False, **canonical)
        if self.workload == "cnn":
            np.savez(folder / "probe.npz", allow_pickle=False, **protocol.probe_weights())
        command: list[str | Path] = [
            self.python,
            "-m",
            "rosetta_common",
            "trace",
            self.row.example(self.workload),
            "--folder",
            folder,
        ]
        ended = process.run(command, {**self.environ, "ROSETTA_DATA": str(folder / "data")}, seconds)
        if ended.status != "ok":
            raise TraceFailed(ended)
        return Trace(folder)


def checks(tracer: Tracer, float64: bool = True) -> Iterator[Check]:
    """Every check of a certificate, in the order in which a reader wants to know of a failure.

    Weights that are missing, misshapen or not finite may leave a later check without an answer:
    that is a failed check too, and no reason to end the other rows' certificates.
    """
    try:
        yield from _checks(tracer, float64)
    except (KeyError, ValueError, np.linalg.LinAlgError) as error:
        yield Check("judgement", False, where=f"{type(error).__name__}: {error}")


def _checks(tracer: Tracer, float64: bool) -> Iterator[Check]:
    row, workload = tracer.row, tracer.workload
    declared = row.workload(workload)
    limits = Limits(workload, "float32", declared.tolerances)
    for dtype in ("float32", "float64") if declared.float64 and float64 else ("float32",):
        samples = protocol.steps_samples(workload)
        trace = tracer.run(f"steps-{dtype}", protocol.steps_program(workload, dtype), samples)
        own = Limits(workload, dtype, declared.tolerances)
        encoded = samples.encoded(workload, dtype)
        yield from certificate.judge_steps(trace, encoded, own, declared.forms, declared.partial_batch)
    probe = protocol.probe_samples(workload)
    trace = tracer.run("start", protocol.start_program(workload), probe)
    yield from behaviour.judge_start(trace, row, workload)
    encoded = probe.encoded(workload, "float32")
    yield from behaviour.judge_shuffle(trace, workload, encoded, declared.partial_batch)
    if workload == "cnn":
        trace = tracer.run("drop-out", protocol.dropout_program(), probe)
        expected = oracle.scores(workload, weights.canonical(workload), encoded.x_test, declared.forms)
        yield from behaviour.judge_dropout(trace, expected, limits)


@functools.cache
def commit() -> str | None:
    """The commit of this checkout, with "+" where files differ from it; None outside a repository."""
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def blank(row: Row, workload: str, kind: records.Kind, where: Machine, device: str) -> Record:
    """A record of this row with all that is known before it runs; status "failed" until it is set."""
    folder, _, backend = row.id.partition("-")
    return Record(
        schema=records.SCHEMA,
        kind=kind,
        status="failed",
        framework=folder,
        backend=backend or None,
        workload=cast("records.Workload", workload),
        created=records.now(),
        machine=where,
        name=row.name,
        device=device,
        precision="float32",
        digests=digests(row, workload, device),
        commit=commit(),
    )


def facts(record: Record, row: Row, folder: Path) -> dict[str, Any]:
    """Take the process's own facts into the record; returns all of its result."""
    result = json.loads((folder / "result.json").read_text("utf-8"))
    record.python, record.packages = result["python"], result["packages"]
    package = row.framework.package
    names = [package] if isinstance(package, str) else package
    record.version = next((result["packages"][name] for name in names if name in result["packages"]), None)
    return result


def certify(row: Row, workload: str, where: Machine, device: str = "cpu", report: Report = lambda line: None) -> Record:
    """One certificate as a record; its status is ok only if every check holds. Never raises for the row's faults."""
    record = blank(row, workload, "parity", where, device)
    record.threads = 1
    label = f"{row.id} {workload}"
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        try:
            tracer = Tracer(row, workload, environment.ensure(row, device), device, 1, Path(folder))
            for check in checks(tracer):
                record.checks.append(check)
                report(f"{label}: {line(check)}")
            facts(record, row, Path(folder) / "start")
        except environment.Unsupported as error:
            record.status, record.reason = "unsupported", str(error)
            return record
        except TraceFailed as error:
            record.status, record.reason, record.log = error.ended.status, error.ended.reason, error.ended.log
            return record
    failed = [check for check in record.checks if not check.ok]
    record.status = "failed" if failed else "ok"
    record.reason = "; ".join(line(check) for check in failed) or None
    return record


def line(check: Check) -> str:
    """One check in one line: what, where, figure and limit."""
    figure = "" if check.limit is None else f" {check.figure if check.figure is None else format(check.figure, '.1e')}"
    limit = "" if check.limit is None else f" (limit {check.limit:.0e})" if check.limit else " (must be 0)"
    where = f" at {check.where}" if check.where else ""
    return f"{'ok' if check.ok else 'FAILED'} {check.name}{figure}{limit}{where}"


def certified(row: Row, workload: str, where: Machine, device: str, folder: Path) -> bool:
    """Whether the newest certificate under `folder` of this very code and environment, made on this machine, holds."""
    wanted = digests(row, workload, device)
    found = [
        record
        for record in records.read_all([folder])
        if (record.kind, record.row, record.workload, record.device, record.machine.id)
        == ("parity", row.id, workload, device, where.id)
        and record.digests == wanted
    ]
    return bool(found) and found[-1].status == "ok"


def certify_all(
    rows: list[Row], workloads: list[str], where: Machine, device: str, report: Report
) -> Iterator[tuple[Row, str, Record]]:
    """Certificates of all rows, as many at once as there are cores: nothing here is timed, one thread each."""
    for row in rows:
        try:
            environment.ensure(row, device)
        except environment.Unsupported:
            continue  # certify says so in the row's own record
    jobs = [(row, workload) for row in rows for workload in row.workloads if workload in workloads]
    # One thread of BLAS for each oracle: with as many as cores, two oracles at once took twice as long.
    with threadpool_limits(1), ThreadPoolExecutor(machine.cores()) as pool:
        running = [
            (row, workload, pool.submit(certify, row, workload, where, device, report)) for row, workload in jobs
        ]
        try:
            while running:
                row, workload, future = running[0]
                result = future.result()
                running.pop(0)
                yield row, workload, result
        except KeyboardInterrupt:
            process.stop_all()
            pool.shutdown(cancel_futures=True)
            yield from ((row, workload, future.result()) for row, workload, future in running if not future.cancelled())
            raise
