"""`{rosetta} NETWORK.train`: the same function of every example, one tab a folder of examples/.

A folder's files may serve several implementations, one per backend: its tab shows them once, and how each ran.

`{rosetta} NETWORK.export_weights NETWORK.import_weights` shows several together; `:pair: a b` shows two
frameworks side by side without tabs; `:optional:` passes over the files that lack the function.
The nodes are sphinx-tabs' own. Their look and behavior are _static/rosetta.css and rosetta.js:
sphinx-tabs' script forgets the choice with the browser's tab and leaves the wrong tab focusable.
"""

from __future__ import annotations

from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, ClassVar, cast

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec
from sphinx_tabs.tabs import SphinxTabsPanel, SphinxTabsTab, SphinxTabsTablist

from _ext.core import comparison
from _ext.core import store as stores
from _ext.core.answers import unknown
from _ext.core.folders import by_folder, by_life
from _ext.core.links import anchor_link
from _ext.snippets import default_warnings, downloads
from _ext.snippets.run_caption import Rates, ran, shared_setting
from _ext.snippets.source import WHOLE, NotFound, Snippet, snippet
from rosetta_host.catalog.frameworks import VARIANTS, WORKLOADS, Case, Implementation, nearest

logger = logging.getLogger(__name__)

WITHOUT_SCRIPT = (
    "<noscript><style>.rosetta-panel[hidden]{display:block!important}"
    ".rosetta-tabs>[role=tablist],.rosetta-bar{display:none!important}"
    ".rosetta-file strong{display:inline!important}</style></noscript>"
)
# Shows the reader's choice before anything is painted: rosetta.js comes too late for that, and things would move.
EARLY = f"<script>{(Path(__file__).parent / 'early.js').read_text('utf-8').strip()}</script>"


BAR = (
    '<div class="rosetta-bar" role="group" aria-label="Frameworks">'
    "<label><span>From</span> <select>{options}</select></label>"
    '<button type="button" aria-label="Swap the two" aria-keyshortcuts="Alt+X">⇄ <kbd>Alt X</kbd></button>'
    '<label><span>to</span> <select><option value="">{none}</option>{options}</select></label>'
    '<p role="status"></p></div>'
)


class Rosetta(SphinxDirective):
    """One snippet of every framework."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[OptionSpec] = {"pair": directives.unchanged_required, "optional": directives.flag}

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        names = [argument.partition(".") for argument in self.arguments[0].split()]
        workloads = {workload for workload, _, _ in names}
        if len(workloads) != 1 or not workloads <= set(WORKLOADS) or not all(name for _, _, name in names):
            return self.warn(f"{self.arguments[0]!r} is not of the form NETWORK.FUNCTION, or names several networks")
        self.workload, self.functions = names[0][0], [name for _, _, name in names]
        for problem in unknown(default_warnings.needed(self.workload, self.functions)):
            self.warn(f"what this network needs: {problem}")
        return [self.side_by_side()]

    def side_by_side(self) -> nodes.Element:
        """The panels, under tabs or as a pair."""
        panels = [
            (implementations[0], self.panel(implementations, code))
            for implementations in self.folders()
            if (code := self.code(implementations[0]))
        ]
        if not panels:
            return nodes.paragraph("", "No framework has it yet.", classes=["rosetta-none"])
        return self.pair(panels) if "pair" in self.options else self.tabs(panels)

    def warn(self, text: str) -> list[nodes.Node]:
        logger.warning("rosetta: %s", text, location=self.get_location(), type="rosetta", subtype="snippet")
        return []

    def folders(self) -> list[list[Implementation]]:
        """The implementations by folder: of all, the living before the retired, or of those that `:pair:` names."""
        folders = by_folder(self.store.implementations.values())
        wanted = self.options["pair"].split() if "pair" in self.options else by_life(folders)
        for name in wanted:
            if name not in folders:
                self.warn(str(nearest("framework", name, list(folders))))
        return [folders[name] for name in wanted if name in folders]

    def code(self, implementation: Implementation) -> nodes.Element | None:
        """What the panel of a folder shows; None where it has none."""
        path = implementation.example(self.workload)
        if not path.exists():
            return None
        try:
            return literal(path, snippet(path, self.functions))
        except NotFound as error:
            if "optional" not in self.options:
                self.warn(f"{implementation.folder.name}/{path.name}: {error}")
            return None

    def under(self, implementations: list[Implementation]) -> list[nodes.Node]:
        """What stands under the code: the defaults that differ there, and the runs that show it works."""
        runs = [ran(self.env, self.store, case, self.functions, self.rates) for case in self.cases(implementations)]
        return [*default_warnings.differences(self.env, implementations, self.workload, self.functions), *runs]

    def cases(self, implementations: list[Implementation]) -> list[Case]:
        """What of these implementations the snippet shows: `train` or a variant of it."""
        variant = next((name for name in self.functions if name in VARIANTS), None)
        return [Case(implementation, self.workload, variant) for implementation in implementations]

    @cached_property
    def rates(self) -> Rates:
        """Which rates the captions give: for a pair only those of one machine and preset, for tabs all."""
        if "pair" not in self.options:
            return Rates(comparison.usual(self.store, self.workload), others=True)
        return Rates(shared_setting(self.store, map(self.cases, self.folders())), others=False)

    def panel(self, implementations: list[Implementation], code: nodes.Element) -> SphinxTabsPanel:
        """File, code, and what stands under it. Its id makes a link to this very tab possible."""
        implementation = implementations[0]
        name = nodes.make_id(f"{self.workload}-{'-'.join(self.functions)}-{implementation.folder.name}")
        taken = cast("set[str]", self.env.temp_data.setdefault("rosetta_ids", set()))
        if name in taken:
            name = f"{name}-{self.env.new_serialno('rosetta')}"
        taken.add(name)
        path = shown_path(implementation.example(self.workload))
        file = nodes.paragraph("", "", nodes.strong("", implementation.title), classes=["rosetta-file"])
        file += anchor_link(whole_file(self.workload, implementation), path)
        if WHOLE in self.functions:
            file += [nodes.Text(" · download: "), *downloads.links(self.env, implementation, self.workload)]
        panel = SphinxTabsPanel("", file, code, *self.under(implementations), classes=["rosetta-panel"], ids=[name])
        panel["data-framework"] = implementation.folder.name
        if name in self.linked_panels(implementation):
            self.env.domains.standard_domain.note_hyperlink_target(name, self.env.docname, name, path)
        return panel

    def linked_panels(self, implementation: Implementation) -> list[str]:
        """The panels of a folder that other pages lead to."""
        return [whole_file(self.workload, implementation)]

    def tabs(self, panels: list[tuple[Implementation, SphinxTabsPanel]]) -> nodes.container:
        tablist = SphinxTabsTablist(role="tablist")
        tablist["aria-label"] = "Framework"
        for number, (implementation, panel) in enumerate(panels):
            name = panel["ids"][0]
            tab = SphinxTabsTab(
                "", implementation.title, role="tab", type="button", ids=[f"tab-{name}"], classes=["rosetta-tab"]
            )
            tab["data-framework"] = implementation.folder.name
            tab["tabindex"] = "-1" if number else "0"
            tab["aria-selected"] = "false" if number else "true"
            tab["aria-controls"] = name
            tablist += tab
            panel["role"], panel["tabindex"], panel["aria-labelledby"] = "tabpanel", "0", f"tab-{name}"
            if number:
                panel["hidden"] = ""
        shown = [tablist, self.contents(panels), *(panel for _, panel in panels)]
        return nodes.container("", *shown, classes=["rosetta", "rosetta-tabs"])

    @staticmethod
    def contents(panels: list[tuple[Implementation, SphinxTabsPanel]]) -> nodes.raw:
        """Where each panel is, for who reads without the script: they stand one below the other, many screens long."""
        links = [f'<a href="#{panel["ids"][0]}">{escape(implementation.title)}</a>' for implementation, panel in panels]
        return nodes.raw("", f"<noscript><p>{' · '.join(links)}</p></noscript>", format="html")

    def pair(self, panels: list[tuple[Implementation, SphinxTabsPanel]]) -> nodes.container:
        return nodes.container("", *(panel for _, panel in panels), classes=["rosetta", "rosetta-pair"])


def shown_path(path: Path) -> str:
    """A file of an example as a reader knows it: examples/FRAMEWORK/NETWORK.py."""
    return "/".join(path.parts[-3:])


def literal(path: Path, snippet: Snippet) -> nodes.literal_block:
    """A snippet of a file as a block of code that knows where it is from."""
    code = nodes.literal_block(snippet.text, snippet.text, language="python")
    code.source, code.line = shown_path(path), snippet.line
    return code


def whole_file(workload: str, implementation: Implementation) -> str:
    """The id of the panel that shows this example from its first line to its last."""
    name: str = nodes.make_id(f"{workload}-{WHOLE}-{implementation.folder.name}")
    return name


def options(folders: dict[str, list[Implementation]], chosen: str = "") -> str:
    """The frameworks in two groups, as the options of a list, of which one may be chosen."""

    def option(implementations: list[Implementation]) -> str:
        name = implementations[0].folder.name
        selected = " selected" if name == chosen else ""
        # What an address may call it as well.
        also = " ".join(implementation.id for implementation in implementations if implementation.id != name)
        also = f' data-also="{also}"' if also else ""
        return f'<option value="{name}"{also}{selected}>{escape(implementations[0].title)}</option>'

    groups: dict[str, list[list[Implementation]]] = {"Active": [], "Retired": []}
    for name in by_life(folders):
        groups["Retired" if folders[name][0].framework.retired else "Active"].append(folders[name])
    return "".join(
        f'<optgroup label="{label}">{"".join(map(option, group))}</optgroup>'
        for label, group in groups.items()
        if group
    )


def bar(folders: dict[str, list[Implementation]], none: str) -> str:
    """The two lists to choose from; `none` is what the second says where no second one is chosen."""
    return BAR.format(options=options(folders), none=none)


def _add_bar(app: Sphinx, doctree: nodes.document) -> None:
    """Two lists to pick frameworks from, above the sections of a page with tabs; rosetta.js makes them work.

    It belongs to the outermost section: one further in would carry it off the screen when it is scrolled past.
    """
    by_framework = {"rosetta-tabs", "rosetta-download"}
    if any(by_framework.intersection(box["classes"]) for box in doctree.findall(nodes.Element)):
        page = next(doctree.findall(nodes.section))
        first = next((i for i, node in enumerate(page) if isinstance(node, nodes.section)), None)
        listed = bar(by_folder(stores.store(app.config).implementations.values()), "none (show one)")
        at = first if first is not None else next(i for i, n in enumerate(page) if isinstance(n, nodes.container))
        page.insert(at, nodes.raw("", listed, format="html"))


def _page_context(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is not None:
        context["metatags"] = context.get("metatags", "") + WITHOUT_SCRIPT + EARLY


def setup(app: Sphinx) -> None:
    app.add_directive("rosetta", Rosetta)
    app.connect("doctree-read", _add_bar)
    app.connect("html-page-context", _page_context)
