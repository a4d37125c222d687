"""The site's own directives and roles. Each module says what it adds; none runs a framework or uses the network."""

from __future__ import annotations

from sphinx.application import Sphinx

from . import (
    address,
    answers,
    certificates,
    choice,
    compiled,
    defaults,
    downloads,
    elements,
    feeds,
    forms,
    glance,
    helpers,
    incremental,
    installs,
    lessons,
    lexer,
    links,
    loaders,
    museum,
    network,
    notfound,
    numbers,
    patches,
    probes,
    repairs,
    repeats,
    results,
    snippets,
    start,
    store,
    styles,
    tables,
    transfer,
)


def setup(app: Sphinx) -> dict[str, bool | int]:
    app.setup_extension("sphinx_tabs.tabs")
    for module in (
        store,
        answers,
        incremental,
        elements,
        downloads,
        links,
        snippets,
        numbers,
        feeds,
        choice,
        results,
        glance,
        helpers,
        certificates,
        tables,
        transfer,
        defaults,
        probes,
        network,
        museum,
        start,
        lessons,
        lexer,
        patches,
        loaders,
        compiled,
        forms,
        installs,
        notfound,
        repairs,
        repeats,
        styles,
        address,
    ):
        module.setup(app)
    app.add_js_file("rosetta.js")
    app.add_css_file("rosetta.css")
    return {"env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
