"""`{tuned}`: training out of the box beside tuned training, and each switch that only makes an example faster."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

from _ext.core.directives import OfWorkloads
from _ext.core.elements import cell, heading, row_header, table
from _ext.core.folders import marker, promotable
from _ext.results.pairs import Pair, Way, framework_cell, pairs, ratio_cell, reach, run_cell, tables_by_place
from rosetta_host.catalog.frameworks import TUNED, Implementation

WAYS: list[Way] = [(None, TUNED)]
NONE = "No implementation has trained tuned on all of the data yet."
UNPAIRED = "No implementation has trained both ways yet."


class Tuned(OfWorkloads):
    """How many times as long tuned training takes, a table for each machine and preset, and the switches."""

    def content_nodes(self) -> list[nodes.Node]:
        compared = pairs(self.store, self.workload, WAYS)
        ratios = [pair.ratio for pair in compared if pair.ratio]
        text = f"A tuned epoch takes {reach(ratios)}." if ratios else UNPAIRED if compared else NONE
        numeric = ["Out of the box", "Tuned", "Ratio"]
        tables = tables_by_place(compared, self.title, ["Framework", *numeric], numeric, self.line)
        return [nodes.paragraph("", "", nodes.strong("", text)), *tables, *self.switches()]

    def line(self, pair: Pair) -> nodes.row:
        cells = [framework_cell(self.store, pair.record), run_cell(pair.plain), run_cell(pair.variant)]
        return nodes.row("", *cells, ratio_cell(pair))

    def switches(self) -> list[nodes.Node]:
        """A table of what each implementation is tuned by; nothing if none is."""
        implementations = self.store.implementations.values()
        tunable = [
            implementation
            for implementation in implementations
            if self.workload in implementation.workloads and implementation.is_tunable(self.workload)
        ]
        body = [
            nodes.row(
                "",
                row_header(implementation.name),
                cell(*self.of_implementation(implementation)),
                classes=[marker(implementation.folder.name)],
            )
            for implementation in tunable
        ]
        if not body:
            return []
        return promotable(table([heading(["Framework", "Switches"])], body, f"{self.title}: what is tuned"))

    def of_implementation(self, implementation: Implementation) -> list[nodes.Node]:
        """The switches of an implementation, a paragraph each."""
        variables = implementation.variables(self.workload, tuned=True).items()
        shown: list[nodes.Node] = [
            nodes.paragraph("", "", nodes.literal("", f"{name}={variable.value}"), nodes.Text(f": {variable.reason}"))
            for name, variable in variables
            if variable.tuning
        ]
        if implementation.defines(self.workload, TUNED):
            shown.append(nodes.paragraph("", "", nodes.Text("its function "), nodes.literal("", TUNED)))
        return shown


def setup(app: Sphinx) -> None:
    app.add_directive("tuned", Tuned)
