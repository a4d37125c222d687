"""`{probes} [QUESTION]`: how it was asked: under tabs the function of each defaults.py; by default a section each."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import OptionSpec

from _ext.core import formatting
from _ext.core import store as stores
from _ext.core.answers import SOURCE, answer_anchor, answers, probe_anchor
from _ext.core.links import anchor_link, link
from _ext.core.texts import text
from _ext.results.limits_tables import constant
from _ext.snippets.run_caption import caption
from _ext.snippets.snippets import Rosetta, literal, shown_path
from _ext.snippets.source import NotFound, Snippet, snippet
from rosetta_host.catalog.frameworks import Implementation, nearest
from rosetta_host.defaults import spec


def unanswered(path: Path) -> dict[str, str]:
    """What a defaults.py says that its framework has nothing for: question -> why; nothing where it cannot be read."""
    try:
        return dict(constant("unanswered", path))
    except (OSError, LookupError, SyntaxError, ValueError):
        return {}


class Probes(Rosetta):
    """Snippets of defaults.py, and under each what was inferred from what it returned."""

    required_arguments, optional_arguments = 0, 1
    final_argument_whitespace = False
    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        self.store, self.answers = stores.store(self.config), answers(self.config)
        if not self.arguments:
            return [self.section(question) for question in spec.QUESTIONS]
        [question] = self.arguments
        if question not in spec.QUESTIONS:
            raise self.error(str(nearest("question", question, list(spec.QUESTIONS))))
        return [self.functions_of(question)]

    def functions_of(self, question: str) -> nodes.Element:
        self.workload, self.functions = SOURCE, [question]
        return self.side_by_side()

    def section(self, question: str) -> nodes.section:
        name = nodes.make_id(f"probe-{question}")
        title = nodes.title("", spec.QUESTIONS[question][0])
        return nodes.section("", title, self.functions_of(question), ids=[name], names=[name])

    def code(self, implementation: Implementation) -> nodes.literal_block | None:
        """The function that asks, or why there is none, which the file says beside its functions."""
        path = implementation.example(SOURCE)
        if not path.exists():
            return None
        try:
            return literal(path, snippet(path, self.functions))
        except NotFound as error:
            reason = unanswered(path).get(self.functions[0])
            if reason is None:
                self.warn(f"{shown_path(path)}: {error}, and no reason in `unanswered`")
                return None
            return literal(path, Snippet(textwrap.fill(f"# {reason}", 100, subsequent_indent="# "), 1))

    def under(self, implementations: list[Implementation]) -> list[nodes.Node]:
        return [self.answered(implementation) for implementation in implementations]

    def answered(self, implementation: Implementation) -> nodes.paragraph:
        """Which run asked, and what was inferred, as a link to its line among the others'."""
        asked, [question] = self.answers.asked[implementation.id], self.functions
        if asked.record is None:
            return caption(f"{implementation.name}: not measured yet", "is-open")
        where = formatting.versioned(implementation.name, asked.record)
        if asked.changed:
            changed = f"{' and '.join(asked.changed)} edited since the measurement"
            return caption(link(asked.record, f"{changed}: {where}"), "is-open")
        inferred = [
            f"{about}: {text(answer)}"
            for facet, about in spec.QUESTIONS[question][1].items()
            if (answer := asked.answer(f"{question}.{facet}"))
        ]
        made = caption(link(asked.record, f"measured: {where}"), "is-certified")
        made += [
            nodes.Text(" · "),
            anchor_link(answer_anchor(question, implementation), " · ".join(inferred) or "no answer"),
        ]
        return made

    def linked_panels(self, implementation: Implementation) -> list[str]:
        return [probe_anchor(self.functions[0], implementation)]


def setup(app: Sphinx) -> None:
    app.add_directive("probes", Probes)
