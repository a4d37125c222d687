"""A Python that the user hands over as it stands, for a machine on which the locked environments cannot be made.

What runs in it is named in the record, package by package, and its certificate holds for these packages alone.
"""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any, cast

from rosetta_host.catalog.frameworks import ROOT, UserError
from rosetta_host.environments import process

LISTED = """
import json
from rosetta_common import record
print(json.dumps(record.facts()))
"""

_handed: list[Path] = []


def use(python: Path | None) -> None:
    """Run everything in this interpreter from now on; None: each in its locked environment. Raises UserError."""
    interpreters = [python.absolute()] if python else []
    for interpreter in interpreters:
        _facts(interpreter)
    _handed[:] = interpreters


def python() -> Path | None:
    """The interpreter that was handed over, if one was."""
    return _handed[0] if _handed else None


def digest() -> str | None:
    """SHA-256 of the interpreter's version and of all packages in it; None where none was handed over."""
    if not _handed:
        return None
    return hashlib.sha256(json.dumps(_facts(_handed[0]), sort_keys=True).encode()).hexdigest()


def versions() -> dict[str, str]:
    """The distributions in it: name in lower case -> version; none where none was handed over."""
    return dict(_facts(_handed[0])["packages"]) if _handed else {}


@functools.cache
def _facts(python: Path) -> dict[str, Any]:
    """What it says of itself, under the variable that an example's process has: it sees no packages of the user's."""
    command: list[str | Path] = [python, "-c", LISTED]
    environ = {**process.inherited(), "PYTHONNOUSERSITE": "1"}
    try:
        output = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout
        return cast("dict[str, Any]", json.loads(output))
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise UserError(f"--python {python} is no interpreter that can run an example: {_why(error)}.") from None


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return (error.stderr.strip().splitlines() or [f"it ended with {error.returncode}"])[-1].rstrip(".")
    return (isinstance(error, OSError) and error.strerror) or "it does not answer as Python does"
