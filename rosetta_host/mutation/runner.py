"""Tests that the certificate catches every mutant: patches each of mutants.toml into a copy of its example.

Each mutant must fail at least one check, one that is declared harmless must pass them all, and so must the
unpatched example, which has its own certificate. Every folder must offer every mutant of the workload. For each of
`REQUIRED_OR_REASON` it must offer the mutant or state why its framework cannot make the error, so that none is dropped
silently.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain, zip_longest
from pathlib import Path

import msgspec
from threadpoolctl import threadpool_limits

from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import Implementation, UserError, nearest
from rosetta_host.catalog.workloads import required
from rosetta_host.certificate import certify, judge
from rosetta_host.environments import environment, process
from rosetta_host.mutation.mutants import Mutant, offered
from rosetta_host.records import machine

# Mutants of every workload that not every framework can make: one may compute eagerly, or in float32 only. A folder
# offers each of them, or says in `unsupported` why not.
REQUIRED_OR_REASON = {
    "loss_not_awaited": "a loss that is returned before it is computed",
    "update_not_awaited": "weights that are still being computed when training returns",
    "double_precision": "a step that is computed in double precision",
}

# The part of a certificate that catches a mutant, if it is not the single steps.
CAUGHT_BY = {
    "batch_size_128": "loop",
    "dropout_in_prediction": "dropout",
    "dropout_rates_swapped": "dropout",
    "loader_batch_size_128": "loop",
    "loader_no_shuffle": "start",
    "no_shuffle": "start",
    "orthogonal_initial_weights": "start",
    "own_initial_law": "start",
    "partial_batch": "loop",
    "zero_initial_weights": "start",
}


class MissingMutants(UserError):
    """A folder lacks mutants that are required of it."""


def _required(implementation: Implementation, workload: str) -> list[str]:
    """The mutants that a folder must offer for this workload, without those that are the form it declares."""
    forms, form_of = implementation.workload(workload).forms, workloads.get(workload).form_of
    names = required(workload, [case.variant for case in implementation.cases([workload]) if case.variant])
    return [name for name in names if name not in form_of or form_of[name] not in forms.items()]


def mutants(implementation: Implementation, workload: str) -> list[Mutant]:
    """The mutants of a folder that it can write and that a CPU can judge.

    Raises MissingMutants if a required one is missing, and UserError if one does not fit its file.
    """
    mutants_of_implementation = offered(implementation, workload)
    written = {name: mutant for name, mutant in mutants_of_implementation.items() if mutant.unsupported is None}
    usable = {name: mutant for name, mutant in written.items() if mutant.device in (None, "cpu")}
    missing = [name for name in _required(implementation, workload) if name not in usable]
    missing += [name for name in REQUIRED_OR_REASON if name not in mutants_of_implementation]
    if missing:
        raise MissingMutants(
            f"{implementation.folder.name}/mutants.toml lacks the {workload} mutant {', '.join(missing)}."
        )
    return list(usable.values())


def patch(mutant: Mutant, folder: Path) -> Implementation:
    """The implementation with its examples copied into `folder` and the mutant patched in."""
    copy = folder / mutant.implementation.folder.name
    shutil.copytree(mutant.implementation.folder, copy)
    (copy / f"{mutant.case.workload}.py").write_text(mutant.patched(), "utf-8")
    return msgspec.structs.replace(mutant.implementation, folder=copy)


def test(mutant: Mutant) -> tuple[bool, str]:
    """Whether the certificate judges a mutant as it should, and the verdict in one line.

    The run ends at the first check that fails. A mutant that crashes before that does not count as caught, because it
    proves nothing about the certificate.
    """
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        implementation = patch(mutant, Path(folder) / "mutant")
        case = msgspec.structs.replace(mutant.case, implementation=implementation)
        try:
            for number, part in enumerate(_parts(mutant)):
                tracer = judge.Tracer(
                    case, environment.ensure(implementation), "cpu", Path(folder) / str(number), timed=False
                )
                with contextlib.closing(judge.checks(tracer, part, fail_fast=True)) as checks:
                    failed = next((check for check in checks if not check.ok), None)
                if failed:
                    verdict = "NOT HARMLESS" if mutant.harmless else "caught"
                    return not mutant.harmless, f"{verdict}: {certify.line(failed)}"
        except judge.TraceFailed as error:
            return False, f"NOT {'HARMLESS' if mutant.harmless else 'CAUGHT'}, it does not run: {error}"
    return mutant.harmless, "harmless: every check holds" if mutant.harmless else "NOT CAUGHT"


def _parts(mutant: Mutant) -> list[tuple[str, ...]]:
    """The parts of the certificate to run for a mutant, in turn: the one that should catch it, then all.

    The first part runs alone, because many frameworks compile a graph for each other one, such as prediction.
    """
    if mutant.harmless:
        return [judge.JUDGED]
    return [(CAUGHT_BY.get(mutant.name, "steps"),), judge.JUDGED]


def choose(implementations: list[Implementation], workloads: list[str], name: str | None) -> list[Mutant]:
    """All mutants of these implementations, or those of this name.

    Raises UserError for an unknown name, and with all required mutants that are missing at once.
    """
    available, missing = list[Mutant](), list[str]()
    for implementation, workload in (
        (implementation, workload)
        for implementation in implementations
        for workload in workloads
        if workload in implementation.workloads
    ):
        try:
            available += mutants(implementation, workload)
        except MissingMutants as error:
            missing.append(str(error))
    if missing:
        raise UserError("\n  ".join(["required mutants are missing:", *dict.fromkeys(missing)]))
    chosen = [mutant for mutant in available if name in (None, mutant.name)]
    if not chosen and name is not None:
        raise nearest("mutant", name, list({mutant.name: None for mutant in available}))
    return chosen


def plan(chosen: list[Mutant]) -> list[Mutant]:
    """The order of the run: first a few quick mutants that cover all names and implementations, then the others."""
    by_name: defaultdict[tuple[str, str], list[Mutant]] = defaultdict(list)
    for mutant in chosen:
        by_name[mutant.case.workload, mutant.name].append(mutant)
    first = _first_round(list(by_name.values()))
    done = {mutant.label for mutant in first}
    rotated = [of_name[i % len(of_name) :] + of_name[: i % len(of_name)] for i, of_name in enumerate(by_name.values())]
    rest = [mutant for column in zip_longest(*rotated) for mutant in column if mutant and mutant.label not in done]
    return first + rest


def _first_round(by_name: list[list[Mutant]]) -> list[Mutant]:
    """Each mutant where it adds least to an implementation's total time, and one for each remaining implementation."""
    durations = certify.published_seconds()
    median = statistics.median(durations.values()) if durations else 1.0

    def duration(mutant: Mutant) -> float:
        return durations.get((mutant.implementation.id, mutant.case.workload), median)

    spent: defaultdict[str, float] = defaultdict(float)
    first = []
    for of_name in sorted(by_name, key=len):  # mutants that few implementations offer choose first
        first.append(min(of_name, key=lambda mutant: spent[mutant.implementation.id] + duration(mutant)))
        spent[first[-1].implementation.id] += duration(first[-1])
    for mutant in sorted(chain(*by_name), key=duration):
        if not spent[mutant.implementation.id]:
            first.append(mutant)
            spent[mutant.implementation.id] += duration(mutant)
    return first


def _covering(planned: list[Mutant]) -> int:
    """The length of the shortest start of a plan that covers each name and each implementation."""
    seen: set[str] = set()
    length = 0
    for number, mutant in enumerate(planned, start=1):
        new = {f"{mutant.case.workload} {mutant.name}", f"implementation {mutant.implementation.id}"} - seen
        seen |= new
        length = number if new else length
    return length


def _results(planned: list[Mutant], is_over: Callable[[list[Mutant]], bool]) -> Iterator[tuple[Mutant, bool, str]]:
    """Test mutants, as many at once as there are cores, until `is_over` returns True for the waiting ones."""
    queue = list(planned)
    running: dict[Future[tuple[bool, str]], Mutant] = {}
    with threadpool_limits(1), ThreadPoolExecutor(machine.cores()) as pool:
        while queue or running:
            while queue and len(running) < machine.cores() and not is_over(queue):
                mutant = _next(queue, list(running.values()))
                running[pool.submit(test, mutant)] = mutant
            if not running:
                return
            try:
                finished = wait(running, return_when=FIRST_COMPLETED).done
            except KeyboardInterrupt:
                process.stop_all()
                raise
            for future in finished:
                yield running.pop(future), *future.result()


def _next(queue: list[Mutant], running: list[Mutant]) -> Mutant:
    """Take the first of a queue whose environment is idle: some frameworks lock their compile cache."""
    busy = {mutant.implementation.environment_id for mutant in running}
    number = next((i for i, mutant in enumerate(queue) if mutant.implementation.environment_id not in busy), 0)
    return queue.pop(number)


def run(
    implementations: list[Implementation],
    workloads: list[str],
    name: str | None,
    minutes: float | None,
    report: Callable[[str], None],
) -> int:
    """Test mutants and report each. Exit code 0 if all verdicts are right and, in CI, no implementation is left out.

    With `minutes`, each mutant still runs in one implementation at least, and each implementation has one. An
    implementation that this machine cannot run is left out and reported."""
    # Before an environment is made, so that a mistyped name fails at once.
    chosen = choose(implementations, workloads, name)
    implementations = list({mutant.implementation.id: mutant.implementation for mutant in chosen}.values())
    runnable = [implementation.id for implementation in implementations if _can_run(implementation, report)]
    planned = [mutant for mutant in chosen if mutant.implementation.id in runnable]
    if minutes is not None:
        planned = plan(planned)
    first_round = {mutant.label for mutant in planned[: _covering(planned)]}
    start = time.monotonic()

    def is_over(waiting: list[Mutant]) -> bool:
        over = minutes is not None and time.monotonic() - start > 60 * minutes
        return over and first_round.isdisjoint(mutant.label for mutant in waiting)

    wrong, count = [], 0
    for mutant, as_expected, verdict in _results(planned, is_over):
        count += 1
        report(f"[{count}/{len(planned)}] {mutant.label}: {verdict}")
        if not as_expected:
            wrong.append(mutant.label)
    report(
        f"{count - len(wrong)} of {count} mutants judged as they should be, of {len(planned)} in all."
        + (" Not so: " + ", ".join(wrong) if wrong else "")
    )
    return int(bool(wrong) or (len(runnable) < len(implementations) and (bool(os.environ.get("CI")) or not runnable)))


def _can_run(implementation: Implementation, report: Callable[[str], None]) -> bool:
    try:
        environment.ensure(implementation)
    except environment.Unsupported as error:
        report(f"{implementation.id}: left out: {error}")
        return False
    return True
