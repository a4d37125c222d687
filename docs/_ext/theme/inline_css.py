"""Puts the style sheets into the pages, so that the first paint needs one round trip to the server.

On a slow phone network, a second round trip takes over half a second. The price is 16 kB on every page. The sheet of
myst-nb, a third of them all, is left out: it is for executed notebooks, and no page holds one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from furo import get_pygments_stylesheet
from markupsafe import Markup
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

FOR_NOTEBOOKS = "_static/mystnb."
PYGMENTS = "_static/pygments.css"  # the theme writes its own, which knows the dark, only after the pages
RELATIVE = re.compile(r"@import|url\((?!['\"]?data:)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def sheet(path: Path) -> str:
    """The text of a style sheet, fit to stand in a page at any depth. Raises ExtensionError where it is not."""
    text = path.read_text("utf-8")
    if RELATIVE.search(text):
        raise ExtensionError(f"styles: {path.name} loads another file, so it cannot stand in the pages")
    return text


def _put_in(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    def styles() -> Markup:
        names = [str(css.filename) for css in context["css_files"]]
        wanted = [name for name in names if not name.startswith(FOR_NOTEBOOKS)]
        texts = [get_pygments_stylesheet() if n == PYGMENTS else sheet(Path(app.outdir, n)) for n in wanted]
        return Markup(COMMENT.sub("", "\n".join(texts)))

    context["styles"] = styles  # called by _templates/page.html, once all sheets are known


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", _put_in)
