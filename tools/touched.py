"""Name the frameworks that a change touches: python tools/touched.py [BASE], as JSON for a matrix of GitHub's jobs.

A file below examples/ touches the frameworks of its folder, and those that run in its environment. A page, a test or a
template touches none. Anything else, and a BASE that this checkout does not know, touches all of them: a path that
nobody thought of costs time and hides nothing. Needs Python 3.11 and no package.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
HARMLESS_FOLDERS = {".github", "docs", "tests", "tools"}  # no certificate depends on what they hold
HARMLESS_SUFFIXES = {".md", ".cff"}
HARMLESS_FILES = {"LICENSE", "NOTICE", ".gitignore"}


class Implementation(NamedTuple):
    """A framework on one of its backends, the folder of its example, and the folder and Python of its environment."""

    id: str
    folder: str
    environment: str
    python: str


def implementations(examples: Path) -> list[Implementation]:
    """All that the folders declare, sorted by folder."""
    declared = {name: (folder, environment) for name, folder, environment in _environments(examples)}
    listed = []
    for name, (folder, environment) in declared.items():
        owner = environment if isinstance(environment, str) else name
        owner_folder, described = declared[owner]
        listed.append(Implementation(name, folder, owner_folder, described["python"]))
    return listed


def _environments(examples: Path) -> Iterator[tuple[str, str, Any]]:
    """The id, the folder and the declared environment of each: a table, or the id of the one whose table serves."""
    for path in sorted(examples.glob("*/framework.toml")):
        keys, folder = tomllib.loads(path.read_text("utf-8")), path.parent.name
        base = keys.get("environment")
        for backend, over in keys.get("backend", {"": {}}).items():
            own = over.get("environment", base)
            both = isinstance(own, dict) and isinstance(base, dict)
            yield f"{folder}-{backend}" if backend else folder, folder, base | own if both else own


def changed(base: str | None) -> list[str] | None:
    """The paths that differ from where this branch left BASE; None where that cannot be said."""
    if not base:
        return None
    command = ["git", "diff", "--name-only", "--no-renames", f"{base}...HEAD"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else None


def touched(paths: Iterable[str] | None, declared: Iterable[Implementation]) -> list[Implementation]:
    """The implementations that changes of these paths touch; all of them for None."""
    folders: set[str] = set()
    for path in map(PurePosixPath, paths or ()):
        if path.parts[0] == "examples" and len(path.parts) > 2:
            folders.add(path.parts[1])
        elif not _is_harmless(path):
            paths = None
    return [
        implementation
        for implementation in declared
        if paths is None or {implementation.folder, implementation.environment} & folders
    ]


def _is_harmless(path: PurePosixPath) -> bool:
    return path.parts[0] in HARMLESS_FOLDERS or path.suffix in HARMLESS_SUFFIXES or path.as_posix() in HARMLESS_FILES


def main(arguments: list[str]) -> None:
    """Print one line of JSON: the id and the Python of each."""
    base = arguments[0] if arguments else None
    selected = touched(changed(base), implementations(ROOT / "examples"))
    print(json.dumps([{"id": implementation.id, "python": implementation.python} for implementation in selected]))


if __name__ == "__main__":
    main(sys.argv[1:])
