"""The page for an address that leads nowhere, `404`: written in Markdown, in a frame of its own.

A server answers with it at any depth of path, and the site may itself lie in any folder, which nobody knows at build
time. So the frame loads nothing, its style is in it, and a few lines of script find the folder for its links.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

PAGE = "404"


def _template_folder(app: Sphinx, config: Config) -> None:
    # A new list: the old one may be Sphinx's own default, which would grow from build to build of one process.
    config.templates_path = [*config.templates_path, str(Path(__file__).parent / "templates")]


def _frame(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> str | None:
    return "notfound.html" if page == PAGE else None


def setup(app: Sphinx) -> None:
    app.connect("config-inited", _template_folder)
    app.connect("html-page-context", _frame)
