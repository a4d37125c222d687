"""The pages of defaults: what each framework does where nothing is said. Imports core and snippets."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.defaults import answers, defaults, probes


def setup(app: Sphinx) -> None:
    for module in (
        answers,
        defaults,
        probes,
    ):
        module.setup(app)
