"""Repairs of what the theme gets wrong in its HTML, each with the reason."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from markupsafe import Markup
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform


class OneId(SphinxPostTransform):
    """Furo wraps each table in a box and gives the box the table's id as well; an id may stand once only."""

    default_priority = 600  # after furo's own, 500
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        for node in self.document.findall(nodes.table):
            if "table-wrapper" in node.parent["classes"]:
                node.parent["ids"] = []


def _heading_levels(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Sphinx gives the captions of the navigation the role of a heading and no level."""
    name = "furo_navigation_tree"
    if name in context:
        context[name] = context[name].replace('role="heading"', 'role="heading" aria-level="2"')


# What stands in the theme's page -> what should.
REPAIRS = {
    # Two landmarks of one kind need names, or who hears the page cannot tell them apart.
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="Site">',
    '<aside class="toc-drawer': '<aside aria-label="This page" class="toc-drawer',
    # The first stop of the keyboard is the way past all that stands before the text.
    '<a class="skip-to-content muted-link" href="#furo-main-content">Skip to content</a>': "",
    # The switches of the two drawers are hidden even from the keyboard. rosetta.css shows them to it, and all that can
    # be operated belongs in a landmark.
    '<input type="checkbox" class="sidebar-toggle" name="__navigation"': (
        '<a class="skip-to-content muted-link" href="#furo-main-content">Skip to content</a>\n'
        '<nav aria-label="Drawers"><input type="checkbox" class="sidebar-toggle" name="__navigation"'
    ),
    '<label class="overlay sidebar-overlay"': '</nav>\n<label class="overlay sidebar-overlay"',
}


def repaired(body: str) -> Markup:
    """The body of a page, put right. What is not found any more is an error: the theme has changed."""
    for wrong, right in REPAIRS.items():
        if wrong not in body:
            raise ExtensionError(f"repairs: the theme's pages hold no {wrong!r} any more")
        body = body.replace(wrong, right)
    return Markup(body)


def _add_filter(app: Sphinx) -> None:
    templates = getattr(app.builder, "templates", None)  # of HTML builders alone
    if templates:
        templates.environment.filters["repaired"] = repaired


def setup(app: Sphinx) -> None:
    app.add_post_transform(OneId)
    app.connect("builder-inited", _add_filter)
    app.connect("html-page-context", _heading_levels, priority=900)  # after furo has made the tree
