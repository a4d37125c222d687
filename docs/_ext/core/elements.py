"""Elements of HTML that docutils has no nodes for."""

from __future__ import annotations

from collections.abc import Collection

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

DASH = "–"  # what a cell says that has nothing to say


class Datum(nodes.inline):
    """A text with the value that a script reads: `<data value="67.6">68 s</data>`."""


class RowHeader(nodes.entry):
    """The cell that names its row: `<th scope="row">`. A column of docutils' stubs cannot leave out a row."""


class Details(nodes.General, nodes.Element):
    """What a reader opens; its first child is a Summary."""


class Summary(nodes.General, nodes.TextElement):
    """The line that opens a Details."""


def datum(text: str, value: object) -> Datum:
    """A text and its machine-readable value."""
    return Datum("", text, value=str(value))


def aside(*content: nodes.Node | str) -> nodes.paragraph:
    """A second, smaller line of a cell."""
    children = [nodes.Text(part) if isinstance(part, str) else part for part in content]
    return nodes.paragraph("", "", *children, classes=["rosetta-aside"])


def cell(*content: nodes.Node | str, classes: tuple[str, ...] = (), columns: int = 1) -> nodes.entry:
    """A cell over this many columns: each text becomes a paragraph, and blocks stay as they are."""
    entry = nodes.entry("", *map(_paragraph, content), classes=list(classes))
    if columns > 1:
        entry["morecols"] = columns - 1
    return entry


def heading(titles: Collection[str], numeric: Collection[str] = ()) -> nodes.row:
    """The first row of a table; the titles over numbers stand as the numbers do."""
    return nodes.row("", *(cell(title, classes=("numeric",) if title in numeric else ()) for title in titles))


def row_header(*content: nodes.Node | str) -> RowHeader:
    """The cell that names its row."""
    return RowHeader("", *map(_paragraph, content))


def _paragraph(content: nodes.Node | str) -> nodes.Node:
    if isinstance(content, str):
        content = nodes.Text(content)
    return nodes.paragraph("", "", content) if isinstance(content, nodes.Inline | nodes.Text) else content


def table(
    head: list[nodes.row],
    body: list[nodes.row],
    title: str,
    classes: tuple[str, ...] = (),
    kind: str = "rosetta-lines",
) -> nodes.table:
    """A table of ready rows with a caption. kind: what it looks like."""
    columns = sum(1 + entry.get("morecols", 0) for entry in head[0].findall(nodes.entry))
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in range(columns)), cols=columns)
    group += [nodes.thead("", *head), nodes.tbody("", *body)]
    return nodes.table("", nodes.title("", title), group, classes=["rosetta-table", kind, *classes])


def fold(title: str, *content: nodes.Node) -> Details:
    """Content that a reader opens by this title."""
    return Details("", Summary("", title), *content, classes=["rosetta-details"])


def in_short(shown: nodes.table, caption: str) -> list[nodes.Node]:
    """The table; where its rows differ in their first cells alone, one sentence with the table folded below it."""
    head, *body = shown.findall(nodes.row)
    contents = {tuple(entry.astext() for entry in row.children[1:]) for row in body}
    if len(contents) > 1 or len(body) < 2:
        return [shown]
    titles = (entry.astext().lower() for entry in head.children[1:])
    facts = ", ".join(f"{title} “{text}”" for title, text in zip(titles, contents.pop(), strict=True))
    return [nodes.paragraph("", f"All {len(body)} implementations are alike: {facts}."), fold(caption, shown)]


def _visit_datum(self: HTML5Translator, node: Datum) -> None:
    self.body.append(self.starttag(node, "data", "", value=node["value"]))


def _depart_datum(self: HTML5Translator, node: Datum) -> None:
    self.body.append("</data>")


def _visit_row_header(self: HTML5Translator, node: RowHeader) -> None:
    node.parent.column += 1  # type: ignore[union-attr]  # where docutils counts the columns
    self.body.append(self.starttag(node, "th", "", scope="row"))


def _depart_row_header(self: HTML5Translator, node: RowHeader) -> None:
    self.body.append("</th>\n")


def _visit_details(self: HTML5Translator, node: Details) -> None:
    self.body.append(self.starttag(node, "details"))


def _depart_details(self: HTML5Translator, node: Details) -> None:
    self.body.append("</details>\n")


def _visit_summary(self: HTML5Translator, node: Summary) -> None:
    self.body.append(self.starttag(node, "summary", ""))


def _depart_summary(self: HTML5Translator, node: Summary) -> None:
    self.body.append("</summary>\n")


def setup(app: Sphinx) -> None:
    app.add_node(Datum, html=(_visit_datum, _depart_datum))
    app.add_node(RowHeader, html=(_visit_row_header, _depart_row_header))
    app.add_node(Details, html=(_visit_details, _depart_details))
    app.add_node(Summary, html=(_visit_summary, _depart_summary))
