"""`{installs}`: what it takes to run each retired framework today, from its framework.toml and its set-up step.

The role {installs}`retired` says in a sentence how many of them run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from _ext.core import store as stores
from _ext.core.elements import aside, cell, row_header, table
from rosetta_host.catalog.frameworks import Implementation, Variable
from rosetta_host.records.store import CertificateRecord

TUNING = " (for tuned runs alone)"


def retired(store: stores.Store) -> list[Implementation]:
    """The implementations of retired frameworks, by name."""
    return sorted(
        (implementation for implementation in store.implementations.values() if implementation.framework.retired),
        key=lambda implementation: implementation.name.casefold(),
    )


def runs(store: stores.Store, implementation: Implementation) -> bool:
    """Whether a certificate of the implementation was ever passed."""
    return bool(store.of_kind(CertificateRecord, status="ok", implementation=implementation.id))


class Installs(SphinxDirective):
    """A line for each implementation: its Python, its needs, its set-up step, and the variables that are set."""

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        titles = ("Framework", "Python", "Needs today", "Set-up", "Variables")
        head = nodes.row("", *map(cell, titles))
        body = [nodes.row("", *self.line(implementation)) for implementation in retired(self.store)]
        return [table([head], body, "What it takes to install a retired framework", ("rosetta-installs",))]

    def line(self, implementation: Implementation) -> Iterator[nodes.entry]:
        environment = implementation.environment
        yield row_header(
            implementation.name,
            *([aside(f"last release {last}")] if (last := implementation.framework.last_release) else []),
        )
        yield cell(environment.python)
        yield cell(implementation.framework.needs or "Only its packages.")
        if implementation.environment_id != implementation.id:
            yield cell(f"in the environment of {self.store.implementations[implementation.environment_id].name}")
        else:
            yield cell(self.set_up(implementation))
        yield cell(*self.variables(implementation))

    def set_up(self, implementation: Implementation) -> str:
        """What the set-up step says of itself in its first line."""
        if implementation.environment.setup is None:
            return "none: the lock is enough"
        path = implementation.environment_folder / implementation.environment.setup
        text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or path.name
        return text.partition("\n")[0]

    @staticmethod
    def variables(implementation: Implementation) -> Iterator[nodes.Node]:
        """The variables with their reasons, those of the install first; a shared environment's stand with its own."""
        own = implementation.environment_id == implementation.id
        variables: dict[str, Variable] = dict(implementation.environment.install if own else {})
        variables |= (implementation.environment.variables if own else {}) | implementation.framework.variables
        for name, variable in variables.items():
            yield nodes.paragraph(
                "", "", nodes.literal(name, name), nodes.Text(f": {variable.reason}{TUNING if variable.tuning else ''}")
            )


class InShort(SphinxRole):
    """How many of them run."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        store = stores.store(self.config)
        implementations = retired(store)
        certified = sum(runs(store, implementation) for implementation in implementations)
        text = f"{certified} of {len(implementations)} retired implementations run here and are certified."
        return [nodes.emphasis("", text, classes=["rosetta-verdicts"])], []


def setup(app: Sphinx) -> None:
    app.add_directive("installs", Installs)
    app.add_role("installs", InShort())
