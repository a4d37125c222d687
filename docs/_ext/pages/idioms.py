"""`{idioms} NETWORK`: what maps to what between two frameworks, a column a framework.

Which names of a framework an example uses, and who writes the loop, is read from its code. What it takes and gives is
that of its newest run, if possible of its code as it is. What a framework does by default is from its answers, marked
where they are of older code. A script shows the columns of the chosen frameworks; without it, all are shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from docutils import nodes
from sphinx.application import Sphinx

from _ext.core.answers import answers, is_given, name_of, unknown
from _ext.core.directives import OfWorkload
from _ext.core.elements import DASH, cell, row_header, table
from _ext.core.folders import by_folder, by_life, marker, promotable
from _ext.core.texts import text as words_of
from _ext.snippets.feeds import shares
from _ext.snippets.vocabulary import vocabulary
from rosetta_host.catalog.frameworks import Implementation
from rosetta_host.defaults import needs, spec
from rosetta_host.environments.digests import example_digest
from rosetta_host.records.store import BenchmarkRecord

# What the table calls the steps, and what a run records of its arrays.
STEPS = {
    "create_symbol": "Network",
    "init_model": "Loss, optimizer, initial weights",
    "train": "Training",
    "predict": "Prediction",
}
SHAPES = {"x": "Samples", "y": "Labels", "scores": "Scores"}
Answer = Callable[[Implementation], str]


class Idioms(OfWorkload):
    """The table. A question that all frameworks answer alike has no line."""

    def content_nodes(self) -> list[nodes.Node]:
        folders = by_folder(
            implementation
            for implementation in self.store.implementations.values()
            if self.workload in implementation.workloads
        )
        shown = [folders[name] for name in by_life(folders)]
        if not shown:
            return []
        titles = [
            cell(implementations[0].title, classes=(marker(implementations[0].folder.name),))
            for implementations in shown
        ]
        body: list[nodes.row] = []
        parts = (
            ("Names in the code", self.of_code()),
            ("In the examples", self.of_example()),
            ("By default", self.of_framework()),
        )
        for title, questions in parts:
            part = [line for label, answer in questions if (line := self.line(label, answer, shown))]
            body += (
                [nodes.row("", cell(title, columns=1 + len(shown)), classes=["rosetta-part-head"]), *part]
                if part
                else []
            )
        caption = "How the frameworks write the same network: in their examples, and by default"
        made = table([nodes.row("", cell("What"), *titles)], body, caption, ("rosetta-columns", "rosetta-idioms"))
        return promotable(made)

    def of_code(self) -> Iterator[tuple[str, Answer]]:
        """For each step, the names of the framework that it uses; Markdown's backquotes mark them as code."""
        for step, label in STEPS.items():
            yield label, partial(self.names, step)

    def names(self, step: str, implementation: Implementation) -> str:
        return ", ".join(f"`{name}`" for name in vocabulary(implementation.example(self.workload), step)) or DASH

    def of_example(self) -> Iterator[tuple[str, Answer]]:
        """What is asked about an example, and how an implementation answers."""
        for name, label in SHAPES.items():
            yield label, partial(self.shape, name)
        yield "Training loop", self.loop

    def of_framework(self) -> Iterator[tuple[str, Answer]]:
        """What is asked about a framework's defaults, and how an implementation answers."""
        idioms = needs.of(self.workload).idioms
        for problem in unknown(idioms):
            raise self.error(f"what maps to what: {problem}")
        for facet in idioms:
            question, _, part = facet.partition(".")
            about = name_of(question)
            label = f"{about[0].upper()}{about[1:]}: {spec.QUESTIONS[question][1][part]}"
            yield label, partial(self.default, facet)

    def line(self, label: str, answer: Answer, shown: list[list[Implementation]]) -> nodes.row | None:
        """One answer a framework; None where all that is known is the same."""
        texts = [answered(implementations, answer) for implementations in shown]
        if len({text for text in texts if text != DASH}) < 2:
            return None
        cells = [
            cell(words(text), classes=(marker(implementations[0].folder.name),))
            for text, implementations in zip(texts, shown, strict=True)
        ]
        return nodes.row("", row_header(label), *cells)

    def shape(self, name: str, implementation: Implementation) -> str:
        """The dtype and shape of an array, with n for the number of samples."""
        digest = example_digest(implementation.example(self.workload))
        runs = self.store.of_kind(
            BenchmarkRecord, implementation=implementation.id, workload=self.workload, historic=False
        )
        runs = [run for run in runs if name in run.shapes]
        last = max(runs, key=lambda run: (run.digests.get("example") == digest, run.created), default=None)
        if last is None:
            return DASH
        text = re.sub(r"\(\d+", "(n", last.shapes[name], count=1)
        return f"{kind_of_labels(text)}, {text}" if name == "y" else text

    def loop(self, implementation: Implementation) -> str:
        own = shares(implementation.example(self.workload))
        return "written out, over mini-batches" if own else "the framework’s own, given all samples"

    def default(self, facet: str, implementation: Implementation) -> str:
        asked = answers(self.config).asked[implementation.id]
        answer = asked.answer(facet)
        if not answer or not is_given(answer):
            return DASH
        return words_of(answer.statement) + (" (measured with older code)" if asked.changed else "")


def kind_of_labels(shape: str) -> str:
    """Class indices or one-hot rows, by the shape: (n,), (n, 1), (n, 10)."""
    *_, last = re.findall(r"n,|\d+(?=\))", shape) or [""]
    return {"n,": "class indices", "1": "a column of class indices"}.get(last, "one-hot")


def answered(implementations: list[Implementation], answer: Answer) -> str:
    """The answer of a folder's implementations: once if they agree, otherwise with the name of each."""
    texts = {implementation.name: answer(implementation) for implementation in implementations}
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{words} ({name})" for name, words in texts.items())


def words(text: str) -> nodes.paragraph:
    """A text whose parts in backquotes are code."""
    parts = text.split("`")
    return nodes.paragraph(
        "", "", *(nodes.literal("", part) if i % 2 else nodes.Text(part) for i, part in enumerate(parts))
    )


def setup(app: Sphinx) -> None:
    app.add_directive("idioms", Idioms)
