"""The examples' code: functions side by side, how they ran, and the files to download."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.snippets import downloads, feeds, lexer, repeats, shared_code, snippets


def setup(app: Sphinx) -> None:
    for module in (downloads, snippets, feeds, shared_code, lexer, repeats):
        module.setup(app)
