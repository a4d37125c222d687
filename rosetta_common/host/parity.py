"""Certifies rows: runs the protocol in their environments, judges the traces, and writes the certificates."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from threadpoolctl import threadpool_limits

from rosetta_common.host import (
    as_found,
    behaviour,
    certificate,
    coverage,
    environment,
    machine,
    process,
    protocol,
    records,
)
from rosetta_common.host.catalogue import ROOT, SET_RATE, Case, Row
from rosetta_common.host.certificate import Limits, Trace
from rosetta_common.host.digests import digests
from rosetta_common.host.records import Check, Machine, Record, Times

TIMEOUT = 900.0  # seconds for one traced process; the slowest takes about a minute on one core
POLL = 0.02  # seconds between two looks for what a traced process leaves

# The parts of a certificate, in words for the one who reads what was left out.
PARTS = {
    "scores": "what it predicts",
    "steps": "single steps",
    "loop": "a whole epoch",
    "start": "the first weights and the shuffle",
    "float64": "the lane in float64",
    "lines": "which lines of the example run",
    "dropout": "drop-out",
}
# A deliberate error is judged so: what compiles in Python takes longer while Python tells of its lines.
JUDGED = (*protocol.STEPPED, "start", "dropout")
# Of what has a published certificate the tests repeat this much.
SHORT = (*protocol.STEPPED, "start")
# And a machine that has none of its own yet, before a first look: the seed draws and shuffles the same on every one.
SHORTEST = protocol.STEPPED

Report = Callable[[str], None]
T = TypeVar("T")


class TraceFailed(Exception):
    """The example could not follow the protocol; `ended` says how it ended."""

    def __init__(self, ended: process.Ended) -> None:
        super().__init__(ended.reason)
        self.ended = ended


class Tracer:
    """Runs programs on one example, each in a fresh process of the row's environment."""

    def __init__(self, case: Case, python: Path, device: str, threads: int, folder: Path) -> None:
        self.case, self.python, self.folder = case, python, folder
        self.environ = environment.variables(case.row, case.workload, threads, device)
        self.environ |= environment.compile_cache(case.row, device)

    def weights(self) -> dict[str, protocol.Arrays]:
        """What the programs of a certificate import, by name."""
        workload = self.case.workload
        forms = self.case.row.workload(workload).forms
        probe = {"probe": protocol.probe_weights()} if workload == "cnn" else {}
        return {"canonical": protocol.canonical_weights(workload, forms), **probe}

    @contextlib.contextmanager
    def follow(
        self,
        name: str,
        program: dict[str, Any],
        samples: protocol.Samples,
        given: Mapping[str, protocol.Arrays] | None = None,
    ) -> Iterator[Trace]:
        """The trace of a program on a data set, to be read while it runs; who wants no more of it ends its process.

        given: weights that it may import, by default a certificate's. Raises TraceFailed, here or where a file is
        waited for, where the process does not end well.
        """
        folder, halt = self._laid_out(name, program, samples, given), threading.Event()
        command: list[str | Path] = [self.python, "-m", "rosetta_common", "trace"]
        command += [self.case.row.example(self.case.workload), "--folder", folder]
        environ = {**self.environ, "ROSETTA_DATA": str(folder / "data")}
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(process.run, command, environ, TIMEOUT, halt=halt)

            def wait(path: Path) -> None:
                while not (path.exists() or running.done()):
                    time.sleep(POLL)
                if not path.exists():
                    _must_be_well(running.result())

            try:
                yield Trace(folder, wait)
            except (GeneratorExit, KeyboardInterrupt):
                halt.set()
                raise
            _must_be_well(running.result())

    def _laid_out(
        self,
        name: str,
        program: dict[str, Any],
        samples: protocol.Samples,
        given: Mapping[str, protocol.Arrays] | None,
    ) -> Path:
        """A folder with all that a program needs."""
        folder = self.folder / name
        protocol.write_samples(self.case.workload, folder / "data", samples)
        (folder / "program.json").write_text(json.dumps(program), "utf-8")
        for key, arrays in (self.weights() if given is None else given).items():
            np.savez(folder / f"{key}.npz", allow_pickle=False, **arrays)
        return folder


def _must_be_well(ended: process.Ended) -> None:
    if ended.status != "ok":
        raise TraceFailed(ended)


def checks(tracer: Tracer, parts: Collection[str] = tuple(PARTS), hasty: bool = False) -> Generator[Check, None, None]:
    """Every check of a certificate, in the order in which a reader wants to know of a failure.

    Each comes as soon as it is known, while the example goes on; to close the iterator ends the example.

    parts: of PARTS, what belongs to it. hasty: as `certificate.judge_steps` takes it.

    Weights that are missing, misshapen or not finite may leave a later check without an answer:
    that is a failed check too, and no reason to end the other rows' certificates.
    """
    try:
        yield from _checks(tracer, parts, hasty)
    except (KeyError, ValueError, np.linalg.LinAlgError) as error:
        yield Check("judgement", False, where=f"{type(error).__name__}: {error}")


def _checks(tracer: Tracer, parts: Collection[str], hasty: bool) -> Iterator[Check]:
    workload = tracer.case.workload
    if {*protocol.STEPPED, "start"} & set(parts):
        yield from _in_steps(tracer, "float32", parts, hasty)
    if "float64" in parts and tracer.case.row.workload(workload).float64:
        yield from _in_steps(tracer, "float64", protocol.STEPPED, hasty)
    if "dropout" in parts and workload == "cnn":
        yield from _dropout(tracer)


def _in_steps(tracer: Tracer, dtype: str, parts: Collection[str], hasty: bool) -> Iterator[Check]:
    row, workload = tracer.case.row, tracer.case.workload
    declared = row.workload(workload)
    parts = (*parts, "rate") if row.defines(workload, SET_RATE) else parts
    program = protocol.steps_program(workload, dtype, tracer.case.verb, parts)
    with tracer.follow(f"steps-{dtype}", program, protocol.certificate_samples(workload)) as trace:
        if set(protocol.STEPPED) & set(parts):
            limits, encoded = Limits(workload, dtype, declared.tolerances), protocol.encoded_steps(workload, dtype)
            own = (trace, encoded, limits, declared.forms, declared.partial_batch)
            yield from certificate.judge_steps(*own, parts, hasty)
        if "start" in parts:
            yield from behaviour.judge_start(trace, row, workload)
            probe = protocol.probe_samples(workload).encoded(workload, dtype)
            yield from behaviour.judge_shuffle(trace, workload, probe, declared.partial_batch)


def _dropout(tracer: Tracer) -> Iterator[Check]:
    declared = tracer.case.row.workload("cnn")
    start = certificate.at_start("cnn", protocol.encoded_steps("cnn", "float32"), declared.forms)
    program, samples = protocol.dropout_program(tracer.case.verb), protocol.certificate_samples("cnn")
    with tracer.follow("drop-out", program, samples) as trace:
        yield from behaviour.judge_dropout(trace, start.scores, Limits("cnn", "float32", declared.tolerances))


@functools.cache
def commit() -> str | None:
    """The commit of this checkout, with "+" where files differ from it; None outside a repository."""
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def blank(case: Case, kind: records.Kind, where: Machine, device: str, held: dict[str, str] | None = None) -> Record:
    """A record of this case with all that is known before it runs; status "failed" until it is set.

    held: the digests of what it holds for, where that is not the case's example.
    """
    row = case.row
    return Record(
        schema=records.SCHEMA,
        kind=kind,
        status="failed",
        framework=row.folder.name,
        backend=row.backend,
        workload=cast("records.Workload", case.workload),
        variant=case.variant,
        created=records.now(),
        machine=where,
        name=row.name,
        device=device,
        precision="float32",
        environment="as found" if as_found.python() else None,
        digests=digests(row, case.workload, device) if held is None else held,
        commit=commit(),
    )


def facts(record: Record, row: Row, folder: Path) -> dict[str, Any]:
    """Take the process's own facts into the record; returns all of its result."""
    result = json.loads((folder / "result.json").read_text("utf-8"))
    record.python, record.packages = result["python"], result["packages"]
    listed = result["packages"]
    record.version = next((listed[name] for name in row.framework.packages if name in listed), None)
    return result


def certify(
    case: Case,
    where: Machine,
    device: str = "cpu",
    report: Report = lambda line: None,
    parts: Collection[str] = tuple(PARTS),
) -> Record:
    """One certificate as a record; its status is ok only if every check holds. Never raises for the row's faults.

    parts: as `checks` takes them. `times` is set where every check was made.
    """
    record = blank(case, "parity", where, device)
    record.threads = 1
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        try:
            tracer = Tracer(case, environment.ensure(case.row, device), device, 1, Path(folder))
            for check in checks(tracer, parts):
                record.checks.append(check)
                report(f"{case.label}: {line(check)}")
            ran = facts(record, case.row, Path(folder) / "steps-float32")
            if "lines" in parts:
                path = case.row.example(case.workload)
                record.executed = coverage.executed(path, ran["lines"], ran["elsewhere"], ran["sources"])
        except environment.Unsupported as error:
            record.status, record.reason = "unsupported", str(error)
            return record
        except TraceFailed as error:
            record.status, record.reason, record.log = error.ended.status, error.ended.reason, error.ended.log
            return record
    record.times = Times(process=time.monotonic() - start)
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


def certified(case: Case, where: Machine | None, device: str, past: Sequence[Record]) -> bool:
    """Whether the newest of these certificates of this very code and environment, made on this machine, holds.

    where: None for any machine.
    """
    digest = digests(case.row, case.workload, device)
    wanted = ("parity", case.row.id, case.workload, case.variant, device, digest)
    found = [
        one
        for one in past
        if (one.kind, one.row, one.workload, one.variant, one.device, one.digests) == wanted
        and (where is None or one.machine.id == where.id)
    ]
    return bool(found) and found[-1].status == "ok"


def certify_all(
    cases: list[Case],
    where: Machine,
    device: str,
    report: Report,
    short: Collection[Case] = (),
    short_parts: Collection[str] = SHORT,
) -> Iterator[tuple[Case, Record]]:
    """All these certificates, as many at once as there are cores: nothing here is timed, one thread each.

    Their environments are there, or `ensure_all` found that they cannot be made. The variants of an example come one
    after the other: mostly they ask the oracle the same.

    short: those of which only `short_parts` are made.
    """

    def certified_each(variants: Sequence[Case]) -> list[tuple[Case, Record]]:
        return [
            (case, certify(case, where, device, report, short_parts if case in short else tuple(PARTS)))
            for case in variants
        ]

    examples = [list(same) for _, same in itertools.groupby(cases, lambda case: (case.row.id, case.workload))]
    examples = environment.apart(examples, lambda variants: variants[0].row)
    for each in side_by_side([functools.partial(certified_each, variants) for variants in examples]):
        yield from each


def ensure_all(rows: list[Row], device: str) -> None:
    """Make what is missing of these rows' environments; one that cannot be made says so when it is asked for again.

    One after the other: two at once took as long, for each is compiled on all cores already.
    """
    for row in {row.id: row for row in rows}.values():
        with contextlib.suppress(environment.Unsupported):
            environment.ensure(row, device)


def side_by_side(calls: Sequence[Callable[[], T]]) -> Iterator[T]:
    """What the calls return, each as soon as it ends, as many at once as there are cores.

    Ctrl-C ends the processes that run, and what those calls then return comes before the KeyboardInterrupt.
    """
    # One thread of BLAS for each oracle: with as many as cores, two oracles at once took twice as long.
    with threadpool_limits(1), ThreadPoolExecutor(machine.cores()) as pool:
        running = [pool.submit(call) for call in calls]
        try:
            for ended in as_completed(running):
                running.remove(ended)
                yield ended.result()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)  # first: a second Ctrl-C must find nothing left to start
            process.stop_all()
            yield from (future.result() for future in running if not future.cancelled())
            raise
        except BaseException:  # a fault of this project, or a caller that wants no more: nothing new is started
            pool.shutdown(wait=False, cancel_futures=True)
            raise
