"""What an offline machine lacks, as one archive in pieces: the data, and wheels of what is imported."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
MIB = 2**20  # bytes
ARCHIVE, MANIFEST = "parcel.tar.gz", "manifest.json"
PIECE = re.compile(rf"{re.escape(ARCHIVE)}\.(\d+)-of-(\d+)")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
IMPORTED = """
import json, sys
from importlib.metadata import packages_distributions
import tools.gpu_session.work
loaded = {name.partition(".")[0] for name in sys.modules}
print(json.dumps([name for module, names in packages_distributions().items() if module in loaded for name in names]))
"""
SITES = """
import json, sys
print(json.dumps([path for path in sys.path if path.endswith("-packages")]))
"""


class ParcelError(Exception):
    """A parcel cannot be made or opened; the message says what is wrong and what to do."""


class Pinned(NamedTuple):
    """A package of a lock. lines: its pin with the hashes. via: the packages that need it. direct: a file pins it."""

    lines: str
    via: frozenset[str]
    direct: bool


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(path: Path) -> dict[str, Pinned]:
    """The packages of a lock, by name in its normal form."""
    packages = {}
    for block in re.split(r"\n(?=\w)", path.read_text("utf-8")):
        if pin := re.match(r"([\w.-]+)==", block):
            lines, _, notes = block.partition("    # via")
            words = [note.strip(" #") for note in notes.splitlines()]
            via = frozenset(_normal(word) for word in words if word and not word.startswith("-"))
            packages[_normal(pin[1])] = Pinned(lines, via, any(word.startswith("-r ") for word in words))
    return packages


def closure(lock: Mapping[str, Pinned], roots: Iterable[str], has: Collection[str]) -> dict[str, Pinned]:
    """Of a lock, these packages and what they need, except what the machine has and what only that needs."""
    at_hand = {_normal(name) for name in has}
    chosen: dict[str, Pinned] = {}
    queue = [_normal(name) for name in roots]
    while queue:
        name = queue.pop()
        if name in lock and name not in chosen and name not in at_hand:
            chosen[name] = lock[name]
            queue += [other for other, pinned in lock.items() if name in pinned.via]
    return chosen


def host_packages() -> list[str]:
    """The distributions that the session's own code imports, found by importing it."""
    done = subprocess.run([sys.executable, "-c", IMPORTED], cwd=ROOT, capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stdout)
    return names


def download(packages: Iterable[Pinned], python: str, folder: Path) -> list[Path]:
    """The wheels of these packages for Linux on x86-64. python: as "3.12". Raises ParcelError with pip's reason."""
    import uv  # of the host that prepares; the other machine has no use for it

    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write("\n".join(pinned.lines.rstrip(" \\\n") for pinned in packages))
        wanted.flush()
        platforms = [option for platform in PLATFORMS for option in ("--platform", platform)]
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
        command = [uv.find_uv_bin(), "tool", "run", "pip", "download", *options, *platforms]
        done = subprocess.run([*command, "-r", wanted.name, "-d", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise ParcelError(f"A wheel cannot be fetched: {lines[-1] if lines else done.stderr.strip()}")
    return sorted(folder.glob("*.whl"))


def code_digest() -> str:
    """SHA-256 of the code and the declarations that a run depends on, wherever the checkout is."""
    digest = hashlib.sha256()
    for pattern in ("examples", "rosetta_common", "rosetta_host", "workloads", "tools"):
        for path in sorted((ROOT / pattern).rglob("*")):
            if path.suffix in (".py", ".toml"):
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def pack(folder: Path, contents: Mapping[str, Path], commit: str | None, piece: int) -> list[Path]:
    """Write the archive of these files, name -> path, in pieces of at most `piece` bytes: folder/1/…, folder/2/…"""
    manifest = {"commit": commit, "code": code_digest()}
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        whole = Path(temporary) / ARCHIVE
        (described := Path(temporary) / MANIFEST).write_text(json.dumps(manifest), "utf-8")
        with tarfile.open(whole, "w:gz", compresslevel=6) as tar:
            for name, path in {MANIFEST: described, **contents}.items():
                tar.add(path, name)
        count = -(-whole.stat().st_size // piece)
        written = []
        with whole.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            for number in range(1, count + 1):
                path = folder / str(number) / f"{ARCHIVE}.{number}-of-{count}"
                path.parent.mkdir()
                path.write_bytes(file.read(piece))
                (path.parent / f"{ARCHIVE}.sha256").write_text(digest, "utf-8")
                written.append(path)
    return written


def unpack(parcel: Path, folder: Path) -> dict[str, str | None]:
    """Join the pieces below `parcel` and extract them to `folder`, once; what the manifest says.

    Raises ParcelError where a piece is missing or altered.
    """
    pieces = {int(match[1]): path for path in parcel.rglob(f"{ARCHIVE}.*") if (match := PIECE.fullmatch(path.name))}
    counts = {int(match[2]) for path in pieces.values() if (match := PIECE.fullmatch(path.name))}
    if len(counts) != 1 or pieces.keys() != set(range(1, max(counts) + 1)):
        of = f" of {counts.pop()}" if len(counts) == 1 else ""
        raise ParcelError(f"{parcel} holds the pieces {sorted(pieces)}{of}: copy all pieces of one parcel there.")
    stated = (pieces[1].parent / f"{ARCHIVE}.sha256").read_text("utf-8")
    stamp = folder / f"{ARCHIVE}.sha256"
    if not (stamp.exists() and stamp.read_text("utf-8") == stated):
        _extract([pieces[number] for number in sorted(pieces)], stated, folder)
        stamp.write_text(stated, "utf-8")
    manifest: dict[str, str | None] = json.loads((folder / MANIFEST).read_text("utf-8"))
    return manifest


def _extract(pieces: Sequence[Path], stated: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as whole:
        for piece in pieces:
            whole.write(piece.read_bytes())
        whole.seek(0)
        if hashlib.file_digest(whole, "sha256").hexdigest() != stated:
            raise ParcelError(f"The pieces below {pieces[0].parent.parent} are cut short or altered: copy them again.")
        whole.seek(0)
        with tarfile.open(fileobj=whole) as tar:
            tar.extractall(folder, filter="data")


def environment(python: Path, wheels: Sequence[Path], folder: Path) -> Path:
    """The Python of an environment in `folder` that sees the packages of `python`, and then those of the wheels.

    What `python` has itself comes first: a session must not run another version of a framework than the machine's.
    """
    inside = folder / "bin" / "python"
    if not (folder / "complete").exists():
        try:
            _create(python, wheels, folder)
        except (OSError, subprocess.CalledProcessError) as error:
            raise ParcelError(f"{python} makes no environment in {folder}: {error}.") from None
        (folder / "complete").touch()
    return inside.absolute()


def _create(python: Path, wheels: Sequence[Path], folder: Path) -> None:
    environ = {**os.environ, "PYTHONNOUSERSITE": "1"}
    told = subprocess.run([python, "-c", SITES], env=environ, capture_output=True, text=True, check=True).stdout
    subprocess.run([python, "-m", "venv", "--clear", "--without-pip", folder], check=True)
    carried = folder / "carried"
    for wheel in wheels:
        _install(wheel, carried)
    # A framework's process keeps nothing that it compiles: without this each one would compile its imports anew.
    subprocess.run([python, "-m", "compileall", "-q", "-j", "0", carried], check=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    lines = [f"import site; site.addsitedir({path!r})" for path in json.loads(told)]
    (packages / "machine.pth").write_text("\n".join([*lines, str(carried.absolute()), ""]), "utf-8")


def _install(wheel: Path, folder: Path) -> None:
    """Extract a wheel as an installer would, without its scripts."""
    with zipfile.ZipFile(wheel) as archive:
        for member, name in _members(archive.namelist()):
            path = folder / name
            if not path.resolve().is_relative_to(folder.resolve()):
                raise ParcelError(f"{wheel.name} holds {member}, which lies outside of its folder.")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(member))


def _members(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The files of a wheel, each with the place that it goes to: NAME.data/purelib/ and platlib/ are its packages."""
    for name in names:
        folder, _, rest = name.partition(".data/")
        scheme, _, inside = rest.partition("/")
        if name.endswith("/") or (rest and "/" not in folder and scheme not in ("purelib", "platlib")):
            continue
        yield name, inside if rest and "/" not in folder else name
