"""Functions of the examples, side by side, with what is known of how they ran."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.snippets import lexer, repeats, shared_code, snippets


def setup(app: Sphinx) -> None:
    for module in (
        snippets,
        shared_code,
        lexer,
        repeats,
    ):
        module.setup(app)
