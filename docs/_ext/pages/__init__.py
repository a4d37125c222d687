"""Pages of their own: the network, the timeline, downloads, the form on the landing page. Imports core and snippets."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.pages import downloads, feeds, landing_form, network, timeline


def setup(app: Sphinx) -> None:
    for module in (
        downloads,
        feeds,
        network,
        timeline,
        landing_form,
    ):
        module.setup(app)
