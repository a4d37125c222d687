"""Pages of their own: the network, the timeline, what maps to what, the form on the landing page,
the pages of the workloads."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.pages import idioms, landing_form, network, timeline, workload_pages


def setup(app: Sphinx) -> None:
    for module in (network, timeline, idioms, landing_form, workload_pages):
        module.setup(app)
