"""What every kind of page uses: the records and frameworks of this build, nodes, links, numbers in words."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.core import answers, elements, links, numbers, store


def setup(app: Sphinx) -> None:
    for module in (store, answers, elements, links, numbers):
        module.setup(app)
