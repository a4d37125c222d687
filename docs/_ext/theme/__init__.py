"""What the theme lacks: repairs of its pages, styles, the 404 page, the site's address."""

from __future__ import annotations

from sphinx.application import Sphinx

from _ext.theme import address, inline_css, notfound, theme_fixes


def setup(app: Sphinx) -> None:
    for module in (notfound, address, theme_fixes, inline_css):
        module.setup(app)
