"""What a site needs at a public address: canonical links, the card that a link to it unfolds to, and `sitemap.xml`.

Sphinx's `html_baseurl` is the one setting; docs/conf.py reads it from the environment. Without it the site can lie in
any folder of any server: it holds no absolute link to itself, and nothing here adds one.
"""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from docutils import nodes
from markupsafe import Markup
from sphinx.application import Sphinx

from _ext.theme import notfound

SITEMAP = "sitemap.xml"
CARD = "pictures/card.png"  # of 1200 × 630 pixels, the size that most who show cards ask for
LONGEST = 200  # characters of a description; more is cut by whoever shows it


def described(doctree: nodes.document) -> str:
    """A page in a sentence or two: its first paragraph of text, cut between two words."""
    paragraphs = (node for node in doctree.findall(nodes.paragraph) if isinstance(node.parent, nodes.section))
    text = " ".join(next(paragraphs, nodes.paragraph()).astext().split())
    return text if len(text) <= LONGEST else text[:LONGEST].rpartition(" ")[0] + " …"


def _add_card(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if not app.config.html_baseurl or doctree is None or page == notfound.PAGE:
        return
    properties = {
        "og:type": "website",
        "og:site_name": app.config.project,
        "og:title": Markup(context["title"]).striptags(),
        "og:description": described(doctree),
        "og:url": context["pageurl"],
        "og:image": urljoin(app.config.html_baseurl, CARD),
        "og:image:alt": "Two frameworks side by side, one step of the same network in each",
    }
    tags = [f'<meta property="{name}" content="{escape(text)}">' for name, text in properties.items() if text]
    context["metatags"] += "\n".join([*tags, '<meta name="twitter:card" content="summary_large_image">', ""])


def sitemap(addresses: list[str]) -> str:
    """The list of pages in the format of sitemaps.org."""
    urls = "".join(f"<url><loc>{escape(address)}</loc></url>\n" for address in addresses)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n'
    )


def _write_files(app: Sphinx, exception: Exception | None) -> None:
    """Write the sitemap and the card; remove those that a build with an address left, where this one has none."""
    if exception or app.builder.format != "html":
        return
    written, card = Path(app.outdir, SITEMAP), Path(app.outdir, CARD)
    if not app.config.html_baseurl:
        written.unlink(missing_ok=True)
        card.unlink(missing_ok=True)
        return
    pages = sorted(app.env.found_docs - {notfound.PAGE})
    addresses = [urljoin(app.config.html_baseurl, app.builder.get_target_uri(page)) for page in pages]
    written.write_text(sitemap(addresses), "utf-8")
    card.parent.mkdir(exist_ok=True)
    shutil.copyfile(Path(app.srcdir, CARD), card)


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", _add_card)
    app.connect("build-finished", _write_files)
