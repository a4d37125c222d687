"""Locks of the frameworks' environments, made anew: one command bumps a package in every lock that pins it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import uv

from rosetta_host.catalog.frameworks import Implementation, UserError, nearest

GPU_PLATFORM = "x86_64-manylinux_2_28"  # the one that the GPU wheels support


class Lock(msgspec.Struct, frozen=True):
    """One lock and how it is made.

    path: the lock, requirements*.txt; the file with the pins is beside it. variables: those of the installer.
    constraints: for a GPU's lock, the lock whose versions it shares.
    """

    path: Path
    python: str
    variables: Mapping[str, str]
    constraints: Path | None = None

    @property
    def pins(self) -> Path:
        return self.path.with_suffix(".in")


def every(implementations: Iterable[Implementation]) -> list[Lock]:
    """The locks of all environments whose pins are there, each once, those that share another's versions behind it.

    A lock itself may still be missing.
    """
    locks = {}
    for implementation in implementations:
        for device in ("cpu", "gpu"):
            path, environment = implementation.lock(device), implementation.environment
            constraints = implementation.lock("cpu") if path != implementation.lock("cpu") else None
            locks[path] = Lock(path, environment.python, implementation.install_variables(device), constraints)
    by_path = [locks[path] for path in sorted(locks) if locks[path].pins.is_file()]
    return sorted(by_path, key=lambda lock: lock.constraints is not None)


def _pin(package: str) -> re.Pattern[str]:
    return re.compile(rf"^({re.escape(package)}(?:\[[\w,.-]+\])?==)([^+\s]+)", re.IGNORECASE | re.MULTILINE)


def packages(name: str, implementations: Mapping[str, Implementation]) -> list[str]:
    """The packages that a name stands for: those of a framework, by its folder or id, or the package itself."""
    named = [
        implementation
        for implementation in implementations.values()
        if name in (implementation.id, implementation.folder.name)
    ]
    return named[0].framework.packages if named else [name]


def bump(wanted: str, implementations: Mapping[str, Implementation], report: Callable[[str], None]) -> None:
    """Make every lock anew that pins a package, in a new version of it where one is given; a framework's own always.

    wanted: "pytorch" or "torch" for the version that is pinned, "torch==2.14.0" for another. A local build such as
    +cpu stays as it is. A lock that cannot be made leaves its files as they were. Raises UserError.
    """
    name, _, version = wanted.partition("==")
    package_names = packages(name, implementations)
    named = [
        implementation
        for implementation in implementations.values()
        if name in (implementation.id, implementation.folder.name)
    ]
    own = {implementation.lock(device) for implementation in named for device in ("cpu", "gpu")}
    chosen = [
        lock
        for lock in every(implementations.values())
        if lock.path in own or any(_pin(package).search(lock.pins.read_text("utf-8")) for package in package_names)
    ]
    if own and not chosen:
        path = min(own).with_suffix(".in")
        raise UserError(f"{_short(path)} is missing. List in it the packages that you import, as NAME==VERSION.")
    if not chosen:
        raise nearest("pinned package or framework", name, sorted({*implementations, *_pinned(implementations)}))
    for lock in chosen:
        before = lock.pins.read_text("utf-8")
        after = before
        for package in package_names if version else ():
            after = _pin(package).sub(rf"\g<1>{version}", after)
        lock.pins.write_text(after, "utf-8")
        try:
            report(f"{_short(lock.path)}: {_compile(lock)}")
        except BaseException:
            lock.pins.write_text(before, "utf-8")
            raise


def _pinned(implementations: Mapping[str, Implementation]) -> Iterable[str]:
    """Every package that a file of pins names."""
    for lock in every(implementations.values()):
        yield from re.findall(r"^([A-Za-z][\w.-]*)(?:\[[\w,.-]+\])?==", lock.pins.read_text("utf-8"), re.MULTILINE)


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _compile(lock: Lock) -> str:
    """Make one lock, and say whether it changed. Raises UserError with uv's reason."""
    with tempfile.TemporaryDirectory(prefix="rosetta-lock-") as name:
        folder = Path(name)
        for file in lock.path.parent.iterdir():  # the lock itself too: what the pins do not force stays as it is
            if file.is_file():
                shutil.copyfile(file, folder / file.name)
        if lock.constraints:
            _without_builds(folder / lock.constraints.name)
        environ = {**os.environ, **lock.variables}
        done = subprocess.run(command(lock), cwd=folder, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"{_short(lock.path)} cannot be made; its files are as they were. {done.stderr.strip()}")
        made = folder / lock.path.name
        if lock.path.is_file() and made.read_bytes() == lock.path.read_bytes():
            return "unchanged"
        shutil.copyfile(made, lock.path)
    return "made anew"


def _without_builds(lock: Path) -> None:
    """Leave of a lock its names and versions, without local builds such as +cpu, as constraints for another."""
    versions = re.findall(r"^([\w.-]+==[^+\s]+)", lock.read_text("utf-8"), re.MULTILINE)
    lock.write_text("\n".join(versions) + "\n", "utf-8")


def command(lock: Lock) -> Sequence[str]:
    """The call of uv that makes a lock, in a folder that holds its pins and its constraints."""
    options = ["--generate-hashes", "--no-header", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    options += ["--python-version", lock.python]
    if lock.constraints:
        options += ["--python-platform", GPU_PLATFORM, "-c", lock.constraints.name]
    return [uv.find_uv_bin(), "pip", "compile", *options, lock.pins.name, "-o", lock.path.name]
