"""A line under a snippet: the defaults of this framework that differ there, each with a link to its answer.

Only silent differences are named: an argument that must be given, or a refusal, ends in an error.
"""

from __future__ import annotations

from dataclasses import dataclass

from docutils import nodes
from sphinx.environment import BuildEnvironment

from _ext.core.answers import Answers, answer_anchor, answers, name_of
from _ext.core.links import AnchorLink, anchor_link
from _ext.core.texts import text
from rosetta_host.catalog.frameworks import Implementation
from rosetta_host.defaults import spec
from rosetta_host.defaults.needs import MOST, Need, Needs, of, statements
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Statement

SHOWN = 3  # facets that a line names
RAISES_ERROR = (Code.REFUSED, Code.MUST_BE_GIVEN)


def needed(workload: str, functions: list[str]) -> Needs:
    """What a snippet of these functions needs of a framework's defaults."""
    needs: Needs = {}
    for function in functions:
        needs |= of(workload).needs.get(function, {})
    return needs


@dataclass
class Difference:
    """A facet whose default is not what the snippet needs, or not what most frameworks do.

    answers: each with the implementations that give it.
    """

    name: str
    unusual: bool  # most frameworks do otherwise
    answers: dict[Statement, list[Implementation]]

    def link(self, implementations: list[Implementation]) -> AnchorLink:
        """What is asked and answered; where the implementations of a folder differ, with their names."""
        question, _, facet = self.name.partition(".")
        texts = [text(statement) + self.names_of(own, implementations) for statement, own in self.answers.items()]
        line = f"{name_of(question)}, {spec.QUESTIONS[question][1][facet]}: {'; '.join(texts)}"
        return anchor_link(answer_anchor(question, next(iter(self.answers.values()))[0]), line)

    @staticmethod
    def names_of(own: list[Implementation], implementations: list[Implementation]) -> str:
        return "" if own == implementations else f" ({', '.join(implementation.name for implementation in own)})"


def _difference(collected: Answers, implementations: list[Implementation], name: str, need: Need) -> Difference | None:
    difference = Difference(name, False, {})
    for implementation in implementations:
        asked = collected.asked[implementation.id]
        answer, unusual = asked.current(name), collected.is_odd(asked, name)
        if (
            answer
            and answer.code not in RAISES_ERROR
            and (unusual if need is MOST else answer.statement not in statements(need))
        ):
            difference.answers.setdefault(answer.statement, []).append(implementation)
            difference.unusual |= unusual
    return difference if difference.answers else None


def differences(
    env: BuildEnvironment, implementations: list[Implementation], workload: str, functions: list[str]
) -> list[nodes.Node]:
    """The line for the implementations of a folder; none without a difference. First what most others do not do."""
    collected, wanted = answers(env.config), needed(workload, functions)
    every = [
        difference
        for name, need in wanted.items()
        if (difference := _difference(collected, implementations, name, need))
    ]
    links = [
        each.link(implementations) for each in sorted(every, key=lambda difference: not difference.unusual)[:SHOWN]
    ]
    if not links:
        return []
    line = nodes.paragraph("", "By default: ", links[0], classes=["rosetta-bites"])
    for link in links[1:]:
        line += [nodes.Text(" · "), link]
    if len(every) > SHOWN:
        line += nodes.Text(f" · and {len(every) - SHOWN} more")
    return [line]
