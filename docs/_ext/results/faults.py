"""The table of faults: what the tests inject, and what a reader sees of it, from the tests' own markers."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

from _ext.core.elements import aside, cell, heading, row_header, table

MARKER = "pytest.mark.fault"


class Injection(NamedTuple):
    """One marker of a test: the fault's name, the outcome, and the test that shows it."""

    fault: str
    outcome: str
    test: str
    path: Path

    @classmethod
    def of(cls, marker: ast.Call, test: str, path: Path) -> Injection:
        """Raises ValueError where the marker does not state both as plain texts."""
        stated = {keyword.arg: keyword.value for keyword in marker.keywords}
        try:
            [fault], outcome = map(ast.literal_eval, marker.args), ast.literal_eval(stated["outcome"])
        except (ValueError, KeyError):
            raise ValueError(f"{path.name}: {test} needs fault(name, outcome=…) with plain texts") from None
        return cls(fault, outcome, test, path)


def listed(folder: Path) -> dict[str, str]:
    """Name -> words of every fault that a test has to inject, from the tests' folder."""
    return tomllib.loads((folder / "faults" / "faults.toml").read_text("utf-8"))


def injections(folder: Path) -> Iterator[Injection]:
    """The markers of all tests below a folder, in the order of the files. Raises ValueError."""
    for path in sorted(folder.rglob("test_*.py")):
        text = path.read_text("utf-8")
        if MARKER not in text:
            continue
        for function in ast.walk(ast.parse(text)):
            if isinstance(function, ast.FunctionDef):
                for marker in function.decorator_list:
                    if isinstance(marker, ast.Call) and ast.unparse(marker.func) == MARKER:
                        yield Injection.of(marker, function.name, path.relative_to(folder.parent))


def mismatch(faults: dict[str, str], injected: list[Injection]) -> str | None:
    """How the list and the markers differ, in one sentence; None where every fault has a test."""
    marked = {injection.fault for injection in injected}
    if unknown := sorted(marked - faults.keys()):
        return f"tests/faults/faults.toml does not list the fault {', '.join(unknown)} of a test's marker."
    if untested := sorted(faults.keys() - marked):
        return f"No test has the marker of the fault {', '.join(untested)} of tests/faults/faults.toml."
    return None


class Faults(SphinxDirective):
    """`{faults}`: every fault, with its outcomes and the tests that show them."""

    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        folder = Path(self.env.srcdir, self.config.rosetta_tests).resolve()
        try:
            faults, injected = listed(folder), [*injections(folder)]
        except (OSError, ValueError) as error:
            raise self.error(str(error)) from None
        if problem := mismatch(faults, injected):
            raise self.error(problem)
        body = [
            nodes.row("", row_header(_inline(words)), cell(*_outcomes([i for i in injected if i.fault == name])))
            for name, words in faults.items()
        ]
        tests = len({(injection.path, injection.test) for injection in injected})
        total = nodes.paragraph("", f"{tests} tests inject {len(faults)} kinds of faults.")
        return [total, table([heading(["Fault", "Outcome, and the test that shows it"])], body, "Faults and outcomes")]


def _outcomes(injected: list[Injection]) -> Iterator[nodes.Node]:
    """Each outcome of a fault once, with its tests below it."""
    for outcome in dict.fromkeys(injection.outcome for injection in injected):
        yield nodes.paragraph("", "", _inline(outcome))
        for _, _, test, path in (injection for injection in injected if injection.outcome == outcome):
            yield aside(f"{test.removeprefix('test_').replace('_', ' ')} (", nodes.literal("", path.name), ")")


def _inline(text: str) -> nodes.inline:
    """A text with code between backticks."""
    parts = text.split("`")
    return nodes.inline("", "", *(nodes.literal("", p) if i % 2 else nodes.Text(p) for i, p in enumerate(parts)))


def setup(app: Sphinx) -> None:
    app.add_config_value("rosetta_tests", "../tests", "env")
    app.add_directive("faults", Faults)
