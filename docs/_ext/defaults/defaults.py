"""`{defaults}`: what each framework does where nothing is said: a table a question, a row a framework.

With two frameworks chosen, `_static/defaults.js` puts the answers that differ before the tables, each with the code
that gives it in the second framework. The code of all frameworks stands after the tables, folded. `{questions}`: what
every framework is asked, in a table.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from _ext.core import formatting
from _ext.core import store as stores
from _ext.core.answers import SOURCE, Asked, answer_anchor, answers, facets, is_given, name_of, probe_anchor, written
from _ext.core.elements import DASH, Datum, Details, Summary, aside, cell, datum, fold, row_header, table
from _ext.core.links import anchor_link, link, site_file, target
from _ext.core.texts import text
from _ext.snippets import snippets
from _ext.snippets.vocabulary import names_of_questions
from rosetta_host.defaults import spec
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Answer

ODD = "◆"
COMMAND = "nox -s defaults"
REST = "“...” stands for your other arguments."
DIFFERENCES = '<div class="rosetta-differences"><p role="status"></p></div>'


def titled(facet: str) -> str:
    """A facet's words as the head of a column; a Greek letter stays small."""
    return facet[0].upper() + facet[1:] if facet[0].isascii() else facet


def facet_title(name: str) -> str:
    """A question.facet in a line: "Adam: ε"."""
    question, _, facet = name.partition(".")
    about = name_of(question)
    return f"{about[0].upper()}{about[1:]}: {spec.QUESTIONS[question][1][facet]}"


def shown_text(answer: Answer) -> str:
    """The answer in a cell."""
    return "no such thing" if answer.code == Code.NONE and answer.reason else text(answer)


class Defaults(SphinxDirective):
    """The lists to choose two from, a section a question, and the runs that answered."""

    def run(self) -> list[nodes.Node]:
        self.store, self.answers = stores.store(self.config), answers(self.config)
        if not any(asked.record for asked in self.answers.asked.values()):
            return [nodes.paragraph("", f"Nothing has been measured yet. Run {COMMAND}.", classes=["rosetta-none"])]
        self.folders = snippets.by_folder(self.store.implementations.values())
        self.names_by_folder = {
            name: names_of_questions(first.example(SOURCE)) for name, (first, *_) in self.folders.items()
        }
        bar = snippets.bar(self.folders, "none (show all)") + DIFFERENCES
        sections = [self.section(question) for question in spec.QUESTIONS]
        return [nodes.raw("", bar, format="html"), *sections, *self.explicit(), self.runs()]

    @property
    def asked(self) -> list[Asked]:
        """The living before the retired, as everywhere."""
        implementations = [
            implementation for name in snippets.by_life(self.folders) for implementation in self.folders[name]
        ]
        return [self.answers.asked[implementation.id] for implementation in implementations]

    def section(self, question: str) -> nodes.section:
        sentence, facets = spec.QUESTIONS[question]
        titles = (cell(datum(titled(about), f"{question}.{facet}")) for facet, about in facets.items())
        head = nodes.row("", cell("Framework"), *titles)
        body = [self.most(question), *(self.row(question, asked) for asked in self.asked)]
        shown = table([head], body, f"{ODD} differs from most frameworks", ("rosetta-defaults",))
        return _section(sentence, f"default-{question}", "rosetta-question", shown)

    def most(self, question: str) -> nodes.row:
        """What more than half of the frameworks answer."""
        names = [f"{question}.{facet}" for facet in spec.QUESTIONS[question][1]]
        usual = [self.answers.usual.get(name) for name in names]
        cells = [cell(text(statement) if statement else DASH) for statement in usual]
        return nodes.row("", row_header("Most"), *cells, classes=["is-most"])

    def row(self, question: str, asked: Asked) -> nodes.row:
        changed = f"measured with another {' and '.join(asked.changed)}" if asked.changed else ""
        beside = [fact for fact in (asked.record.version if asked.record else "", changed) if fact]
        name = link(asked.record, asked.implementation.name) if asked.record else nodes.Text(asked.implementation.name)
        header = row_header(
            Datum("", "", name, value=asked.implementation.folder.name),
            *self.names(question, asked),
            *([aside(" · ".join(beside))] if beside else []),
        )
        anchor = answer_anchor(question, asked.implementation)
        row = nodes.row("", header, *self.cells(question, asked), ids=[anchor])
        row["classes"] = ["is-stale"] if asked.changed else []
        title = f"{asked.implementation.name}, {name_of(question)}"
        self.env.domains.standard_domain.note_hyperlink_target(anchor, self.env.docname, anchor, title)
        return row

    def names(self, question: str, asked: Asked) -> list[nodes.paragraph]:
        """What the framework calls what the question is about: a line for each name."""
        names = self.names_by_folder[asked.implementation.folder.name].get(question, [])
        return [nodes.paragraph("", "", nodes.literal("", name), classes=["rosetta-name"]) for name in names]

    def cells(self, question: str, asked: Asked) -> list[nodes.entry]:
        """A cell a facet; one for all of them where all have the same reason."""
        facets = spec.QUESTIONS[question][1]
        if asked.record is None:
            return [cell("not measured yet", columns=len(facets), classes=("is-open",))]
        if not asked.record.answers:
            ended = f"{asked.record.status}: {asked.record.reason}"
            return [cell(ended, columns=len(facets), classes=("is-open", "failed"))]
        names = [f"{question}.{facet}" for facet in facets]
        given = [asked.answer(name) for name in names]
        first = given[0]
        if first and first.reason and all(answer and _same(answer, first) for answer in given):
            return [self.cell(asked, names[0], len(names))]
        return [self.cell(asked, name) for name in names]

    def cell(self, asked: Asked, name: str, columns: int = 1) -> nodes.entry:
        """An answer, which leads to the code that asked; one with a reason opens to it."""
        answer = asked.answer(name)
        if answer is None:
            return cell(DASH, columns=columns, classes=("is-open",))
        odd = self.answers.is_odd(asked, name)
        mark = [nodes.inline("", f"{ODD} ", classes=["rosetta-odd"])] if odd else []
        shown = _shown(answer, mark, probe_anchor(name.partition(".")[0], asked.implementation))
        return cell(shown, columns=columns, classes=("is-open",) if answer.code == Code.UNKNOWN else ())

    def explicit(self) -> list[nodes.section]:
        """What to write in each framework for another answer than its own; nothing where nothing was measured."""
        folds = [shown for name in snippets.by_life(self.folders) if (shown := self.explicit_of(name))]
        about = nodes.paragraph("", f"The shortest code that was measured to do it. {REST}")
        return [_section("What to write", "default-explicit", "rosetta-explicit", about, *folds)] if folds else []

    def explicit_of(self, folder: str) -> Details | None:
        """A framework's lines, folded; None where it has none."""
        asked = [self.answers.asked[implementation.id] for implementation in self.folders[folder]]
        body = [
            nodes.row("", row_header(datum(facet_title(name), name)), cell(text(does)), cell(nodes.literal("", line)))
            for name in facets()
            for does, line in written(asked, name).items()
        ]
        if not body:
            return None
        head = nodes.row("", cell("Default of"), cell("To get"), cell("Write"))
        title = self.folders[folder][0].title
        shown = fold(title, table([head], body, f"What to write in {title}"))
        shown["ids"] = [nodes.make_id(f"explicit-{folder}")]
        return shown

    def runs(self) -> nodes.section:
        """Where the answers come from: a line a record, to which the frameworks' names lead."""
        head = nodes.row("", *map(cell, ("Framework", "Answers", "Machine", "Date", "Record")))
        body = [self.run_of(asked) for asked in self.asked if asked.record]
        shown = table([head], body, "The newest run of each framework")
        return _section("The runs", "default-runs", "rosetta-runs-of-defaults", shown)

    def run_of(self, asked: Asked) -> nodes.row:
        record = asked.record
        assert record
        given = sum(map(is_given, record.answers.values()))
        count = f"{given} of {len(record.answers)}" if record.answers else record.status
        file: nodes.Node = nodes.Text("on this machine only")
        if not self.store.is_local(record):
            file = site_file(f"records/{self.store.path(record)}", "JSON")
        name = row_header(asked.implementation.name, aside(record.version or ""))
        counted = cell(count, *([aside(record.reason)] if record.reason else []))
        row = nodes.row("", name, counted, cell(record.machine.name), cell(formatting.dated(record)), cell(file))
        target(self.env, row, record, asked.implementation.name)
        return row


def _shown(answer: Answer, mark: list[nodes.inline], probe: str) -> nodes.Element:
    """The words of an answer, which lead to the code that asked, or open to the reason and then to the code."""
    shown, kind = shown_text(answer), "rosetta-answer"
    if not answer.reason:
        return nodes.paragraph("", "", *mark, anchor_link(probe, shown, (kind,)))
    why = nodes.paragraph("", "", nodes.Text(f"{answer.reason.rstrip('.')}. → "), anchor_link(probe, "code"))
    return Details("", Summary("", "", *mark, nodes.inline("", shown, classes=[kind])), why)


def _same(answer: Answer, other: Answer) -> bool:
    return (answer.statement, answer.reason) == (other.statement, other.reason)


def _section(title: str, name: str, kind: str, *content: nodes.Node) -> nodes.section:
    name = nodes.make_id(name)
    return nodes.section("", nodes.title("", title), *content, ids=[name], names=[name], classes=[kind])


class Questions(SphinxDirective):
    """What every framework is asked: the function of its defaults.py, and the answers that are inferred from it."""

    def run(self) -> list[nodes.Node]:
        head = nodes.row("", cell("Function"), cell("What it builds"), cell("What is inferred"))
        body = [
            nodes.row("", row_header(nodes.literal("", question)), cell(sentence), cell("; ".join(facets.values())))
            for question, (sentence, facets) in spec.QUESTIONS.items()
        ]
        return [table([head], body, "The questions", ("rosetta-questions",))]


def _page_context(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """The script, on the page that has the tables: what a handler of this event adds is that page's alone."""
    if doctree and any("rosetta-defaults" in each["classes"] for each in doctree.findall(nodes.table)):
        app.add_js_file("defaults.js")


def setup(app: Sphinx) -> None:
    app.add_directive("defaults", Defaults)
    app.add_directive("questions", Questions)
    app.connect("html-page-context", _page_context)
