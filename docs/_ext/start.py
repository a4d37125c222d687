"""`{start}`: which framework one knows and which one needs, as a plain form: it needs no script to be sent.

Each line of its content is a button, "The CNN: concepts/whole#cnn": what it says, and the page that the form leads to
with `?from=…&to=…`. `:from:` and `:to:` are what is chosen at first.
"""

from __future__ import annotations

from typing import ClassVar
from xml.etree import ElementTree

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

from rosetta_common.host.catalogue import nearest

from . import store as stores
from .museum import folders

logger = logging.getLogger(__name__)


class Start(nodes.General, nodes.Element):
    """A place holder until all pages are read: then the form, with addresses."""


class StartDirective(SphinxDirective):
    """The form."""

    has_content = True
    option_spec: ClassVar[OptionSpec] = {"from": directives.unchanged_required, "to": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        store = stores.store(self.config)
        stores.note(self.env)
        named = sorted(((rows[0].title, rows[0]) for rows in folders(store)), key=lambda pair: pair[0].lower())
        known = {row.folder.name: (title, row.framework.retired) for title, row in named}
        for option in ("from", "to"):
            if self.options.get(option, next(iter(known))) not in known:
                self.warn(str(nearest("framework", self.options[option], list(known))))
        buttons = [tuple(part.strip() for part in line.rsplit(":", 1)) for line in self.content if line.strip()]
        for button in buttons:
            if len(button) != 2 or button[1].partition("#")[0] not in self.env.found_docs:
                self.warn(f"{': '.join(button)!r} names no page of this site, as in 'The CNN: concepts/whole#cnn'")
        chosen = {option: self.options.get(option, "") for option in ("from", "to")}
        return [Start("", known=known, chosen=chosen, buttons=[button for button in buttons if len(button) == 2])]

    def warn(self, text: str) -> None:
        logger.warning("start: %s", text, location=self.get_location(), type="rosetta", subtype="start")
        stores.note_warning(self.env)


def form(node: Start, addresses: list[tuple[str, str]]) -> str:
    """The form as HTML. addresses: what each button says, and where it leads."""
    root = ElementTree.Element("form", {"class": "rosetta-start", "method": "get", "action": addresses[0][1]})
    for name, words in (("from", "I know"), ("to", "and need")):
        label = ElementTree.SubElement(root, "label")
        label.text = f"{words} "
        select = ElementTree.SubElement(label, "select", {"name": name})
        for group, retired in (("Living", False), ("Retired", True)):
            titles = {key: title for key, (title, ended) in node["known"].items() if ended == retired}
            options = ElementTree.SubElement(select, "optgroup", {"label": group}) if titles else select
            for key, title in titles.items():
                chosen = {"selected": ""} if key == node["chosen"][name] else {}
                ElementTree.SubElement(options, "option", {"value": key, **chosen}).text = title
    for words, address in addresses:
        ElementTree.SubElement(root, "button", {"formaction": address}).text = words
    return ElementTree.tostring(root, encoding="unicode", method="html")


def _resolve(app: Sphinx, doctree: nodes.document, page: str) -> None:
    for node in list(doctree.findall(Start)):
        addresses = []
        for words, target in node["buttons"]:
            to, hash_, place = target.partition("#")
            if to in app.env.found_docs:
                address = app.builder.get_relative_uri(page, to) + hash_ + place
                addresses.append((words, address or "#"))  # an empty address is no valid one
        node.replace_self([nodes.raw("", form(node, addresses), format="html")] if addresses else [])


def setup(app: Sphinx) -> None:
    app.add_node(Start)
    app.add_directive("start", StartDirective)
    app.connect("doctree-resolved", _resolve)
