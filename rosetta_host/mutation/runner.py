"""Tests that the certificate catches every mutant: patches each of mutants.toml into a copy of its example.

Each mutant must fail at least one check, one that is declared harmless must pass them all, and so must the
unpatched example (`certificate` says that). Every folder must offer every mutant that the workload states, and of
`REQUIRED_OR_REASON` each or the reason why its framework cannot make the error, so that none is dropped quietly.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain, zip_longest
from pathlib import Path

import msgspec
from threadpoolctl import threadpool_limits

from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import Row, UserError, nearest
from rosetta_host.certificate import certify, judge
from rosetta_host.environments import environment, process
from rosetta_host.mutation.mutants import Mutant, offered
from rosetta_host.records import machine, store

# Of every workload. Not every framework can make them, for one may compute all as it is called, or in float32 alone: a
# folder offers each of them, or says in `unsupported` why not.
REQUIRED_OR_REASON = {
    "loss_not_awaited": "a loss that is returned before it is computed",
    "update_not_awaited": "weights that are still being computed when training returns",
    "double_precision": "a step that is computed in double precision",
}

# The part of a certificate that shows an error which single steps do not.
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


def required(workload: str, variants: Iterable[str] = ()) -> dict[str, str]:
    """The mutants that an example of this workload with these variants must offer: name -> what it is, in words."""
    stated = workloads.get(workload)
    return stated.mutants | {
        name: words for variant in variants for name, words in stated.variant_mutants.get(variant, {}).items()
    }


def _required(row: Row, workload: str) -> list[str]:
    """The mutants that a folder must offer for this workload: a form that it declares as its own is no error there."""
    forms, form_of = row.workload(workload).forms, workloads.get(workload).form_of
    names = required(workload, [case.variant for case in row.cases([workload]) if case.variant])
    return [name for name in names if name not in form_of or form_of[name] not in forms.items()]


def mutants(row: Row, workload: str) -> list[Mutant]:
    """The mutants that a folder can write, and a CPU judge.

    Raises MissingMutants where a required one is missing, and UserError where one does not fit.
    """
    mutants_of_row = offered(row, workload)
    written = {name: mutant for name, mutant in mutants_of_row.items() if mutant.unsupported is None}
    found = {name: mutant for name, mutant in written.items() if mutant.device in (None, "cpu")}
    missing = [name for name in _required(row, workload) if name not in found]
    missing += [name for name in REQUIRED_OR_REASON if name not in mutants_of_row]
    if missing:
        raise MissingMutants(f"{row.folder.name}/mutants.toml lacks the {workload} mutant {', '.join(missing)}.")
    return list(found.values())


def patch(mutant: Mutant, folder: Path) -> Row:
    """The row with its examples copied into `folder` and the mutant patched in."""
    copy = folder / mutant.row.folder.name
    shutil.copytree(mutant.row.folder, copy)
    (copy / f"{mutant.case.workload}.py").write_text(mutant.patched(), "utf-8")
    return msgspec.structs.replace(mutant.row, folder=copy)


def bite(mutant: Mutant) -> tuple[bool, str]:
    """Whether a mutant is judged as it should be, and by which check, in one line.

    It is run no further than to the first check that fails, and each process ends there.
    A mutant that crashes before proves nothing of the certificate, so it does not count as caught.
    """
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        row = patch(mutant, Path(folder) / "mutant")
        case = msgspec.structs.replace(mutant.case, row=row)
        try:
            for number, part in enumerate(_parts(mutant)):
                tracer = judge.Tracer(case, environment.ensure(row), "cpu", Path(folder) / str(number), timed=False)
                with contextlib.closing(judge.checks(tracer, part, hasty=True)) as checks:
                    failed = next((check for check in checks if not check.ok), None)
                if failed:
                    how = "NOT HARMLESS" if mutant.harmless else "caught"
                    return not mutant.harmless, f"{how}: {certify.line(failed)}"
        except judge.TraceFailed as error:
            return False, f"NOT {'HARMLESS' if mutant.harmless else 'CAUGHT'}, it does not run: {error}"
    return mutant.harmless, "harmless: every check holds" if mutant.harmless else "NOT CAUGHT"


def _parts(mutant: Mutant) -> list[tuple[str, ...]]:
    """The parts of the certificate that a mutant is held against: if that which should catch it does not, all.

    Alone, for what else it asks many a framework would compile first: to predict is a graph of its own.
    """
    if mutant.harmless:
        return [judge.JUDGED]
    return [(CAUGHT_BY.get(mutant.name, "steps"),), judge.JUDGED]


def choose(rows: list[Row], workloads: list[str], name: str | None) -> list[Mutant]:
    """All mutants of these rows, or those of this name.

    Raises UserError where there is none of it, and with all that is missing of these rows and workloads at once.
    """
    found, missing = list[Mutant](), list[str]()
    for row, workload in ((row, workload) for row in rows for workload in workloads if workload in row.workloads):
        try:
            found += mutants(row, workload)
        except MissingMutants as error:
            missing.append(str(error))
    if missing:
        raise UserError("\n  ".join(["required mutants are missing:", *dict.fromkeys(missing)]))
    chosen = [mutant for mutant in found if name in (None, mutant.name)]
    if not chosen and name is not None:
        raise nearest("mutant", name, list({mutant.name: None for mutant in found}))
    return chosen


def plan(chosen: list[Mutant]) -> list[Mutant]:
    """In which order they run: first few and quick ones of every name and row, then the others by turns."""
    by_name: defaultdict[tuple[str, str], list[Mutant]] = defaultdict(list)
    for mutant in chosen:
        by_name[mutant.case.workload, mutant.name].append(mutant)
    first = _first_round(list(by_name.values()))
    done = {mutant.label for mutant in first}
    turned = [of_name[i % len(of_name) :] + of_name[: i % len(of_name)] for i, of_name in enumerate(by_name.values())]
    rest = [mutant for column in zip_longest(*turned) for mutant in column if mutant and mutant.label not in done]
    return first + rest


def seconds() -> dict[tuple[str, str], float]:
    """(row, workload) -> how long its newest published certificate took; on which machine does not matter here."""
    published = store.of_kind(store.read_all([store.COMMITTED]), store.CertificateRecord)
    return {(one.row, one.workload): one.times.process for one in published if one.times and one.times.process}


def _first_round(by_name: list[list[Mutant]]) -> list[Mutant]:
    """Each mutant in one row, where it adds least to what its row takes, and one of each row that has had none."""
    known = seconds()
    usual = statistics.median(known.values()) if known else 1.0

    def takes(mutant: Mutant) -> float:
        return known.get((mutant.row.id, mutant.case.workload), usual)

    spent: defaultdict[str, float] = defaultdict(float)
    first = []
    for of_name in sorted(by_name, key=len):  # what few rows offer chooses first
        first.append(min(of_name, key=lambda mutant: spent[mutant.row.id] + takes(mutant)))
        spent[first[-1].row.id] += takes(first[-1])
    for mutant in sorted(chain(*by_name), key=takes):
        if not spent[mutant.row.id]:
            first.append(mutant)
            spent[mutant.row.id] += takes(mutant)
    return first


def _covering(planned: list[Mutant]) -> int:
    """How many mutants of a plan it takes until each name and each row has had one."""
    seen: set[str] = set()
    length = 0
    for number, mutant in enumerate(planned, start=1):
        new = {f"{mutant.case.workload} {mutant.name}", f"row {mutant.row.id}"} - seen
        seen |= new
        length = number if new else length
    return length


def _results(planned: list[Mutant], enough: Callable[[list[Mutant]], bool]) -> Iterator[tuple[Mutant, bool, str]]:
    """Bite into mutants, as many at once as there are cores, until `enough` says so of those that have not begun."""
    queue = list(planned)
    running: dict[Future[tuple[bool, str]], Mutant] = {}
    with threadpool_limits(1), ThreadPoolExecutor(machine.cores()) as pool:
        while queue or running:
            while queue and len(running) < machine.cores() and not enough(queue):
                mutant = _next(queue, list(running.values()))
                running[pool.submit(bite, mutant)] = mutant
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
    """Take the first of a queue whose environment is not at work: some frameworks lock what they compile."""
    busy = {mutant.row.environment_id for mutant in running}
    number = next((i for i, mutant in enumerate(queue) if mutant.row.environment_id not in busy), 0)
    return queue.pop(number)


def run(
    rows: list[Row], workloads: list[str], name: str | None, minutes: float | None, report: Callable[[str], None]
) -> int:
    """Exit code 0 if every mutant that ran was judged as it should be, and in CI no row was left out.

    With `minutes`, each mutant runs in one row at least, and each row has one. A row that this machine cannot run is
    left out, and said to be.
    """
    chosen = choose(rows, workloads, name)  # before an environment is made: a mistyped name is told at once
    rows = list({mutant.row.id: mutant.row for mutant in chosen}.values())
    here = [row.id for row in rows if _can_run(row, report)]
    planned = [mutant for mutant in chosen if mutant.row.id in here]
    if minutes is not None:
        planned = plan(planned)
    due = {mutant.label for mutant in planned[: _covering(planned)]}
    start = time.monotonic()

    def enough(left: list[Mutant]) -> bool:
        over = minutes is not None and time.monotonic() - start > 60 * minutes
        return over and due.isdisjoint(mutant.label for mutant in left)

    wrong, count = [], 0
    for mutant, as_expected, how in _results(planned, enough):
        count += 1
        report(f"[{count}/{len(planned)}] {mutant.label}: {how}")
        if not as_expected:
            wrong.append(mutant.label)
    report(
        f"{count - len(wrong)} of {count} mutants judged as they should be, of {len(planned)} in all."
        + (" Not so: " + ", ".join(wrong) if wrong else "")
    )
    return int(bool(wrong) or (len(here) < len(rows) and (bool(os.environ.get("CI")) or not here)))


def _can_run(row: Row, report: Callable[[str], None]) -> bool:
    try:
        environment.ensure(row)
    except environment.Unsupported as error:
        report(f"{row.id}: left out: {error}")
        return False
    return True
