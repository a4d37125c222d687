"""`{patch} NETWORK.MUTANT`: a patch in every framework that can be given it, a tab a folder of examples/.

A tab shows the smallest functions that the patch changes, as they are and patched, side by side, and what became of
each when it ran: the tabs are those of `{rosetta}`. Where the patch cannot be written, the tab says why.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

from _ext.core import formatting
from _ext.core import store as stores
from _ext.core.folders import by_folder
from _ext.lessons.diff import change
from _ext.lessons.evidence import Measurement, offered
from _ext.lessons.lessons import declared, evidence
from _ext.snippets.run_caption import ran
from _ext.snippets.snippets import Rosetta, literal
from _ext.snippets.source import Snippet
from rosetta_host.catalog.frameworks import WORKLOADS, Case, Implementation, UserError, nearest
from rosetta_host.mutation import mutants
from rosetta_host.mutation.mutants import Mutant

WIDTH = 88  # of a reason that stands as a comment where code would


class Marked(nodes.literal_block):
    """Code whose lines each stand in a box of their own, of which some are marked as changed."""


class Patch(Rosetta):
    """Wrong and right of every framework. The argument names one mutant."""

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        self.workload, _, name = self.arguments[0].partition(".")
        self.functions = [name]
        if self.workload not in WORKLOADS:
            return self.warn(f"{self.arguments[0]!r} is not of the form NETWORK.MUTANT")
        try:
            lessons = declared(self.env)
            self.evidence = [evidence(self.env, slug) for slug in lessons.of_mutant(self.workload, name)]
        except UserError as error:
            return self.warn(str(error))
        of_network = [lesson for lesson in lessons.by_slug.values() if lesson.workload == self.workload]
        mutants = {mutant for lesson in of_network for mutant in lesson.mutants}
        mutants.update(
            *(offered(implementation, self.workload)[0] for implementation in self.store.implementations.values())
        )
        if name not in mutants:
            return self.warn(str(nearest(f"{self.workload} mutant", name, sorted(mutants))))
        return [self.side_by_side()]

    def code(self, implementation: Implementation) -> nodes.Element | None:
        """Two columns, or why there is nothing to show; None where the folder says nothing of the patch."""
        path = implementation.example(self.workload)
        if not path.exists():
            return None
        try:
            mutant = mutants.offered(implementation, self.workload).get(self.functions[0])
            if mutant is None:
                return None
            if mutant.unsupported:
                comment = f"# This cannot be written here: {mutant.unsupported}"
                return literal(path, Snippet(textwrap.fill(comment, WIDTH, subsequent_indent="# "), 1))
            return self.columns(mutant)
        except UserError as error:
            self.warn(str(error))
            return None

    def columns(self, mutant: Mutant) -> nodes.container:
        """The code as it is and patched, each with the result of its run, in every implementation of the folder."""
        diff, folder = change(mutant), mutant.implementation.folder
        implementations = by_folder(self.store.implementations.values())[folder.name]
        cases = [Case(implementation, self.workload, mutant.case.variant) for implementation in implementations]
        runs = [ran(self.env, self.store, case, self.functions, self.rates) for case in cases]
        left = _column("Without the patch", "is-before", diff.text, diff.removed, runs)
        tried = [measurement for of_lesson in self.evidence[:1] for measurement in of_lesson.of_mutant(mutant.name)]
        ends = [_end(measurement) for measurement in tried if measurement.implementation.folder == folder]
        right = _column("With the patch", "is-after", diff.patched, diff.added, ends)
        return nodes.container("", left, right, classes=["rosetta-patch"])

    def under(self, implementations: list[Implementation]) -> list[nodes.Node]:
        return []  # the runs stand in the columns


def _end(measurement: Measurement) -> nodes.container:
    """How the patched example ended; the green dot is for one that its certificate passes, as it should."""
    passed = measurement.size is not None and not measurement.failed_checks and not measurement.fault
    state = "is-certified" if passed else "is-open"
    return nodes.container(
        "", nodes.paragraph("", became(measurement), classes=["rosetta-ran", state]), classes=["rosetta-run"]
    )


def became(measurement: Measurement) -> str:
    """What a patched example did, in a line."""
    run, name = measurement.newest, measurement.implementation.name
    if run is None:
        return f"{name}: {measurement.verdict}" + (f" ({measurement.why})" if measurement.why else "")
    where = formatting.versioned(name, run)
    if measurement.fault:
        return f"{where}: {measurement.verdict} ({measurement.why})"
    slower = (
        measurement.seconds
        and f"a step takes {formatting.ratio(measurement.seconds[1] / measurement.seconds[0])} the time"
    )
    caught = f"caught by {measurement.certificate}" if measurement.failed_checks else measurement.certificate
    return f"{where}: " + "; ".join(fact for fact in (caught, slower) if fact)


def _column(title: str, kind: str, text: str, marked: frozenset[int], runs: Sequence[nodes.Node]) -> nodes.container:
    code = Marked(text, text, language="python", marked=marked)
    label = nodes.paragraph("", title, classes=["rosetta-side"])
    return nodes.container("", label, code, *runs, classes=[kind])


def boxed(html: str, text: str, marked: frozenset[int]) -> str:
    """Highlighted code with each line in a box, which knows how far in it begins; rosetta.js makes the same boxes."""
    opening, _, rest = html.partition("<span></span>")
    code, end, closing = rest.rpartition("</pre>")
    boxes = []
    for number, (line, shown) in enumerate(zip(text.split("\n"), code.rstrip("\n").split("\n"), strict=True), start=1):
        changed = " is-changed" if number in marked else ""
        indent = len(line) - len(line.lstrip()) + 4
        boxes.append(f'<span class="rosetta-line{changed}" style="--indent:{indent}ch">{shown}\n</span>')
    return f"{opening}<span></span>{''.join(boxes)}{end}{closing}"


def _visit_marked(self: HTML5Translator, node: Marked) -> None:
    html = self.highlighter.highlight_block(node.rawsource, node["language"], location=node)
    html = boxed(html, node.rawsource, node["marked"])
    self.body.append(f'<div class="highlight-{node["language"]} notranslate">{html}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_node(Marked, html=(_visit_marked, None))
    app.add_directive("patch", Patch)
