"""The options of every command, with their help; a value that an option does not take is a UserError."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from rosetta_host.benchmark import runs
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import WORKLOADS, UserError
from rosetta_host.lessons import experiments
from rosetta_host.records import machine

DEVICES = ("auto", "cpu", "gpu")
FEWEST_TURNS = 5  # of a ranked sweep: of fewer, even the range of the turns is no 90 % interval
DEVICE_HELP = "auto: the GPU if there is one (default: auto)"
LOCKS_HELP = "a framework or a package, in the version that is pinned or in another, as torch==2.14.0"
PYTHON_HELP = "run everything in this external interpreter, not in the locked environments; the record says so"
HOURS_HELP = (
    "preset full: stop a run if its first ten minutes predict more than H hours of training; with --ranked: begin no "
    "turn that would end after H hours (default: 2)"
)
RANKED_HELP = (
    "rank all cases by the seconds of a steady step on the small sample: fresh processes in random order, each beside "
    "a reference, on an idle machine; the same command continues a sweep that was stopped"
)
TURNS_HELP = f"with --ranked: turns that count for each case (default: {FEWEST_TURNS}, which is the least)"
AGAIN_HELP = "repeat runs that already have a record; with --ranked: begin a new sweep"
LEFT_HELP = (
    "preset quick, all frameworks: benchmark only a few that install quickly, and write the ids of the others to FILE"
)
ACCURACY_SEEDS_HELP = "for accuracy: the seeds 0 … N-1 (default: 3)"
KIND_HELP = "what to measure: the certificate, seconds per step, accuracy after an epoch (default: size,time)"
SHORT_HELP = (
    "leave out the float64, line coverage and dropout checks of examples that already have a published certificate, "
    "and their variants"
)
VALIDATE_HELP = "records, or folders that hold them (default: all that are published)"
STALE_HELP = "presets epoch and full: run again only what has a record of this machine, but of older code"
MISSING_HELP = "measure nothing; list the defaults of other frameworks that no line of explicit.toml gives here"
PRESET_HELP = "quick: the small sample (default); epoch: one epoch of all the data; full: all epochs of all the data"


def choice(what: str, choices: Sequence[str]) -> Callable[[str], str]:
    """The type of an option that takes one of these words. Its error names the nearest, as argparse's `choices` do not.

    A UserError passes through argparse, which would put its usage before another error.
    """

    def choose(given: str) -> str:
        if given not in choices:
            raise frameworks.nearest(what, given, list(choices))
        return given

    return choose


def _device(given: str) -> str:
    device = choice("device", DEVICES)(given)
    if device == "auto":
        return "gpu" if machine.gpu() else "cpu"
    if device == "gpu" and not machine.gpu():
        raise UserError(
            "--device gpu: nvidia-smi lists no GPU on this machine. Install its driver, or use --device cpu."
        )
    return device


def _kinds(given: str) -> list[str]:
    return [choice("kind", experiments.KINDS)(kind) for kind in given.split(",")]


def _seeds(given: str) -> int:
    if not given.isdecimal() or int(given) < 1:
        raise UserError(f"--seeds must be at least 1, not {given}.")
    return int(given)


def _hours(given: str) -> float:
    try:
        hours = float(given)
    except ValueError:
        hours = math.nan
    if not hours > 0:
        raise UserError(f"--hours must be more than 0, not {given}.")
    return hours


def _turns(given: str) -> int:
    if not given.isdecimal() or int(given) < FEWEST_TURNS:
        raise UserError(f"--turns must be at least {FEWEST_TURNS}, not {given}.")
    return int(given)


def parser() -> argparse.ArgumentParser:
    """The options of every command, with their help."""
    top = argparse.ArgumentParser(prog="python -m rosetta_host", description="Certify and benchmark the examples.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--workload",
        type=choice("workload", WORKLOADS),
        metavar="|".join(WORKLOADS),
        help="one workload only (default: all)",
    )
    options.add_argument("--records", type=Path, metavar="DIR", help="folder for the records (default: see the README)")
    options.add_argument("--machine", metavar="NAME", help="the name of this machine in the records")
    shared = argparse.ArgumentParser(add_help=False, parents=[options])
    shared.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help="frameworks, by their folders in examples/, or folder-backend (default: all)",
    )
    device = argparse.ArgumentParser(add_help=False)
    device.add_argument("--device", type=_device, default="auto", metavar="|".join(DEVICES), help=DEVICE_HELP)
    interpreter = argparse.ArgumentParser(add_help=False, parents=[device])
    interpreter.add_argument("--python", type=Path, metavar="FILE", help=PYTHON_HELP)
    full = argparse.ArgumentParser(add_help=False)
    full.add_argument("--data", type=Path, metavar="DIR", help="a folder with the data in its official layout")
    full.add_argument(
        "--unofficial",
        action="store_true",
        help="use that data even if it is not the official copy; its numbers are marked",
    )
    full.add_argument("--again", action="store_true", help=AGAIN_HELP)
    bench = commands.add_parser(
        "benchmark", parents=[shared, interpreter, full], help="certify, run, and record the times"
    )
    bench.add_argument(
        "--preset",
        type=choice("preset", runs.PRESETS),
        default="quick",
        metavar="|".join(runs.PRESETS),
        help=PRESET_HELP,
    )
    bench.add_argument("--seeds", type=_seeds, default=1, metavar="N", help="run with the seeds 0 … N-1 (default: 1)")
    bench.add_argument("--hours", type=_hours, default=2.0, metavar="H", help=HOURS_HELP)
    bench.add_argument("--ranked", action="store_true", help=RANKED_HELP)
    bench.add_argument("--turns", type=_turns, default=FEWEST_TURNS, metavar="N", help=TURNS_HELP)
    bench.add_argument("--stale", action="store_true", help=STALE_HELP)
    bench.add_argument("--left", type=Path, metavar="FILE", help=LEFT_HELP)
    certifying = commands.add_parser(
        "certificate", parents=[shared, interpreter], help="certify only; exit with 1 if a certificate fails"
    )
    certifying.add_argument("--short", action="store_true", help=SHORT_HELP)
    certifying.add_argument("--stale", action="store_true", help="leave out what has a current certificate")
    mutating = commands.add_parser("mutation", parents=[shared], help="test that the certificate catches every mutant")
    mutating.add_argument("--mutant", metavar="NAME", help="run this mutant only")
    mutating.add_argument(
        "--minutes",
        type=float,
        metavar="N",
        help="run every mutant in at least one implementation, then more until N minutes are over",
    )
    commands.add_parser(
        "transfer", parents=[shared, device], help="move weights between frameworks; exit with 1 if a transfer fails"
    )
    asking = commands.add_parser("defaults", parents=[shared, device], help="measure the defaults of each framework")
    asking.add_argument("--stale", action="store_true", help="leave out what has current answers")
    asking.add_argument("--missing", action="store_true", help=MISSING_HELP)
    commands.add_parser(
        "speed", parents=[shared, device], help="compare each example with its bare loop and with its variants"
    )
    commands.add_parser("standalone", parents=[shared, device], help="run each standalone script of the site")
    tried = commands.add_parser(
        "lessons", parents=[options, interpreter, full], help="measure the lessons; exit with 1 if one fails"
    )
    tried.add_argument(
        "names", nargs="*", metavar="NAME", help="lessons, and frameworks to measure them in (default: all)"
    )
    tried.add_argument("--kind", type=_kinds, action="extend", metavar="|".join(experiments.KINDS), help=KIND_HELP)
    tried.add_argument(
        "--seeds", type=_seeds, default=3, metavar="N", help="for accuracy: the seeds 0 … N-1 (default: 3)"
    )
    starting = commands.add_parser("new", help="write the folder of a new framework, with what is left to fill in")
    starting.add_argument("name", metavar="NAME", help="its id: lower case, no hyphen")
    locking = commands.add_parser("locks", help="make the frameworks' locks anew that pin a package")
    locking.add_argument("names", nargs="+", metavar="NAME", help=LOCKS_HELP)
    books = commands.add_parser("notebooks", parents=[shared], help="execute the notebooks that are out of date")
    books.add_argument("--again", action="store_true", help="execute all of them")
    validating = commands.add_parser(
        "validate", help="refuse records that cannot be true; exit with 1 if there are some"
    )
    validating.add_argument("files", nargs="*", type=Path, metavar="FILE", help=VALIDATE_HELP)
    return top
