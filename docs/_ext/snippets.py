"""`{rosetta} cnn.train`: the same function of every example, one tab a folder of examples/.

A folder's files may serve several rows, one a back end: its tab shows them once, and how each ran.

`{rosetta} cnn.export_weights cnn.import_weights` shows several together; `:pair: a b` shows two
frameworks side by side without tabs; `:optional:` passes over the files that lack the function.
The nodes are sphinx-tabs' own. Their look and behaviour are _static/rosetta.css and rosetta.js:
sphinx-tabs' script forgets the choice with the browser's tab and leaves the wrong tab focusable.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, ClassVar, cast

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec
from sphinx_tabs.tabs import SphinxTabsPanel, SphinxTabsTab, SphinxTabsTablist

from rosetta_common.host.catalogue import VARIANTS, WORKLOADS, Row, nearest
from rosetta_common.host.digests import example_digest
from rosetta_common.host.records import Record

from . import store as stores
from . import words
from .links import link
from .source import NotFound, Snippet, snippet

logger = logging.getLogger(__name__)

# What a record tells of the arrays that a verb gave.
GIVES = {"load_data": ("x", "y"), "predict": ("scores",)}

WITHOUT_SCRIPT = (
    "<noscript><style>.rosetta-panel[hidden]{display:block!important}"
    ".rosetta-tabs>[role=tablist]{display:none!important}"
    ".rosetta-file strong{display:inline!important}</style></noscript>"
)


def shown_run(store: stores.Store, row: Row, workload: str, variant: str | None, digest: str) -> Record | None:
    """The run that speaks for a snippet, or None.

    One of this very source if there is one; a success before a failure, a benchmark before a parity run.
    """

    def worth(record: Record) -> tuple[bool, bool, bool, str]:
        return (
            record.digests.get("example") == digest,
            record.status == "ok",
            record.kind == "benchmark",
            record.created,
        )

    runs = store.of(row=row.id, workload=workload, variant=variant, historic=False)
    runs = [record for record in runs if record.kind in ("benchmark", "parity")]
    return max(runs, key=worth, default=None)


class Rosetta(SphinxDirective):
    """One snippet of every framework."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[OptionSpec] = {"pair": directives.unchanged_required, "optional": directives.flag}

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        stores.note(self.env)
        names = [argument.partition(".") for argument in self.arguments[0].split()]
        workloads = {workload for workload, _, _ in names}
        if len(workloads) != 1 or not workloads <= set(WORKLOADS) or not all(name for _, _, name in names):
            return self.warn(f"{self.arguments[0]!r} is not of the form cnn.train, or names several workloads")
        self.workload, self.functions = names[0][0], [name for _, _, name in names]
        panels = [(rows[0], self.panel(rows, found)) for rows in self.folders() if (found := self.snippet(rows[0]))]
        if not panels:
            return [nodes.paragraph("", "No framework has it yet.", classes=["rosetta-none"])]
        return [self.pair(panels) if "pair" in self.options else self.tabs(panels)]

    def warn(self, text: str) -> list[nodes.Node]:
        logger.warning("rosetta: %s", text, location=self.get_location(), type="rosetta", subtype="snippet")
        stores.note_warning(self.env)
        return []

    def folders(self) -> list[list[Row]]:
        """The rows of each folder: of all, or of those that `:pair:` names."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.store.rows.values():
            found[row.folder.name].append(row)
        wanted = self.options["pair"].split() if "pair" in self.options else list(found)
        for name in wanted:
            if name not in found:
                self.warn(str(nearest("framework", name, list(found))))
        return [found[name] for name in wanted if name in found]

    def snippet(self, row: Row) -> Snippet | None:
        path = row.example(self.workload)
        stores.note(self.env, path)
        if not path.exists():
            return None
        try:
            return snippet(path, self.functions)
        except NotFound as error:
            if "optional" not in self.options:
                self.warn(f"{row.folder.name}/{path.name}: {error}")
            return None

    def panel(self, rows: list[Row], found: Snippet) -> SphinxTabsPanel:
        """File, code, and the runs that show it works. Its id makes a link to this very tab possible."""
        row = rows[0]
        name = nodes.make_id(f"{self.workload}-{'-'.join(self.functions)}-{row.folder.name}")
        taken = cast("set[str]", self.env.temp_data.setdefault("rosetta_ids", set()))
        if name in taken:
            name = f"{name}-{self.env.new_serialno('rosetta')}"
        taken.add(name)
        path = f"{row.folder.parent.name}/{row.folder.name}/{self.workload}.py"
        code = nodes.literal_block(found.text, found.text, language="python")
        code.source, code.line = path, found.line
        file = nodes.paragraph("", "", nodes.strong("", row.title), nodes.literal(path, path), classes=["rosetta-file"])
        panel = SphinxTabsPanel("", file, code, *map(self.caption, rows), classes=["rosetta-panel"], ids=[name])
        panel["data-framework"] = row.folder.name
        return panel

    def caption(self, row: Row) -> nodes.paragraph:
        variant = next((name for name in self.functions if name in VARIANTS), None)
        digest = example_digest(row.example(self.workload))
        run = shown_run(self.store, row, self.workload, variant, digest)
        if run is None:
            text = f"{row.name}: not run yet" if row.backend else "not run yet"
            return nodes.paragraph("", text, classes=["rosetta-ran", "is-open"])
        where = f"{row.name} {run.version or ''}".strip() + f" · {run.machine.name} · {words.date(run)}"
        if run.digests.get("example") != digest:
            text, state = f"edited since it last ran: {where}", "is-open"
        elif run.status != "ok":
            text, state = f"{run.status}{f' ({run.reason})' if run.reason else ''}: {where}", "is-open"
        else:
            verdict = self.store.verdict(run)
            state = "is-certified" if verdict.state == "certified" else "is-open"
            why = f": {verdict.why}" if verdict.state in ("failed", "stale") else ""
            text = f"ran: {where} · {verdict.mark}{why}"
        caption = nodes.paragraph("", "", link(run, text), classes=["rosetta-ran", state])
        gave = [f"{name}: {run.shapes[name]}" for name in GIVES.get(self.functions[0], ()) if name in run.shapes]
        if gave:
            caption += nodes.inline("", f" · {', '.join(gave)}")
        return caption

    def tabs(self, panels: list[tuple[Row, SphinxTabsPanel]]) -> nodes.container:
        tablist = SphinxTabsTablist(role="tablist")
        tablist["aria-label"] = "Framework"
        for number, (row, panel) in enumerate(panels):
            name = panel["ids"][0]
            tab = SphinxTabsTab("", row.title, role="tab", type="button", ids=[f"tab-{name}"], classes=["rosetta-tab"])
            tab["data-framework"] = row.folder.name
            tab["tabindex"] = "-1" if number else "0"
            tab["aria-selected"] = "false" if number else "true"
            tab["aria-controls"] = name
            tablist += tab
            panel["role"], panel["tabindex"], panel["aria-labelledby"] = "tabpanel", "0", f"tab-{name}"
            if number:
                panel["hidden"] = ""
        return nodes.container("", tablist, *(panel for _, panel in panels), classes=["rosetta", "rosetta-tabs"])

    def pair(self, panels: list[tuple[Row, SphinxTabsPanel]]) -> nodes.container:
        return nodes.container("", *(panel for _, panel in panels), classes=["rosetta", "rosetta-pair"])


def _page_context(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is not None:
        context["metatags"] = context.get("metatags", "") + WITHOUT_SCRIPT


def setup(app: Sphinx) -> None:
    app.add_directive("rosetta", Rosetta)
    app.connect("html-page-context", _page_context)
