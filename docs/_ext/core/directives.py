"""Base classes of the site's directives."""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

from _ext.core import store as stores
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import nearest


class OfWorkload(SphinxDirective):
    """A directive about one network, its argument: `content_nodes` makes what it shows, of `store` and `workload`."""

    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        names = workloads.names()
        if self.arguments[0] not in names:
            raise self.error(str(nearest("network", self.arguments[0], list(names))))
        self.workload = self.arguments[0]
        return self.content_nodes()

    @property
    def title(self) -> str:
        """The network's name in a caption."""
        return workloads.get(self.workload).title

    def content_nodes(self) -> list[nodes.Node]:
        raise NotImplementedError


class OfWorkloads(OfWorkload):
    """The same, with an optional argument: without it, all networks are shown, each under its title."""

    required_arguments, optional_arguments = 0, 1

    def run(self) -> list[nodes.Node]:
        if self.arguments:
            return super().run()
        return [self.section(name) for name in workloads.names()]

    def section(self, name: str) -> nodes.section:
        self.arguments = [name]
        anchor = nodes.make_id(f"{self.name}-{name}")
        title = nodes.title("", workloads.get(name).title)
        return nodes.section("", title, *super().run(), ids=[anchor], names=[anchor])
