"""A Python that the user hands over as it stands, for a machine on which the locked environments cannot be made.

What runs in it is named in the record, package by package, and its certificate holds for these packages alone.
"""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
from pathlib import Path

from rosetta_common.host.catalogue import ROOT, UserError

LISTED = """
import json
from rosetta_common import record
print(json.dumps(record.facts()))
"""

_handed: list[Path] = []


def use(python: Path | None) -> None:
    """Run every row in this interpreter from now on; None: each in its locked environment. Raises UserError."""
    _handed[:] = [python.absolute()] if python else []
    digest()


def python() -> Path | None:
    """The interpreter that was handed over, if one was."""
    return _handed[0] if _handed else None


def digest() -> str | None:
    """SHA-256 of the interpreter's version and of all packages in it; None where none was handed over."""
    return _digest(_handed[0]) if _handed else None


@functools.cache
def _digest(python: Path) -> str:
    try:
        listed = subprocess.run([python, "-c", LISTED], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(f"--python {python} is no interpreter that can run an example: {_why(error)}") from None
    return hashlib.sha256(json.dumps(json.loads(listed), sort_keys=True).encode()).hexdigest()


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return (error.stderr.strip().splitlines() or [f"it ended with {error.returncode}"])[-1]
    return getattr(error, "strerror", None) or str(error)
