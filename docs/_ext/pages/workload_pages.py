"""A workload's page: `workloads/<name>/page.md` is laid out as translate/<name>.md when a build starts.

Sphinx reads pages below docs/ only, and all that is known of a workload is below workloads/. Git ignores the copies.
The links of a page lead from where it is laid out.
`{translations} TEXT` is a paragraph of the text and links to all of these pages.
"""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from _ext.core.laid_out import lay_out
from _ext.core.links import page_link
from rosetta_host.catalog import workloads

FOLDER = "translate"


def pages(env: BuildEnvironment) -> dict[str, str]:
    """Page -> what to call its network, of the workloads that have a page."""
    every = {f"{FOLDER}/{name}": workloads.get(name).network for name in workloads.names()}
    return {page: network for page, network in every.items() if page in env.found_docs}


class Translations(SphinxDirective):
    """The links."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        links = [page_link(page, network, "") for page, network in pages(self.env).items()]
        if not links:
            return []
        paragraph = nodes.paragraph("", f"{self.arguments[0]} ")
        for link in links:
            paragraph += [link, nodes.Text(", ")]
        paragraph[-1] = nodes.Text(".")
        return [paragraph]


def _start(app: Sphinx) -> None:
    sources = Path(app.confdir, app.config.rosetta_workloads).glob("*/page.md")
    lay_out(Path(app.srcdir, FOLDER), {path.parent.name: path.read_bytes() for path in sources})


def setup(app: Sphinx) -> None:
    app.add_config_value("rosetta_workloads", "../workloads", "env")
    app.connect("builder-inited", _start)
    app.add_directive("translations", Translations)
