"""What a built page shows, read as a reader would: cells by their row's name and their column's title."""

from __future__ import annotations

from bs4 import BeautifulSoup, Tag


def text(tag: Tag) -> str:
    """The text of an element in one line, its paragraphs divided by a bar."""
    parts = [" ".join(part.get_text().split()) for part in tag.find_all(["p", "summary"])] or [tag.get_text()]
    return " | ".join(part for part in parts if part)


class Shown:
    """One table: its caption, its head, and its rows by name."""

    def __init__(self, table: Tag) -> None:
        self.table = table
        self.caption = table.caption.get_text().rstrip("¶") if table.caption else ""
        self.head = [text(cell).partition(" | ")[0] for cell in table.thead.find_all("tr")[-1].find_all(["th", "td"])]
        self.lines = [row for row in table.tbody.find_all("tr", recursive=False) if row.th]

    @property
    def names(self) -> list[str]:
        """The rows in the order in which they stand."""
        return [text(row.th).partition(" | ")[0] for row in self.lines]

    def line(self, name: str) -> Tag:
        return self.lines[self.names.index(name)]

    def row(self, name: str) -> dict[str, str]:
        """Title of a column -> text of the cell that begins there."""
        found, at = {}, 0
        for cell in self.line(name).find_all(["th", "td"], recursive=False):
            found[self.head[at]] = text(cell)
            at += int(cell.get("colspan", 1))
        assert at == len(self.head), f"{name} has {at} columns, the head {len(self.head)}"
        return found


def page(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def tables(html: str) -> list[Shown]:
    """All tables of a page, in order."""
    return [Shown(table) for table in page(html).find_all("table")]
