"""Makes a parcel: on a machine with a network, in the host's environment."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rosetta_host.catalog import frameworks
from rosetta_host.records import vcs
from tools.gpu_session import parcel

HOST_LOCK = parcel.ROOT / "requirements" / "host.txt"


def prepare(options: argparse.Namespace) -> None:
    """Write the pieces of a parcel to a new folder, and say how large each part is. Raises ParcelError, UserError."""
    if options.out.exists():
        raise parcel.ParcelError(f"{options.out} exists: name a new folder.")
    chosen = _chosen(options)
    options.out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as temporary:
        wheels = parcel.download(chosen.values(), options.python_version, Path(temporary))
        data = sorted(path for path in options.data.rglob("*") if path.is_file()) if options.data else []
        contents = {f"wheels/{path.name}": path for path in wheels}
        contents |= {f"data/{path.relative_to(options.data)}": path for path in data}
        for name, path in contents.items():
            print(f"{path.stat().st_size / parcel.MIB:8.2f} MiB  {name}")
        pieces = parcel.pack(options.out, contents, vcs.commit(), options.piece * parcel.MIB)
    for path in pieces:
        print(f"{path.stat().st_size / parcel.MIB:8.2f} MiB  {path}")


def _chosen(options: argparse.Namespace) -> Mapping[str, parcel.Pinned]:
    """What the machine lacks: of the host's lock what the session imports, of the frameworks' all but what it has.

    Of two locks that pin a package the first has it: an environment holds one version.
    """
    chosen = parcel.closure(parcel.read_lock(HOST_LOCK), parcel.host_packages(), options.has)
    for implementation in frameworks.select(options.ids) if options.ids else []:
        lock = parcel.read_lock(implementation.lock("gpu"))
        direct = [name for name, pinned in lock.items() if pinned.direct]
        chosen = {**parcel.closure(lock, direct, options.has), **chosen}
    return chosen
