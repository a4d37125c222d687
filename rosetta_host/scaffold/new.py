"""Writes the folder of a new framework from the templates, whole or not at all."""

from __future__ import annotations

import re
import shutil
import statistics
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from string import Template

from rosetta_common import weights
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import WORKLOADS, UserError
from rosetta_host.certificate import forms, oracle
from rosetta_host.mutation import runner

TEMPLATES = Path(__file__).parent / "templates"
WIDTH = 112  # characters of a comment's text
NAME = re.compile(r"[a-z][a-z0-9_]*")


def create(name: str) -> Path:
    """Write examples/NAME and return it. Raises UserError for a name that cannot be, and then writes nothing."""
    folder = frameworks.EXAMPLES / name
    if not NAME.fullmatch(name):
        raise UserError(
            f"A folder cannot be called {name!r}: begin with a lower-case letter and go on with lower-case letters, "
            "digits and underscores."
        )
    if folder.exists():
        raise UserError(f"examples/{name} is there already. Choose another name, or go on in that folder.")
    files = _files(name)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=frameworks.EXAMPLES.parent) as temporary:
        whole = Path(temporary) / name
        whole.mkdir()
        for file, text in files.items():
            (whole / file).write_text(text, "utf-8")
        shutil.move(whole, folder)
    return folder


def next_steps(name: str) -> Iterator[str]:
    """What to do with the new folder, a line each."""
    yield f"1. Edit examples/{name}/framework.toml, and list in requirements.in the packages that you import."
    yield f"2. Make the lock: nox -s locks -- {name}"
    for workload in WORKLOADS:
        yield f"3. Write {workload}.py, and repeat until it holds: nox -s certificate -- --workload {workload} {name}"
    yield f"4. Write mutants.toml, and let the certificate catch each one: nox -s mutation -- {name}"
    yield "The page docs/add-a-framework.md explains each file, and what comes after."


def _files(name: str) -> dict[str, str]:
    """The files of the folder, by name."""
    implementations = frameworks.implementations().values()
    common = {
        "name": name,
        "title": name.replace("_", " ").title(),
        "python": statistics.mode(implementation.environment.python for implementation in implementations),
        "model": next(
            implementation.folder.name for implementation in implementations if implementation.framework.shown_first
        ),
    }
    files = {"requirements.in": _filled("requirements.in", common)}
    tables = [_filled("workload.toml", common, workload=workload, forms=_forms(workload)) for workload in WORKLOADS]
    files["framework.toml"] = "\n".join([_filled("framework.toml", common), *tables])
    files["mutants.toml"] = "\n".join([_filled("mutants.toml", common), *map(_mutants, WORKLOADS)])
    for workload in WORKLOADS:
        files[f"{workload}.py"] = _filled("example.py", common, workload=workload, weights=_weights(workload))
    return files


def _filled(template: str, common: dict[str, str], **values: str) -> str:
    text = (TEMPLATES / f"{template}.template").read_text("utf-8")
    return Template(text).substitute(common, **values)


def _forms(workload: str) -> str:
    """Each form, commented out, with the value that holds where nothing is declared, below what the values mean."""
    explained = forms.explanations(workload)
    lines = []
    for name, values in oracle.model(workload).forms.items():
        text = textwrap.wrap(f"{name}: {explained[name]}.", WIDTH)
        lines += ["", *(f"#   {line}" for line in text), f'# {name} = "{values[0]}"']
    return "\n".join(lines)


def _weights(workload: str) -> str:
    """The names and shapes of the canonical weights, a comment each."""
    return "\n".join(f"    # {name}: {shape}" for name, shape in weights.shapes(workload).items())


def _mutants(workload: str) -> str:
    """A commented table for each required mutant."""
    required = {**runner.required(workload), **runner.REQUIRED_OR_REASON}
    tables = (f'# [{workload}.{name}]  # {what}\n# edits = [["", ""]]\n' for name, what in required.items())
    return "\n".join(tables)
