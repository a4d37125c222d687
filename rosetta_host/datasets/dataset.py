"""The full data: fetched with pooch, its SHA-256 checked before anything is unpacked or unpickled.

The cache folder is platformdirs' one, or ROSETTA_DATA. `--data DIR` may point at another folder;
a copy there whose digest is not the official one is used only with --unofficial, and every number
from it says "unofficial copy".
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pooch
import requests

from rosetta_common import data
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.catalog.workloads import Source
from rosetta_host.records.store import Data

_reading = threading.Lock()


def cache() -> Path:
    """The folder where fetched data is kept."""
    return Path(os.environ.get("ROSETTA_DATA") or platformdirs.user_cache_dir("rosetta"))


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(source: Source, folder: Path) -> Path:
    """The published file in `folder`, fetched where it is not there yet. Raises UserError; leaves no half file."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        path = pooch.retrieve(source.url, f"sha256:{source.sha256}", source.file, folder, progressbar=True)
    except ValueError as error:
        if "hash" not in str(error):
            raise
        message = f"What {source.url} sent is not the official {source.name}: it was cut short or altered"
        raise UserError(f"{message} (SHA-256). Try again, or pass --data DIR with a copy of your own.") from None
    except (OSError, requests.RequestException) as error:
        message = f"{source.name} could not be fetched from {source.url} ({type(error).__name__})"
        raise UserError(f"{message}: check the network, or pass --data DIR with a copy of your own.") from None
    return Path(path)


def _stamp(source: Source, folder: Path) -> Path:
    return folder / f"{source.layout}.sha256"


def _listed(source: Source, folder: Path) -> str:
    """The digests of the archive and of what was unpacked, as they are in `folder` now, as sha256sum writes them."""
    files = sorted(path for path in (folder / source.layout).iterdir() if path.is_file())
    return "".join(f"{_sha256(path)}  {path.name}\n" for path in [folder / source.file, *files])


def unpack(source: Source, folder: Path) -> None:
    """Extract the archive's folder `layout` beside it, all or nothing, and nothing outside it.

    Raises UserError where that cannot be done.
    """
    archive = folder / source.file
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".unpack-") as temporary:
            with tarfile.open(archive) as tar:
                tar.extractall(temporary, filter="data")
            shutil.rmtree(folder / source.layout, ignore_errors=True)
            os.replace(Path(temporary) / source.layout, folder / source.layout)
        _stamp(source, folder).write_text(_listed(source, folder), "utf-8")
    except (tarfile.TarError, OSError) as error:
        raise UserError(f"The archive {archive} cannot be unpacked: {error}.") from None


def _official(source: Source, folder: Path, own: bool) -> bool:
    """Whether the folder holds the published file itself; an archive is unpacked at once.

    own: whether it is the user's own folder, whose unpacked files are neither replaced nor trusted.
    """
    path = folder / source.file
    if not path.exists() or _sha256(path) != source.sha256:
        return False
    if source.file.endswith(".tar.gz"):
        unpacked, stamp = folder / source.layout, _stamp(source, folder)
        # An unpacked file that was edited is not official, even beside the official archive.
        if not (unpacked.is_dir() and stamp.exists() and stamp.read_text("utf-8") == _listed(source, folder)):
            if own and unpacked.exists():
                return False
            unpack(source, folder)
    return True


def locate(workload: str, preset: str, folder: Path | None = None, unofficial: bool = False) -> tuple[Path, str]:
    """Where a preset's data lies, and its standing: "embedded sample", "official" or "unofficial copy".

    Raises UserError where it is not there, cannot be fetched, or is not official and not asked for.
    """
    source, own = workloads.get(workload).source, folder is not None
    if preset == "quick":
        return workloads.sample(workload), "embedded sample"
    if folder is None:
        folder = cache()
        fetch(source, folder)
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}: pass --data DIR with the data in their official layouts.")
    if _official(source, folder, own):
        return folder, "official"
    if not (folder / source.layout).exists():
        raise UserError(
            f"{folder} holds no {source.layout}: lay {source.name} out there as its official download does."
        )
    if not unofficial:
        raise UserError(
            f"{source.name} in {folder} is not the official copy: pass --unofficial to use it, marked as such."
        )
    return folder, "unofficial copy"


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Point `rosetta_common.data` at a folder for a while, one reader at a time: the variable is of all threads."""
    with _reading:
        before = os.environ.get("ROSETTA_DATA")
        os.environ["ROSETTA_DATA"] = str(folder)
        try:
            yield
        finally:
            if before is None:
                del os.environ["ROSETTA_DATA"]
            else:
                os.environ["ROSETTA_DATA"] = before


def read(workload: str) -> tuple[Any, Any, np.ndarray, np.ndarray]:
    """The samples of a workload as they are stored, from the folder in use, and their labels. Raises DataError."""
    x_train, x_test, y_train, y_test = importlib.import_module(f"workloads.{workload}").read()
    return x_train, x_test, y_train, y_test


def _bytes(array: np.ndarray) -> Iterator[bytes]:
    rows = array if array.dtype == object else [array]
    return (np.ascontiguousarray(row, None if array.dtype != object else np.int64).tobytes() for row in rows)


def stamp(workload: str, folder: Path) -> list[tuple[str, int, int, int]]:
    """What changes where a file of the data is replaced or edited: the name, size, time and inode of each.

    Empty where a file goes away meanwhile.
    """
    layout = folder / workloads.get(workload).source.layout
    try:
        files = [layout] if layout.is_file() else [path for path in sorted(layout.iterdir()) if path.is_file()]
        stats = [(path.name, os.stat(path)) for path in files]
    except FileNotFoundError:
        return []
    return [(name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in stats]


def describe(workload: str, folder: Path, source: str) -> tuple[Data, np.ndarray]:
    """The data for a record, with a digest of its arrays, and the test labels that scores are held against.

    Raises UserError where the data does not have the layout or the shape that it should.
    """
    return _described(workload, folder, source, tuple(stamp(workload, folder)))


@functools.cache  # to read them takes seconds; `stamp` tells when that has to be done again
def _described(workload: str, folder: Path, source: str, stamp: object) -> tuple[Data, np.ndarray]:
    with reading(folder):
        try:
            arrays = read(workload)
        except data.DataError as error:
            raise UserError(str(error)) from None
        except Exception as error:  # a pickle of unknown bytes may raise any
            problem = f"{type(error).__name__}: {error}"
            raise UserError(
                f"The data in {folder} cannot be read ({problem}): fetch or unpack the data again."
            ) from None
    digest = hashlib.sha256()
    for array in arrays:
        for part in _bytes(array):
            digest.update(part)
    x_train, x_test, _, y_test = arrays
    name = workloads.get(workload).source.name
    return Data(name, source, digest.hexdigest(), len(x_train), len(x_test)), y_test
