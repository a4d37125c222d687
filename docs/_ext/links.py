"""Links from any page to a record's line on the results pages."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from rosetta_common.host.records import Record

from .words import anchor


class RecordLink(nodes.inline):
    """A place holder until all pages are read: then a link, or plain text where no page shows the record."""


def link(record: Record, text: str, title: str = "", classes: tuple[str, ...] = ()) -> RecordLink:
    """A link with this text to the record's line; `title` is what a pointer shows over it."""
    return RecordLink(text, text, anchor=anchor(record), reftitle=title, classes=list(classes))


def target(env: BuildEnvironment, node: nodes.Element, record: Record, title: str) -> None:
    """Make a node the place that `link` leads to."""
    name = anchor(record)
    if name not in env.domains.standard_domain.anonlabels:
        node["ids"].append(name)
        env.domains.standard_domain.note_hyperlink_target(name, env.docname, name, title)


def _resolve(app: Sphinx, doctree: nodes.document, page: str) -> None:
    for node in list(doctree.findall(RecordLink)):
        at, name = app.env.domains.standard_domain.anonlabels.get(node["anchor"], ("", ""))
        text = nodes.inline(node.astext(), node.astext(), classes=node["classes"])
        if at:
            place = ("" if at == page else app.builder.get_relative_uri(page, at)) + f"#{name}"
            node.replace_self(nodes.reference("", "", text, internal=True, refuri=place, reftitle=node["reftitle"]))
        else:
            node.replace_self(text)


def setup(app: Sphinx) -> None:
    app.connect("doctree-resolved", _resolve)
