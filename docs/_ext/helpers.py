"""`{helpers} cnn`: the hyper-parameters and the mini-batches that the snippets of a workload read, as code to copy."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from rosetta_common.host import standalone
from rosetta_common.host.catalogue import WORKLOADS, nearest

from . import store as stores

logger = logging.getLogger(__name__)


class Helpers(SphinxDirective):
    """One block of code, cut from the shared modules."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        stores.note(self.env, *(standalone.SHARED / f"{name}.py" for name in ("data", "params")))
        (workload,) = self.arguments
        if workload not in WORKLOADS:
            text = str(nearest("workload", workload, list(WORKLOADS)))
            logger.warning("helpers: %s", text, location=self.get_location(), type="rosetta", subtype="helpers")
            stores.note_warning(self.env)
            return []
        text = standalone.helpers(workload)
        return [nodes.literal_block(text, text, language="python")]


def setup(app: Sphinx) -> None:
    app.add_directive("helpers", Helpers)
