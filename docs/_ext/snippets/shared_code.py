"""`{helpers} NETWORK`: the hyperparameters and the mini-batches that the snippets of a network read, to copy."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

from _ext.core.directives import OfWorkload
from rosetta_host.publishing import standalone


class Helpers(OfWorkload):
    """One block of code, cut from the shared modules."""

    def content_nodes(self) -> list[nodes.Node]:
        text = standalone.read_by_snippets(self.workload)
        return [nodes.literal_block(text, text, language="python", classes=["rosetta-helpers"])]


def setup(app: Sphinx) -> None:
    app.add_directive("helpers", Helpers)
