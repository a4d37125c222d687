"""Certifies: runs the protocol in the implementations' environments, judges the traces, writes the certificates."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from rosetta_host.catalog.frameworks import Case, Implementation
from rosetta_host.certificate import coverage, form_suggestions
from rosetta_host.certificate.judge import AS_TIMED, ASIDE, PARTS, SHORT, SHORTEST, TraceFailed, Tracer, checks
from rosetta_host.environments import environment, external_python, faults, process
from rosetta_host.environments.digests import certificate_digests, differing, digests
from rosetta_host.records import machine, store, vcs
from rosetta_host.records.codes import CheckCode
from rosetta_host.records.store import CertificateRecord, Check, Machine, R, Record, RecordedCheck, Times

Report = Callable[[str], None]
T = TypeVar("T")


def blank(kind: type[R], case: Case, where: Machine, device: str, **fields: Any) -> R:
    """A record of this case with all fields that do not depend on the run; status "failed" until it is set.

    fields: those of this kind of record alone; and `digests`, if they are not those of the case's example.
    """
    implementation = case.implementation
    common: dict[str, Any] = (
        {"digests": digests(implementation, case.workload, device)} if "digests" not in fields else {}
    )
    return kind(
        schema=store.SCHEMA,
        status="failed",
        framework=implementation.folder.name,
        backend=implementation.backend,
        workload=case.workload,
        variant=case.variant,
        created=store.now(),
        machine=where,
        name=implementation.name,
        device=device,
        precision="float32",
        environment="as found" if external_python.python() else None,
        commit=vcs.commit(),
        **common,
        **fields,
    )


class NoResult(ValueError):
    """A process ended without an error, but wrote no readable result; the message says so."""


def facts(record: Record, implementation: Implementation, folder: Path) -> dict[str, Any]:
    """Copy the facts of a process into its record, and return its whole result. Raises NoResult."""
    try:
        result: dict[str, Any] = json.loads((folder / "result.json").read_text("utf-8"))
    except FileNotFoundError:
        raise NoResult("The process ended without an error before it had left its result.") from None
    except ValueError:
        raise NoResult("The process left a result.json that is torn: it cannot be read.") from None
    record.python, record.packages = result["python"], result["packages"]
    listed = result["packages"]
    record.version = next((listed[name] for name in implementation.framework.packages if name in listed), None)
    return result


def certify(
    case: Case,
    where: Machine,
    device: str = "cpu",
    report: Report = lambda line: None,
    parts: Collection[str] = tuple(PARTS),
    timed: bool = True,
) -> CertificateRecord:
    """One certificate as a record; its status is ok only if every check holds. Never raises.

    parts: as `judge.checks` takes them. timed: as `judge.Tracer` takes it. `times` is set where every check was made.
    """
    judge_digests = certificate_digests(case.implementation, case.workload, device)
    record = blank(CertificateRecord, case, where, device, checks=[], digests=judge_digests)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder, faults.recorded(record), ended(record):
        tracer = Tracer(case, environment.ensure(case.implementation, device), device, Path(folder), timed)
        record.threads = tracer.threads(AS_TIMED)
        record.variables, record.untimed_variables = tracer.stated(AS_TIMED), tracer.stated(ASIDE)
        for check in checks(tracer, parts):
            record.checks.append(RecordedCheck.of(check))
            report(f"{case.label}: {line(check)}")
        record.times = Times(process=time.monotonic() - start)
        failed = [check for check in record.checks if not check.ok]
        record.status = "failed" if failed else "ok"
        if hint := form_suggestions.suggestion(case, Path(folder) / "steps-float32", failed):
            failed[0].reason = " ".join(filter(None, [failed[0].reason, hint]))
            report(f"{case.label}: {hint}")
        record.reason = "; ".join(line(check) for check in failed) or None
        # A failed judgment ends the process before it writes its facts.
        if any(check.code == CheckCode.JUDGMENT for check in failed):
            return record
        facts(record, case.implementation, Path(folder) / "steps-float32")
        if "lines" in parts:
            ran, path = (
                facts(record, case.implementation, Path(folder) / "start"),
                case.implementation.example(case.workload),
            )
            record.executed = coverage.executed(path, ran["lines"], ran["elsewhere"], ran["sources"])
    return record


@contextlib.contextmanager
def ended(record: Record) -> Iterator[None]:
    """A block in which an implementation's processes run. If one cannot start, or fails, the record says why."""
    try:
        yield
    except environment.Unsupported as error:
        record.status, record.reason = "unsupported", str(error)
    except TraceFailed as error:
        record.status, record.reason, record.log = error.ended.status, error.ended.reason, error.ended.log
    except NoResult as error:
        record.status, record.reason = "failed", str(error)


def line(check: Check | RecordedCheck) -> str:
    """One check in one line: what, where, figure and limit, and the reason if it fails."""
    figure = "" if check.limit is None else f" {check.figure if check.figure is None else format(check.figure, '.1e')}"
    limit = "" if check.limit is None else f" (limit {check.limit:g})" if check.limit else " (must be 0)"
    where = f" at {check.where}" if check.where else ""
    reason = f": {check.reason}" if check.reason and not check.ok else ""
    return f"{'ok' if check.ok else 'FAILED'} {check.name}{figure}{limit}{where}{reason}"


def certified(case: Case, where: Machine | None, device: str, past: Sequence[Record]) -> bool:
    """Whether the newest of these certificates of this code, environment and judge holds for a timed run here.

    where: the machine; None for any machine, number of threads and variables.
    """
    threads = environment.threads(case.implementation, case.workload)
    timed_run = threads, environment.stated(case.implementation, case.workload, threads, device, tuned=case.tuned)
    wanted = (case.implementation.id, case.workload, case.variant, device)
    now = certificate_digests(case.implementation, case.workload, device)
    newest = None
    for record in store.of_kind(past, CertificateRecord):
        subject = (record.implementation, record.workload, record.variant, record.device)
        here = where is None or (record.machine.id == where.id and (record.threads, record.variables) == timed_run)
        if subject == wanted and not differing(record.digests, now) and here:
            newest = record
    return newest is not None and newest.status == "ok"


def published_seconds() -> dict[tuple[str, str], float]:
    """(implementation, workload) -> the seconds of its newest published certificate, on any machine."""
    published = store.of_kind(store.read_all([store.COMMITTED]), CertificateRecord)
    return {
        (certificate.implementation, certificate.workload): certificate.times.process
        for certificate in published
        if certificate.times and certificate.times.process
    }


def certify_all(
    cases: list[Case],
    where: Machine,
    device: str,
    report: Report,
    short: Collection[Case] = (),
    short_parts: Collection[str] = SHORT,
) -> Iterator[tuple[Case, CertificateRecord]]:
    """Certify these cases, as many at once as there are cores: nothing here is timed.

    An environment that is missing is made while the examples of others are certified. The variants of an example run
    one after the other, so that they share the oracle's cached gradients.

    short: the cases of which only `short_parts` are checked in one example of each implementation, and the steps alone
    in the others, which run in the same environment."""
    examples_of_implementations = {case.implementation.id: case for case in cases if case.variant is None}

    def parts(case: Case) -> tuple[str, ...]:
        if case not in short:
            return tuple(PARTS)
        return tuple(short_parts) if examples_of_implementations.get(case.implementation.id) == case else SHORTEST

    def certified_each(variants: Sequence[Case]) -> list[tuple[Case, CertificateRecord]]:
        return [(case, certify(case, where, device, report, parts(case))) for case in variants]

    examples = [
        list(same) for _, same in itertools.groupby(cases, lambda case: (case.implementation.id, case.workload))
    ]
    ready = [variants for variants in examples if environment.complete(variants[0].implementation, device)]
    missing = [variants for variants in examples if variants not in ready]

    def in_order() -> Iterator[list[Case]]:
        yield from environment.apart(ready, lambda variants: variants[0].implementation)
        for _, of_implementation in itertools.groupby(missing, lambda variants: variants[0].implementation.id):
            examples_of_implementation = list(of_implementation)
            ensure_all([examples_of_implementation[0][0].implementation], device)
            yield from examples_of_implementation

    for certificates in side_by_side(functools.partial(certified_each, variants) for variants in in_order()):
        yield from certificates


def ensure_all(implementations: list[Implementation], device: str) -> None:
    """Make the missing environments. One that cannot be made raises its error when it is next used.

    They are made one after the other: each compiles on all cores already.
    """
    for implementation in {implementation.id: implementation for implementation in implementations}.values():
        with contextlib.suppress(environment.Unsupported):
            environment.ensure(implementation, device)


def side_by_side(calls: Iterable[Callable[[], T]]) -> Iterator[T]:
    """Run these calls, as many at once as there are cores, and yield each result as soon as its call ends.

    calls: may take its time between two; the calls that it has yielded run meanwhile.

    Ctrl-C ends the running processes. The results of their calls come before the KeyboardInterrupt.
    """
    # One thread of BLAS for each oracle: two oracles that each use all cores take twice as long.
    with threadpool_limits(1), ThreadPoolExecutor(machine.cores()) as pool:
        running: list[Future[T]] = []
        try:
            for call in calls:
                running.append(pool.submit(call))
                for ended in [future for future in running if future.done()]:
                    running.remove(ended)
                    yield ended.result()
            for ended in as_completed(list(running)):
                running.remove(ended)
                yield ended.result()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)  # first, so that nothing starts after a second Ctrl-C
            process.stop_all()
            yield from (future.result() for future in running if not future.cancelled())
            raise
        except BaseException:  # an error of this project, or the caller closed the iterator: start nothing more
            pool.shutdown(wait=False, cancel_futures=True)
            raise
