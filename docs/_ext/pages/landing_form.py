"""`{start}`: which framework one knows and which one needs, as a plain form: it needs no script to be sent.

Each workload that has a page has a button, which leads there with `?from=…&to=…`. `:from:` and `:to:` are what is
chosen at first.
"""

from __future__ import annotations

from html import escape
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

from _ext.core import store as stores
from _ext.core.folders import by_folder
from _ext.pages import workload_pages
from _ext.snippets.snippets import options
from rosetta_host.catalog.frameworks import nearest

logger = logging.getLogger(__name__)

LISTS = {"from": "I know", "to": "and need"}


class Start(nodes.General, nodes.Element):
    """A place holder until all pages are read: then the form, with addresses."""


class StartDirective(SphinxDirective):
    """The form."""

    option_spec: ClassVar[OptionSpec] = dict.fromkeys(LISTS, directives.unchanged_required)

    def run(self) -> list[nodes.Node]:
        folders = by_folder(stores.store(self.config).implementations.values())
        for name in LISTS:
            if name in self.options and self.options[name] not in folders:
                self.warn(str(nearest("framework", self.options[name], list(folders))))
        lists = "".join(
            f'<label>{words} <select name="{name}">{options(folders, self.options.get(name, ""))}</select></label>'
            for name, words in LISTS.items()
        )
        buttons = workload_pages.pages(self.env)
        return [Start("", lists=lists, buttons=buttons)] if buttons else []

    def warn(self, text: str) -> None:
        logger.warning("start: %s", text, location=self.get_location(), type="rosetta", subtype="start")


def form(lists: str, addresses: list[tuple[str, str]]) -> str:
    """The form as HTML. addresses: what each button says, and where it leads."""
    buttons = "".join(f'<button formaction="{escape(to)}">{escape(words)}</button>' for words, to in addresses)
    return f'<form class="rosetta-start" method="get" action="{escape(addresses[0][1])}">{lists}{buttons}</form>'


def _resolve(app: Sphinx, doctree: nodes.document, page: str) -> None:
    for node in list(doctree.findall(Start)):
        buttons = node["buttons"].items()
        addresses = [(f"Translate {network}", app.builder.get_relative_uri(page, to)) for to, network in buttons]
        node.replace_self(nodes.raw("", form(node["lists"], addresses), format="html"))


def setup(app: Sphinx) -> None:
    app.add_node(Start)
    app.add_directive("start", StartDirective)
    app.connect("doctree-resolved", _resolve)
