"""The pages of defaults: what each framework does unless you say otherwise."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.defaults import defaults, dictionary, operation_pages, probes


def setup(app: Sphinx) -> None:
    for module in (defaults, dictionary, operation_pages, probes):
        module.setup(app)
