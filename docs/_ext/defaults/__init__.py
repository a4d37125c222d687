"""The pages of defaults: what each framework does unless you say otherwise."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.defaults import defaults, probes


def setup(app: Sphinx) -> None:
    for module in (defaults, probes):
        module.setup(app)
