"""The page of transferred weights."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.transfer import transfer


def setup(app: Sphinx) -> None:
    for module in (transfer,):
        module.setup(app)
