"""Pages of their own: the network, the timeline, the form on the landing page."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.pages import landing_form, network, timeline


def setup(app: Sphinx) -> None:
    for module in (network, timeline, landing_form):
        module.setup(app)
