"""The page of what has changed since the records were made."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.freshness import freshness


def setup(app: Sphinx) -> None:
    for module in (freshness,):
        module.setup(app)
