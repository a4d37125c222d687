"""The site's own directives and roles, a package a kind of page. None runs a framework or uses the network."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext import core, defaults, freshness, lessons, pages, results, snippets, theme, transfer


def setup(app: Sphinx) -> dict[str, bool | int]:
    app.setup_extension("sphinx_tabs.tabs")
    for package in (core, snippets, results, lessons, defaults, transfer, freshness, pages, theme):
        package.setup(app)
    app.add_js_file("rosetta.js")
    app.add_css_file("rosetta.css")
    return {"env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
