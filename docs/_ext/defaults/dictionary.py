"""`{dictionary}`: what each framework calls a layer, an optimizer or a function: a row a question about its defaults.

The names are read from each folder's defaults.py. A script shows the columns of the chosen frameworks, and those rows
in which a name of any framework holds what the reader types; `_static/dictionary.js`. Without it, all are shown.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from _ext.core import store as stores
from _ext.core.answers import SOURCE, answer_anchor
from _ext.core.elements import DASH, aside, cell, row_header, table
from _ext.core.folders import by_folder, by_life, marker, promotable
from _ext.core.links import anchor_link
from _ext.defaults.operation_pages import title
from _ext.defaults.probes import unanswered
from _ext.snippets import snippets
from _ext.snippets.vocabulary import names_of_questions
from rosetta_host.catalog.frameworks import Implementation
from rosetta_host.defaults import spec

KIND = "rosetta-dictionary"
SEARCH = """<p class="rosetta-filter" hidden>
<label>Find <input type="search" placeholder="BatchNorm" autocomplete="off"></label> <span role="status"></span></p>
<script>document.currentScript.previousElementSibling.hidden = false</script>"""


class Dictionary(SphinxDirective):
    """The lists to choose two frameworks from, a field to search in, and the table."""

    def run(self) -> list[nodes.Node]:
        folders = by_folder(stores.store(self.config).implementations.values())
        shown = [folders[name] for name in by_life(folders)]
        columns = [self.column(implementations) for implementations in shown]
        titles = [cell(first.title, classes=(marker(first.folder.name),)) for first, *_ in shown]
        body = [
            nodes.row("", self.question(question, shown[0][0]), *(column[question] for column in columns))
            for question in spec.QUESTIONS
        ]
        made = table(
            [nodes.row("", cell("What"), *titles)], body, "What the frameworks call it", ("rosetta-columns", KIND)
        )
        controls = snippets.bar(folders, "none (show one)") + SEARCH
        return [nodes.raw("", controls, format="html"), *promotable(made)]

    def question(self, question: str, first: Implementation) -> nodes.Node:
        """What a row is about, which leads to its defaults."""
        return row_header(nodes.paragraph("", "", anchor_link(answer_anchor(question, first), title(question))))

    def column(self, implementations: list[Implementation]) -> dict[str, nodes.entry]:
        """Question -> the cell of a folder: its names; without any, why the framework has nothing for the question."""
        path, folder = implementations[0].example(SOURCE), implementations[0].folder.name
        names, reasons = names_of_questions(path), unanswered(path)
        cells = {}
        for question in spec.QUESTIONS:
            lines: list[nodes.Node | str] = [
                nodes.paragraph("", "", nodes.literal("", name)) for name in names.get(question, [])
            ]
            if not lines:
                lines = [aside(reasons[question]) if question in reasons else DASH]
            cells[question] = cell(*lines, classes=(marker(folder),))
        return cells


def _page_context(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """The script, on the page that has the table: what a handler of this event adds is that page's alone."""
    if doctree and any(KIND in each["classes"] for each in doctree.findall(nodes.table)):
        app.add_js_file("dictionary.js")


def setup(app: Sphinx) -> None:
    app.add_directive("dictionary", Dictionary)
    app.connect("html-page-context", _page_context)
