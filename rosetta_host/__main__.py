"""python -m rosetta_host COMMAND [options] [ID …]"""

from __future__ import annotations

import argparse
import logging
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rosetta_host.benchmark import first_look, runs
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import WORKLOADS, Case, UserError
from rosetta_host.certificate import certify, judge, precheck
from rosetta_host.datasets import dataset
from rosetta_host.defaults import collect
from rosetta_host.environments import environment, external_python, locks
from rosetta_host.lessons import declarations, experiments
from rosetta_host.lessons.experiments import Experiment
from rosetta_host.mutation import runner
from rosetta_host.publishing import standalone_check
from rosetta_host.records import machine, store, vcs
from rosetta_host.records.store import COMMITTED, LOCAL, CertificateRecord, DefaultsRecord, Measure, Record
from rosetta_host.scaffold import new
from rosetta_host.transfer import moves

SUMMED_UP = ("loss", "step median", "step worst", "float64: step median")  # the checks that the summary shows
SUMMARY_WIDTH = 130  # characters; cut to a terminal's 80, a column says nothing
NAMED = 4  # failed checks that the verdict names; the record has all
SILENCE = 30.0  # seconds between two lines of progress where the output is no terminal

console = Console(highlight=False, soft_wrap=True)
log = logging.getLogger("rosetta_host")


def parser() -> argparse.ArgumentParser:
    """The options of every command, with their help."""
    top = argparse.ArgumentParser(prog="python -m rosetta_host", description="Certify and benchmark the examples.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--workload", metavar="|".join(WORKLOADS), help="one workload only (default: all)")
    options.add_argument("--records", type=Path, metavar="DIR", help="folder for the records (default: see the README)")
    options.add_argument("--machine", metavar="NAME", help="the name of this machine in the records")
    shared = argparse.ArgumentParser(add_help=False, parents=[options])
    shared.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help="frameworks, by their folders in examples/, or folder-backend (default: all)",
    )
    on = argparse.ArgumentParser(add_help=False)
    on.add_argument(
        "--device", default="auto", metavar="auto|cpu|gpu", help="auto: the GPU if there is one (default: auto)"
    )
    found = argparse.ArgumentParser(add_help=False, parents=[on])
    found.add_argument("--python", type=Path, metavar="FILE", help=PYTHON_HELP)
    full = argparse.ArgumentParser(add_help=False)
    full.add_argument("--data", type=Path, metavar="DIR", help="a folder with the data in its official layout")
    full.add_argument(
        "--unofficial",
        action="store_true",
        help="use that data even if it is not the official copy; its numbers are marked",
    )
    full.add_argument("--again", action="store_true", help="repeat runs that already have a record")
    bench = commands.add_parser("benchmark", parents=[shared, found, full], help="certify, run, and record the times")
    bench.add_argument("--preset", default="quick", metavar="|".join(runs.PRESETS), help=PRESET_HELP)
    bench.add_argument("--seeds", type=int, default=1, metavar="N", help="run with the seeds 0 … N-1 (default: 1)")
    bench.add_argument("--hours", type=float, default=2.0, metavar="H", help=HOURS_HELP)
    bench.add_argument("--left", type=Path, metavar="FILE", help=LEFT_HELP)
    certifying = commands.add_parser(
        "certificate", parents=[shared, found], help="certify only; exit with 1 if a certificate fails"
    )
    certifying.add_argument("--short", action="store_true", help=SHORT_HELP)
    mutating = commands.add_parser("mutation", parents=[shared], help="test that the certificate catches every mutant")
    mutating.add_argument("--mutant", metavar="NAME", help="run this mutant only")
    mutating.add_argument(
        "--minutes",
        type=float,
        metavar="N",
        help="run every mutant in at least one implementation, then more until N minutes are over",
    )
    commands.add_parser(
        "transfer", parents=[shared, on], help="move weights between frameworks; exit with 1 if a transfer fails"
    )
    commands.add_parser("defaults", parents=[shared, on], help="measure the defaults of each framework")
    commands.add_parser("overhead", parents=[shared], help="measure the overhead over the bare loop")
    commands.add_parser("standalone", parents=[shared, on], help="run each standalone script of the site")
    tried = commands.add_parser(
        "lessons", parents=[options, found, full], help="measure the lessons; exit with 1 if one fails"
    )
    tried.add_argument(
        "names", nargs="*", metavar="NAME", help="lessons, and frameworks to measure them in (default: all)"
    )
    tried.add_argument("--kind", action="append", metavar="|".join(experiments.KINDS), help=KIND_HELP)
    tried.add_argument("--seeds", type=int, default=3, metavar="N", help="for accuracy: the seeds 0 … N-1 (default: 3)")
    starting = commands.add_parser("new", help="write the folder of a new framework, with what is left to fill in")
    starting.add_argument("name", metavar="NAME", help="its id: lower case, no hyphen")
    locking = commands.add_parser("locks", help="make the frameworks' locks anew that pin a package")
    locking.add_argument("names", nargs="+", metavar="NAME", help=LOCKS_HELP)
    books = commands.add_parser("notebooks", parents=[shared], help="execute the notebooks that are out of date")
    books.add_argument("--again", action="store_true", help="execute all of them")
    return top


LOCKS_HELP = "a framework or a package, in the version that is pinned or in another, as torch==2.14.0"
PYTHON_HELP = "run everything in this external interpreter, not in the locked environments; the record says so"
HOURS_HELP = "preset full: stop a run if its first ten minutes predict more than H hours of training (default: 2)"
LEFT_HELP = (
    "preset quick, all frameworks: benchmark only a few that install quickly, and write the ids of the others to FILE"
)
KIND_HELP = "what to measure: the certificate, seconds per step, accuracy after an epoch (default: size,time)"
SHORT_HELP = "leave out the float64, line coverage and dropout checks for code that already has a published certificate"
PRESET_HELP = "quick: the small sample (default); epoch: one epoch of all the data; full: all epochs of all the data"


Choice = TypeVar("Choice", bound=str)


def _choose(what: str, given: str, choices: tuple[Choice, ...]) -> Choice:
    if given not in choices:
        raise frameworks.nearest(what, given, list(choices))
    return choices[choices.index(given)]


class Screen:
    """Live progress: one line that follows the run on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int) -> None:
        self.total, self.number, self.printed = total, 0, 0.0
        self.rates: runs.Rates | None = None
        self.live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None

    def __enter__(self) -> Screen:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def begin(self, job: runs.Job) -> None:
        self.number += 1
        self.rates = runs.Rates(job)
        self._show(force=True)

    def event(self, job: runs.Job, event: dict[str, object]) -> None:
        if self.rates:
            self.rates.take(event)
        self._show(force=event["event"] == "trained")

    def _show(self, force: bool) -> None:
        line = f"[{self.number}/{self.total}] {self.rates}{_left(self.rates.left() if self.rates else None)}"
        if self.live:
            self.live.update(Text(line))
        elif force or time.monotonic() - self.printed > SILENCE:
            self.printed = time.monotonic()
            console.print(line, markup=False)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _left(seconds: float | None) -> str:
    """The end of a line of progress; nothing where nothing is left, or known."""
    return f" · {_clock(seconds)} left" if seconds else ""


def _device(given: str) -> str:
    if _choose("device", given, ("auto", "cpu", "gpu")) != "auto":
        return given
    return "gpu" if machine.gpu() else "cpu"


def _workloads(options: argparse.Namespace) -> list[str]:
    return [_choose("workload", options.workload, WORKLOADS)] if options.workload else list(WORKLOADS)


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


def _exit_code(statuses: Sequence[str]) -> int:
    """1 if a run went wrong. A row that this machine cannot run is shown and others go on; in CI it is an error."""
    bad = [status for status in statuses if status not in ("ok", "unsupported")]
    unsupported = statuses.count("unsupported")
    return int(bool(bad) or (unsupported > 0 and (bool(os.environ.get("CI")) or unsupported == len(statuses))))


def certify_cases(
    options: argparse.Namespace,
    cases: list[Case],
    folder: Path,
    short: Collection[Case] = (),
    parts: Collection[str] = judge.SHORT,
) -> list[str]:
    """Certify these cases; every certificate is written as soon as it is there, and a table sums them up.

    Their environments are made where they are missing.

    short: those that are certified already, of which these `parts` are made, and a record only where one fails.
    """
    where, device = machine.describe(options.machine), _device(options.device)
    alone = len({case.row.id for case in cases}) == 1
    if alone:  # of all implementations, that imports every framework once more
        precheck.require_loaded([case for case in cases if case not in short], device)
    done: list[tuple[Case, CertificateRecord]] = []
    lock, start = threading.Lock(), time.monotonic()

    def report(line: str) -> None:
        with lock:
            _say(line)

    # Who works on one row wants to see each check; of all rows they were two thousand lines.
    check = report if alone else lambda line: None
    for case, record in certify.certify_all(cases, where, device, check, short, parts):
        if case not in short or record.status != "ok":
            store.write(record, folder)
        done.append((case, record))
        verdict = "certified (short)" if case in short else "certified"
        said = verdict if record.status == "ok" else f"{record.status}: {_summed_up(record)}"
        left = (time.monotonic() - start) / len(done) * (len(cases) - len(done))
        report(f"[{len(done)}/{len(cases)}] {case.label}: {said}{_left(left)}")
    if short:
        left_out = ", ".join(words for part, words in judge.PARTS.items() if part not in parts)
        report(f"Skipped for the {len(short)} of {len(cases)} with a published certificate: {left_out}.")
    if len(done) > 1:
        Console(width=max(console.width, SUMMARY_WIDTH)).print(_summary(done))
    return [record.status for _, record in done]


def _summed_up(record: CertificateRecord) -> str:
    """Why a certificate failed, in a short line: the checks that fail by name; the record has all of each."""
    failed = [check for check in record.checks if not check.ok]
    if not failed:
        return record.reason or "no reason recorded"
    names = ", ".join(dict.fromkeys(check.name for check in failed[:NAMED]))
    names += f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
    return f"{len(failed)} of {len(record.checks)} checks fail: {names}. First: {certify.line(failed[0])}"


def _summary(done: list[tuple[Case, CertificateRecord]]) -> Table:
    """Every certificate in a line: its figures beside their limits, and its seconds, the slowest last."""
    table = Table(title="Certificates", box=None, title_justify="left")
    for heading in ("row", "workload", "variant", "status"):
        table.add_column(heading)
    for heading in (*SUMMED_UP, "seconds"):
        table.add_column(heading, justify="right")
    for case, record in sorted(done, key=lambda pair: _seconds(pair[1])):
        figures = {check.name: check.figure for check in record.checks}
        cells = [format(figures[name], ".0e") if figures.get(name) is not None else "" for name in SUMMED_UP]
        seconds = f"{_seconds(record):.0f}"
        table.add_row(case.row.id, case.workload, case.variant or "", record.status, *cells, seconds)
    return table


def _seconds(record: Record) -> float:
    return (record.times and record.times.process) or 0.0


def _cases(options: argparse.Namespace, rows: list[frameworks.Row], device: str) -> list[Case]:
    """All that can be certified of these rows. Raises UserError with what is wrong with their folders."""
    cases = [case for row in rows for case in row.cases(_workloads(options))]
    precheck.require(cases, device)
    return cases


def _published(cases: list[Case], device: str, past: Sequence[Record]) -> list[Case]:
    """Those of which some machine's certificate of the same code is among these records, and holds."""
    return [case for case in cases if certify.certified(case, None, device, past)]


def run_certificate(options: argparse.Namespace) -> int:
    folder = _folder(options)
    cases, short = _cases(options, frameworks.select(options.ids), _device(options.device)), list[Case]()
    if options.short:
        past = store.read_all([COMMITTED, folder])  # one that failed here is to be made whole
        short = _published(cases, _device(options.device), past)
    return _exit_code(certify_cases(options, cases, folder, short))


def run_benchmark(options: argparse.Namespace) -> int:
    _choose("preset", options.preset, runs.PRESETS)
    if options.seeds < 1:
        raise UserError(f"--seeds must be at least 1, not {options.seeds}.")
    if not options.hours > 0:
        raise UserError(f"--hours must be more than 0, not {options.hours:g}.")
    limit = 3600 * options.hours if options.preset == "full" else math.inf
    rows, device, workloads = frameworks.select(options.ids), _device(options.device), _workloads(options)
    folder = _folder(options, published=options.preset != "quick")
    start, every_case, left = time.monotonic(), _cases(options, rows, device), list[frameworks.Row]()
    if options.left and options.preset == "quick" and not options.ids and not options.python:
        rows, left = first_look.split(rows, device)
    cases = [case for case in every_case if case.row in rows]
    planned = runs.jobs(rows, workloads, options.preset, device, options.seeds, options.data, options.unofficial)
    where = machine.describe(options.machine)
    past = store.read_all([folder])
    # A newcomer's machine proves equality for itself, though certificates of other machines come with the checkout.
    stale = [case for case in cases if not certify.certified(case, where, device, past)]
    # With those at hand a first look needs no more than what its own float32 computes.
    quick = options.preset == "quick"
    short = _published(stale, device, store.read_all([COMMITTED, folder])) if quick else []
    statuses = certify_cases(options, stale, folder, short, judge.SHORTEST) if stale else []
    if not quick and not options.again:
        planned = [job for job in planned if not runs.done(job, where, past)]
    if quick:  # which ranks nobody: a second before each of 71 runs was a minute
        where = msgspec.structs.replace(where, matmul_rate=machine.matmul_rate())
    finished: list[Record] = []
    with Screen(len(planned)) as screen:
        for job in planned:
            screen.begin(job)
            record = runs.benchmark(job, where, screen.event, limit)
            path = store.write(record, folder)
            finished.append(record)
            console.print(f"{runs.summary(record)}  ({os.path.relpath(path)})", markup=False)
            if record.status == "interrupted":
                return 130
    if left:
        options.left.write_text(" ".join(row.id for row in left), "utf-8")
        minutes = (time.monotonic() - start) / 60 * (len(every_case) - len(cases)) / max(1, len(cases))
        _say(f"{len(rows)} of {len(rows) + len(left)} frameworks are done. The others take about {minutes:.0f} minutes.")
    return _exit_code(statuses + [record.status for record in finished])


def run_mutation(options: argparse.Namespace) -> int:
    rows, workloads = frameworks.select(options.ids), _workloads(options)
    _cases(options, rows, "cpu")
    return runner.run(rows, workloads, options.mutant, options.minutes, lambda line: console.print(line, markup=False))


def run_lessons(options: argparse.Namespace) -> int:
    if options.seeds < 1:
        raise UserError(f"--seeds must be at least 1, not {options.seeds}.")
    planned = _lessons_planned(options)
    folders = {kind: _folder(options, published=kind == "accuracy") for kind in planned}
    where, device = machine.describe(options.machine), _device(options.device)
    workloads = {one.case.workload for one in planned.get("accuracy", [])}
    data = {name: dataset.locate(name, experiments.PRESET, options.data, options.unofficial) for name in workloads}
    statuses: list[str] = []
    wrong: list[str] = []
    for kind, wanted in planned.items():
        left = wanted if options.again else experiments.left(wanted, where, device, folders[kind], data)
        _say(f"{kind}: {len(left)} of {len(wanted)} to measure; {len(wanted) - len(left)} have records")
        for experiment, record in _measured(kind, left, where, device, data):
            path = store.write(record, folders[kind])
            _say(f"{experiment.label}: {experiments.summary(record)}  ({os.path.relpath(path)})")
            if not (experiment.mutant and experiment.mutant.unsupported):
                statuses.append(record.status)
                wrong += [f"{experiment.label} ({kind})"] if record.status != "ok" else []
    _say(
        f"{statuses.count('ok')} of {len(statuses)} measurements succeeded."
        + (f" Failed: {', '.join(wrong)}" if wrong else "")
    )
    return _exit_code(statuses)


def _lessons_planned(options: argparse.Namespace) -> dict[Measure, list[Experiment]]:
    """What there is to measure of the lessons and rows that the user names, by kind. Raises UserError for nothing."""
    given = ",".join(options.kind or ["size,time"]).split(",")
    kinds = dict.fromkeys(_choose("kind", kind, experiments.KINDS) for kind in given)
    declared, known = declarations.read(), frameworks.rows()
    chosen, ids = declarations.select(declared, options.names, known)
    declarations.check(declared, known.values())
    chosen = {slug: lesson for slug, lesson in chosen.items() if lesson.workload in _workloads(options)}
    planned = {}
    for kind in kinds:
        rows = [known[name] for name in ids or (declared.accuracy_rows if kind == "accuracy" else known)]
        planned[kind] = experiments.plan(kind, chosen, rows, options.seeds, _device(options.device))
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
        yield from experiments.times(left, where, device, _say)
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
    rows = frameworks.select(options.ids)
    if len(rows) < 2:
        raise UserError("A transfer needs two frameworks: name at least two, or none for all.")
    statuses: list[str] = []

    def report(line: str) -> None:
        console.print(line, markup=False)

    folder, where, device = _folder(options), machine.describe(options.machine), _device(options.device)
    for record in moves.transfer_all(rows, _workloads(options), where, device, report):
        path = store.write(record, folder)
        report(f"{moves.summary(record)}  ({os.path.relpath(path)})")
        statuses.append(record.status)
    return _exit_code(statuses)


def run_defaults(options: argparse.Namespace) -> int:
    rows, statuses = frameworks.select(options.ids), []
    folder = _folder(options)
    past = store.of_kind(store.read_all(), DefaultsRecord)
    for record in collect.ask_all(rows, machine.describe(options.machine), _device(options.device), _say):
        path = store.write(record, folder)
        _say(f"{collect.summary(record)}  ({os.path.relpath(path)})")
        before = [one for one in past if (one.row, one.device) == (record.row, record.device) and one.answers]
        for line in collect.changes(before[-1], record) if before else ():
            _say(f"  changed: {line}")
        if len(rows) == 1:
            for name, answer in record.answers.items():
                _say(f"  {name}: {answer.statement}" + (f" ({answer.reason})" if answer.reason else ""))
        statuses.append(record.status)
    return _exit_code(statuses)


def run_overhead(options: argparse.Namespace) -> int:
    code = 0
    for row in frameworks.select(options.ids):
        python = environment.ensure(row)
        for workload in _workloads(options):
            console.print(f"{row.id} {workload}")
            environ = environment.variables(row, workload, environment.threads(row, workload), "cpu")
            command = [python, frameworks.ROOT / "tools" / "overhead.py", row.example(workload)]
            code |= subprocess.run(command, env=environ, check=False).returncode
    return code


def run_standalone(options: argparse.Namespace) -> int:
    rows, known = frameworks.select(options.ids), list(frameworks.rows().values())
    found = standalone_check.run_all(rows, known, _workloads(options), _device(options.device), _say)
    statuses = [one.status for one in found]
    _say(f"{statuses.count('ok')} of {len(statuses)} standalone scripts work")
    return _exit_code(statuses)


def run_new(options: argparse.Namespace) -> int:
    folder = new.create(options.name)
    _say(f"{os.path.relpath(folder)} holds {', '.join(sorted(path.name for path in folder.iterdir()))}. Next:")
    for line in new.next_steps(options.name):
        _say(line)
    return 0


def run_locks(options: argparse.Namespace) -> int:
    for name in options.names:
        locks.bump(name, frameworks.rows(), _say)
    return 0


def run_notebooks(options: argparse.Namespace) -> int:
    from rosetta_host.publishing import kernels  # needs what only the session `notebooks` installs

    rows, known = frameworks.select(options.ids), list(frameworks.rows().values())
    return _exit_code(list(kernels.make_all(rows, known, _workloads(options), options.again, _say)))


def _say(line: str) -> None:
    console.print(line, markup=False)


class Told(logging.Handler):
    """What the host's modules log, as lines among the others."""

    def emit(self, record: logging.LogRecord) -> None:
        _say(self.format(record))


COMMANDS = {
    "benchmark": run_benchmark,
    "certificate": run_certificate,
    "mutation": run_mutation,
    "lessons": run_lessons,
    "transfer": run_transfer,
    "defaults": run_defaults,
    "overhead": run_overhead,
    "standalone": run_standalone,
    "new": run_new,
    "locks": run_locks,
    "notebooks": run_notebooks,
}


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    log.setLevel(logging.INFO)
    log.handlers = [Told()]
    # A terminated sweep must end its children and write its record just as an interrupted one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        external_python.use(getattr(options, "python", None))
        return COMMANDS[options.command](options)
    except UserError as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 2
    except KeyboardInterrupt:
        console.print("interrupted", style="red")
        return 130


if __name__ == "__main__":
    sys.exit(main())
