"""python -m tools.gpu_session prepare|run: measure on a machine with a GPU, without network, in a given time.

`prepare` runs on the machine with the network, in the host's environment. `run` needs Python 3.11 or newer and, beside
what it unpacks of a parcel, only NumPy and the frameworks of that machine.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from pathlib import Path

from tools.gpu_session import parcel

PIECE = 60  # MiB: below the 64 that many transfers allow
HAS_HELP = "packages that the machine has; neither they nor what only they need is collected (default: numpy)"


def _names(given: str) -> list[str]:
    return given.split(",")


def _minutes(given: str) -> float:
    minutes = float(given)
    if not 0 < minutes < math.inf:
        raise argparse.ArgumentTypeError(f"must be more than 0, not {given}")
    return minutes


def parse(arguments: list[str]) -> argparse.Namespace:
    top = argparse.ArgumentParser(prog="python -m tools.gpu_session", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="prepare|run")
    preparing = commands.add_parser("prepare", help="collect what the machine lacks, as an archive in pieces")
    preparing.add_argument("ids", nargs="*", metavar="ID", help="frameworks whose package the machine lacks")
    preparing.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder for the pieces")
    preparing.add_argument("--python-version", default="3.12", metavar="X.Y", help="of the machine (default: 3.12)")
    preparing.add_argument("--has", type=_names, default=["numpy"], metavar="PACKAGE,…", help=HAS_HELP)
    preparing.add_argument("--data", type=Path, metavar="DIR", help="a folder whose files travel along as data/")
    preparing.add_argument("--piece", type=int, default=PIECE, metavar="MIB", help=f"of a piece (default: {PIECE})")
    running = commands.add_parser("run", help="certify and benchmark, the most valuable first; run it again to go on")
    running.add_argument("ids", nargs="*", metavar="ID", help="frameworks (default: all that the Python holds)")
    running.add_argument("--python", type=Path, required=True, metavar="FILE", help="the machine's interpreter")
    running.add_argument(
        "--minutes", type=_minutes, default=12.0, metavar="N", help="all is over by then (default: 12)"
    )
    running.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for records and the archive")
    running.add_argument("--parcel", type=Path, metavar="DIR", help="the folder with the pieces that `prepare` made")
    running.add_argument("--device", choices=["cpu", "gpu"], default="gpu", help="cpu: to rehearse (default: gpu)")
    running.add_argument("--preset", choices=["quick", "epoch", "full"], default="full", help="(default: full)")
    running.add_argument("--data", type=Path, metavar="DIR", help="a folder with the data in its official layout")
    running.add_argument("--unofficial", action="store_true", help="use that data even if it is not the official copy")
    running.add_argument("--machine", metavar="NAME", help="the name of this machine in the records")
    for name, kind in (("--commit", str), ("--task", str), ("--parent", int)):
        running.add_argument(name, type=kind, help=argparse.SUPPRESS)
    options = top.parse_args(arguments)
    options.given = arguments[1:]
    return options


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise parcel.ParcelError(f"--out {folder} cannot be made: {error.strerror}.") from None


def enter(options: argparse.Namespace, began: float) -> None:
    """Start this program again in an environment with what the parcel holds, with the time that is left."""
    folder = options.out / "parcel"
    manifest = parcel.unpack(options.parcel, folder)
    python = parcel.environment(options.python, sorted(folder.glob("wheels/*.whl")), options.out / "python")
    commit = manifest["commit"] if manifest["code"] == parcel.code_digest() else None
    minutes = options.minutes - (time.monotonic() - began) / 60
    arguments = ["run", *options.ids, "--python", python, "--minutes", minutes, "--out", options.out]
    arguments += ["--device", options.device, "--preset", options.preset]
    data = options.data or (folder / "data" if (folder / "data").is_dir() else None)
    optional = {"--data": data, "--machine": options.machine, "--commit": commit}
    arguments += [word for name, value in optional.items() if value for word in (name, value)]
    arguments += ["--unofficial"] if options.unofficial else []
    os.chdir(parcel.ROOT)
    os.execv(python, [str(python), "-m", "tools.gpu_session", *map(str, arguments)])


def main(arguments: list[str]) -> None:
    began, options = time.monotonic(), parse(arguments)
    options.out = options.out.absolute()
    try:
        if options.command == "run":
            _make(options.out)
        if options.command == "run" and options.parcel:
            enter(options, began)
        work(options, began)
    except parcel.ParcelError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted")


def work(options: argparse.Namespace, began: float) -> None:
    """What needs the host's packages, which a parcel may have brought."""
    try:
        from rosetta_host.catalog.frameworks import UserError
    except ModuleNotFoundError as error:
        raise parcel.ParcelError(f"{sys.executable} lacks the package {error.name}: pass --parcel DIR.") from None
    try:
        if options.command == "prepare":
            from tools.gpu_session.prepare import prepare

            prepare(options)
            return
        from tools.gpu_session import session

        session.do(options) if options.task else session.run(options, began)
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
