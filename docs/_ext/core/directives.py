"""Base classes of the site's directives."""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

from _ext.core import store as stores
from rosetta_host.catalog.frameworks import WORKLOADS, nearest


class OfWorkload(SphinxDirective):
    """A directive about one network, its argument: `content_nodes` makes what it shows, of `store` and `workload`."""

    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        stores.note(self.env)
        if self.arguments[0] not in WORKLOADS:
            stores.note_warning(self.env)
            raise self.error(str(nearest("network", self.arguments[0], list(WORKLOADS))))
        self.workload = self.arguments[0]
        return self.content_nodes()

    def content_nodes(self) -> list[nodes.Node]:
        raise NotImplementedError
