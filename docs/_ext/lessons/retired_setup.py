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
from rosetta_host.catalog.frameworks import Row, Variable
from rosetta_host.records.store import CertificateRecord

TUNING = " (for tuned runs alone)"


def retired(store: stores.Store) -> list[Row]:
    """The rows of retired frameworks, by name."""
    return sorted((row for row in store.rows.values() if row.framework.retired), key=lambda row: row.name.casefold())


def runs(store: stores.Store, row: Row) -> bool:
    """Whether a certificate of the row was ever passed."""
    return bool(store.of_kind(CertificateRecord, status="ok", row=row.id))


class Installs(SphinxDirective):
    """A line for each row: its Python, what it needs, what its set-up step does, and the variables that are set."""

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        titles = ("Framework", "Python", "Needs today", "Set-up", "Variables")
        head = nodes.row("", *map(cell, titles))
        body = [nodes.row("", *self.line(row)) for row in retired(self.store)]
        return [table([head], body, "What it takes to install a retired framework", ("rosetta-installs",))]

    def line(self, row: Row) -> Iterator[nodes.entry]:
        environment = row.environment
        yield row_header(row.name, *([aside(f"last release {last}")] if (last := row.framework.last_release) else []))
        yield cell(environment.python)
        yield cell(row.framework.needs or "Only its packages.")
        if row.environment_id != row.id:
            yield cell(f"in the environment of {self.store.rows[row.environment_id].name}")
        else:
            yield cell(self.set_up(row))
        yield cell(*self.variables(row))

    def set_up(self, row: Row) -> str:
        """What the set-up step says of itself in its first line."""
        if row.environment.setup is None:
            return "none: the lock is enough"
        path = row.environment_folder / row.environment.setup
        text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or path.name
        return text.partition("\n")[0]

    @staticmethod
    def variables(row: Row) -> Iterator[nodes.Node]:
        """The variables with their reasons, those of the install first; a shared environment's stand with its own."""
        own = row.environment_id == row.id
        variables: dict[str, Variable] = dict(row.environment.install if own else {})
        variables |= (row.environment.variables if own else {}) | row.framework.variables
        for name, variable in variables.items():
            yield nodes.paragraph(
                "", "", nodes.literal(name, name), nodes.Text(f": {variable.reason}{TUNING if variable.tuning else ''}")
            )


class InShort(SphinxRole):
    """How many of them run."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        store = stores.store(self.config)
        rows = retired(store)
        certified = sum(runs(store, row) for row in rows)
        text = f"{certified} of {len(rows)} retired implementations run here and are certified."
        return [nodes.emphasis("", text, classes=["rosetta-verdicts"])], []


def setup(app: Sphinx) -> None:
    app.add_directive("installs", Installs)
    app.add_role("installs", InShort())
