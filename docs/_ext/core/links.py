"""Links that are resolved once all pages are read: to a record's line, an anchor, a page, a file of the site."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from _ext.core.formatting import anchor
from rosetta_host.records.store import Record


class AnchorLink(nodes.inline):
    """A placeholder until all pages are read: then a link to the id `anchor`, or plain text where no page has it."""


class FileLink(nodes.inline):
    """A placeholder for a link to the file `path`, as seen from the site's root."""


class PageLink(nodes.inline):
    """A placeholder, likewise: then a link to a page of this site, or plain text where there is no such page."""


def page_link(page: str, text: str, address: str) -> PageLink:
    """A link with this text to a page; `address` is what follows the page in it, as `?framework=ID#train`."""
    return PageLink(text, text, page=page, address=address)


def link(record: Record, text: str, title: str = "", classes: tuple[str, ...] = ()) -> AnchorLink:
    """A link with this text to the record's line; `title` is what a pointer shows over it."""
    return AnchorLink(text, text, anchor=anchor(record), reftitle=title, classes=list(classes))


def anchor_link(anchor: str, text: str, classes: tuple[str, ...] = ()) -> AnchorLink:
    """A link with this text to the element with this id, on whichever page it is."""
    return AnchorLink(text, text, anchor=anchor, reftitle="", classes=list(classes))


def site_file(path: str, text: str) -> FileLink:
    """A link with this text to a file that the build puts into the site."""
    return FileLink(text, text, path=path)


def target(env: BuildEnvironment, node: nodes.Element, record: Record, title: str) -> None:
    """Make a node the target of `link`."""
    name = anchor(record)
    if name not in env.domains.standard_domain.anonlabels:
        node["ids"].append(name)
        env.domains.standard_domain.note_hyperlink_target(name, env.docname, name, title)


def _resolve(app: Sphinx, doctree: nodes.document, page: str) -> None:
    for node in list(doctree.findall(AnchorLink)):
        at, name = app.env.domains.standard_domain.anonlabels.get(node["anchor"], ("", ""))
        text = nodes.inline(node.astext(), node.astext(), classes=node["classes"])
        if at:
            address = ("" if at == page else app.builder.get_relative_uri(page, at)) + f"#{name}"
            node.replace_self(nodes.reference("", "", text, internal=True, refuri=address, reftitle=node["reftitle"]))
        else:
            node.replace_self(text)
    up = "../" * page.count("/")
    for file in list(doctree.findall(FileLink)):
        file.replace_self(nodes.reference("", "", nodes.Text(file.astext()), internal=True, refuri=up + file["path"]))
    for to in list(doctree.findall(PageLink)):
        if to["page"] in app.env.found_docs:
            address = app.builder.get_relative_uri(page, to["page"]) + to["address"]
            to.replace_self(nodes.reference("", to.astext(), internal=True, refuri=address))
        else:
            to.replace_self(nodes.inline("", to.astext()))


def setup(app: Sphinx) -> None:
    app.connect("doctree-resolved", _resolve)
