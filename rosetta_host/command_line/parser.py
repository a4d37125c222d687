"""The options of every command, with their help; a value that an option does not take is a UserError."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from rosetta_host.benchmark import runs
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import WORKLOADS, UserError
from rosetta_host.lessons import experiments
from rosetta_host.records import machine
from rosetta_host.scheduling.engines import DASK, SLURM

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

DEVICES = ("auto", "cpu", "gpu")
FEWEST_TURNS = 5  # of a ranked sweep: of fewer, even the range of the turns is no 90 % interval
IDS_HELP = "frameworks, by their folders in examples/, or folder-backend (default: all)"
UNOFFICIAL_HELP = "use that data even if it is not the official copy; its numbers are marked"
MINUTES_HELP = "run every mutant in at least one implementation, then more until N minutes are over"
LESSONS_HELP = "lessons, and frameworks to measure them in (default: all)"
DEVICE_HELP = "auto: the GPU if there is one (default: auto)"
LOCKS_HELP = "a framework or a package, in the version that is pinned or in another, as torch==2.14.0"
PYTHON_HELP = "run everything in this external interpreter, not in the locked environments; the record says so"
HOURS_HELP = (
    "preset full: stop a run if its first ten minutes predict more than H hours of training; with --ranked: begin no "
    "turn that would end after H hours (default: 2)"
)
RANKED_HELP = (
    "rank all implementations, out of the box and tuned, by the seconds of a steady step on the small sample: fresh "
    "processes in random order, each beside a reference, on an idle machine; the same command continues a stopped sweep"
)
ALL_VARIANTS_HELP = "with --ranked: rank the variants too, which would take a sweep of all frameworks beyond two hours"
TURNS_HELP = f"with --ranked: turns that count for each case (default: {FEWEST_TURNS}, which is the least)"
AGAIN_HELP = "repeat runs that already have a record; with --ranked: begin a new sweep"
LEFT_HELP = (
    "preset quick, all frameworks: benchmark only a few that install quickly, and write the ids of the others to FILE"
)
SCHEDULER_HELP = (
    "hand each run to another machine, and collect its records: through a Dask scheduler, or as a job of SLURM, whose "
    "nodes see this folder; device auto is the CPU there"
)
ACCURACY_SEEDS_HELP = "for accuracy: the seeds 0 … N-1 (default: 3)"
KIND_HELP = "what to measure: the certificate, seconds per step, accuracy after an epoch (default: size,time)"
SHORT_HELP = (
    "leave out the float64, line coverage and dropout checks of examples that already have a published certificate, "
    "and their variants"
)
VALIDATE_HELP = "records, or folders that hold them (default: all that are published)"
STALE_HELP = "presets epoch and full: run again only what has a record of this machine, but of older code"
VARIANT_HELP = "one variant only, by the name of its function; train is the example itself (default: all)"
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


def _scheduler(given: str) -> str:
    host, _, port = given.removeprefix(DASK).partition(":")
    if given != SLURM and not (given.startswith(DASK) and host and port.isdecimal()):
        raise UserError(f"--scheduler must be {SLURM} or {DASK}HOST:PORT, not {given}.")
    return given


def _device(device: str, elsewhere: bool) -> str:
    """The device to run on. What another machine has is not known here: there, auto is the CPU."""
    if elsewhere:
        return "cpu" if device == "auto" else device
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


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command and its options; by default those of this process. Raises UserError for a value that none takes."""
    options = parser().parse_args(arguments)
    if "device" in options:
        options.device = _device(options.device, elsewhere=bool(getattr(options, "scheduler", None)))
    return options


def parser() -> argparse.ArgumentParser:
    """The options of every command, with their help."""
    top = argparse.ArgumentParser(prog="python -m rosetta_host", description="Certify and benchmark the examples.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_benchmark, _certificate, _mutation, _transfer, _defaults, _speed, _standalone, _lessons):
        add(commands)
    for add in (_new, _locks, _notebooks, _validate):
        add(commands)
    return top


def _options(*parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Options that several commands share."""
    return argparse.ArgumentParser(add_help=False, parents=list(parents))


def _records() -> argparse.ArgumentParser:
    options = _options()
    options.add_argument(
        "--workload",
        type=choice("workload", WORKLOADS),
        metavar="|".join(WORKLOADS),
        help="one workload only (default: all)",
    )
    options.add_argument("--records", type=Path, metavar="DIR", help="folder for the records (default: see the README)")
    options.add_argument("--machine", metavar="NAME", help="the name of this machine in the records")
    return options


def _implementations() -> argparse.ArgumentParser:
    options = _options(_records())
    options.add_argument("ids", nargs="*", metavar="ID", help=IDS_HELP)
    return options


def _devices() -> argparse.ArgumentParser:
    options = _options()
    device = choice("device", DEVICES)
    options.add_argument("--device", type=device, default="auto", metavar="|".join(DEVICES), help=DEVICE_HELP)
    return options


def _interpreter() -> argparse.ArgumentParser:
    options = _options(_devices())
    options.add_argument("--python", type=Path, metavar="FILE", help=PYTHON_HELP)
    return options


def _variant() -> argparse.ArgumentParser:
    options = _options()
    options.add_argument("--variant", metavar="NAME", help=VARIANT_HELP)
    return options


def _data() -> argparse.ArgumentParser:
    options = _options()
    options.add_argument("--data", type=Path, metavar="DIR", help="a folder with the data in its official layout")
    options.add_argument("--unofficial", action="store_true", help=UNOFFICIAL_HELP)
    options.add_argument("--again", action="store_true", help=AGAIN_HELP)
    return options


def _benchmark(commands: Commands) -> None:
    parents = [_implementations(), _interpreter(), _variant(), _data()]
    options = commands.add_parser("benchmark", parents=parents, help="certify, run, and record the times")
    options.add_argument(
        "--preset",
        type=choice("preset", runs.PRESETS),
        default="quick",
        metavar="|".join(runs.PRESETS),
        help=PRESET_HELP,
    )
    options.add_argument("--seeds", type=_seeds, default=1, metavar="N", help="run with the seeds 0 … N-1 (default: 1)")
    options.add_argument("--hours", type=_hours, default=2.0, metavar="H", help=HOURS_HELP)
    options.add_argument("--ranked", action="store_true", help=RANKED_HELP)
    options.add_argument("--all-variants", action="store_true", help=ALL_VARIANTS_HELP)
    options.add_argument("--turns", type=_turns, default=FEWEST_TURNS, metavar="N", help=TURNS_HELP)
    options.add_argument("--stale", action="store_true", help=STALE_HELP)
    options.add_argument("--left", type=Path, metavar="FILE", help=LEFT_HELP)
    options.add_argument("--scheduler", type=_scheduler, metavar=f"{DASK}HOST:PORT|{SLURM}", help=SCHEDULER_HELP)


def _certificate(commands: Commands) -> None:
    about = "certify only; exit with 1 if a certificate fails"
    parents = [_implementations(), _interpreter(), _variant()]
    options = commands.add_parser("certificate", parents=parents, help=about)
    options.add_argument("--short", action="store_true", help=SHORT_HELP)
    options.add_argument("--stale", action="store_true", help="leave out what has a current certificate")


def _mutation(commands: Commands) -> None:
    about = "test that the certificate catches every mutant"
    options = commands.add_parser("mutation", parents=[_implementations()], help=about)
    options.add_argument("--mutant", metavar="NAME", help="run this mutant only")
    options.add_argument("--minutes", type=float, metavar="N", help=MINUTES_HELP)


def _transfer(commands: Commands) -> None:
    about = "move weights between frameworks; exit with 1 if a transfer fails"
    commands.add_parser("transfer", parents=[_implementations(), _devices()], help=about)


def _defaults(commands: Commands) -> None:
    about = "measure the defaults of each framework"
    options = commands.add_parser("defaults", parents=[_implementations(), _devices()], help=about)
    options.add_argument("--stale", action="store_true", help="leave out what has current answers")
    options.add_argument("--missing", action="store_true", help=MISSING_HELP)


def _speed(commands: Commands) -> None:
    about = "compare each example with its bare loop and with its variants"
    commands.add_parser("speed", parents=[_implementations(), _devices()], help=about)


def _standalone(commands: Commands) -> None:
    about = "run each standalone script of the site"
    commands.add_parser("standalone", parents=[_implementations(), _devices()], help=about)


def _lessons(commands: Commands) -> None:
    about = "measure the lessons; exit with 1 if one fails"
    options = commands.add_parser("lessons", parents=[_records(), _interpreter(), _data()], help=about)
    options.add_argument("names", nargs="*", metavar="NAME", help=LESSONS_HELP)
    options.add_argument("--kind", type=_kinds, action="extend", metavar="|".join(experiments.KINDS), help=KIND_HELP)
    options.add_argument("--seeds", type=_seeds, default=3, metavar="N", help=ACCURACY_SEEDS_HELP)


def _new(commands: Commands) -> None:
    about = "write the folder of a new framework, with what is left to fill in"
    options = commands.add_parser("new", help=about)
    options.add_argument("name", metavar="NAME", help="its id: lower case, no hyphen")


def _locks(commands: Commands) -> None:
    options = commands.add_parser("locks", help="make the frameworks' locks anew that pin a package")
    options.add_argument("names", nargs="+", metavar="NAME", help=LOCKS_HELP)


def _notebooks(commands: Commands) -> None:
    about = "execute the notebooks that are out of date"
    options = commands.add_parser("notebooks", parents=[_implementations()], help=about)
    options.add_argument("--again", action="store_true", help="execute all of them")


def _validate(commands: Commands) -> None:
    about = "refuse records that cannot be true; exit with 1 if there are some"
    options = commands.add_parser("validate", help=about)
    options.add_argument("files", nargs="*", type=Path, metavar="FILE", help=VALIDATE_HELP)
