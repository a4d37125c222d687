"""A line under a snippet: the defaults of this framework that would bite there, each with a link to its answer.

Only what bites quietly is told: an argument that must be given, or a refusal, makes itself known.
"""

from __future__ import annotations

from dataclasses import dataclass

from docutils import nodes
from sphinx.environment import BuildEnvironment

from _ext.core.answers import Answers, answers, name_of, row_anchor
from _ext.core.links import AnchorLink, place_link
from _ext.core.texts import text
from rosetta_host.catalog.frameworks import Row
from rosetta_host.defaults import spec
from rosetta_host.defaults.needs import MOST, Need, Needs, of, statements
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Statement

SHOWN = 3  # facets a note
LOUD = (Code.REFUSED, Code.MUST_BE_GIVEN)


def needed(workload: str, functions: list[str]) -> Needs:
    """What a snippet of these functions needs of a framework's defaults."""
    needs: Needs = {}
    for function in functions:
        needs |= of(workload).needs.get(function, {})
    return needs


@dataclass
class Bite:
    """A facet whose default would bite: the answers, each with the rows that give it."""

    name: str
    odd: bool  # most frameworks do otherwise
    said: dict[Statement, list[Row]]

    def link(self, rows: list[Row]) -> AnchorLink:
        """What is asked and answered; where the rows of a folder differ, with their names."""
        question, _, facet = self.name.partition(".")
        told = [text(statement) + self.whose(found, rows) for statement, found in self.said.items()]
        line = f"{name_of(question)}, {spec.QUESTIONS[question][1][facet]}: {'; '.join(told)}"
        return place_link(row_anchor(question, next(iter(self.said.values()))[0]), line)

    @staticmethod
    def whose(found: list[Row], rows: list[Row]) -> str:
        return "" if found == rows else f" ({', '.join(row.name for row in found)})"


def _bite(told: Answers, rows: list[Row], name: str, need: Need) -> Bite | None:
    found = Bite(name, False, {})
    for row in rows:
        asked = told.asked[row.id]
        answer, odd = asked.current(name), told.is_odd(asked, name)
        if answer and answer.code not in LOUD and (odd if need is MOST else answer.statement not in statements(need)):
            found.said.setdefault(answer.statement, []).append(row)
            found.odd |= odd
    return found if found.said else None


def bites(env: BuildEnvironment, rows: list[Row], workload: str, functions: list[str]) -> list[nodes.Node]:
    """The line for the rows of a folder; none where nothing bites. First what most others do not do."""
    told, wanted = answers(env.config), needed(workload, functions)
    found = [bite for name, need in wanted.items() if (bite := _bite(told, rows, name, need))]
    links = [bite.link(rows) for bite in sorted(found, key=lambda bite: not bite.odd)[:SHOWN]]
    if not links:
        return []
    line = nodes.paragraph("", "By default: ", links[0], classes=["rosetta-bites"])
    for link in links[1:]:
        line += [nodes.Text(" · "), link]
    return [line]
