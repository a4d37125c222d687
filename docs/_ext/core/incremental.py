"""A build on what an earlier one left gives the site that a build from scratch would give.

Each page notes what it shows: see store.py. The rest is here. Sphinx knows nothing of this project's code; it writes
only the pages that it read again, though every page shows the navigation, refers to places on other pages, and names
scripts and style sheets with their digests; and it leaves the file of a page that is gone.
"""

from __future__ import annotations

import functools
import hashlib
from importlib.metadata import distributions
from pathlib import Path

from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment

from _ext.core.store import digest
from rosetta_host.catalog.frameworks import ROOT

CODE = ("docs/_ext", "rosetta_common", "rosetta_host")  # what makes the pages


def _is_new(env: BuildEnvironment, key: str, value: str) -> bool:
    """Whether this differs from the last build's; an attribute, so that Sphinx keeps it from build to build."""
    before = vars(env).get(key)
    vars(env)[key] = value
    return before != value


@functools.cache  # a fifth of the build of a small site: each name is read from a file of its own
def _packages() -> list[str]:
    """The names and versions of what is installed."""
    return sorted(f"{found.name} {found.version}" for found in distributions())


def _makers() -> str:
    """A digest of what makes the pages: this project's modules, and the names and versions of installed packages."""
    modules = digest(
        sorted(path for folder in CODE for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".js"))
    )
    return hashlib.sha256(repr((modules, _packages())).encode()).hexdigest()


def _shown_everywhere(app: Sphinx, env: BuildEnvironment) -> str:
    """A digest of titles, navigation, the places that can be referred to, scripts and style sheets, and the settings.

    Of those Sphinx knows a few only: the style of code in the dark stands in each page, and had stayed the old one.
    """
    titles = {page: title.astext() for page, title in env.titles.items()}
    trees = [
        (page, tree.get("caption"), tree["entries"])
        for page, contents in sorted(env.tocs.items())
        for tree in contents.findall(addnodes.toctree)
    ]
    places = sorted(env.domains.standard_domain.anonlabels.items())
    headings = sorted((page, sorted(known.get("myst_slugs", ()))) for page, known in env.metadata.items())
    static = [Path(app.confdir, folder) for folder in app.config.html_static_path]
    files = digest([Path(app.confdir, "conf.py"), *sorted(path for folder in static for path in folder.rglob("*"))])
    return hashlib.sha256(repr((sorted(titles.items()), trees, places, headings, files)).encode()).hexdigest()


def _outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    return sorted(env.found_docs) if _is_new(env, "rosetta_makers", _makers()) else []


def _to_write(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """All pages, where something changed that all of them show."""
    return sorted(env.found_docs) if _is_new(env, "rosetta_shown", _shown_everywhere(app, env)) else []


class _Sweep:
    """Removes pages that this build neither wrote nor would have written, had their source changed."""

    def __init__(self) -> None:
        self.written: set[str] = set()  # among them the pages that no source stands for, as the search

    def note(self, app: Sphinx, page: str, *context: object) -> None:
        self.written.add(page)

    def remove(self, app: Sphinx, failure: Exception | None) -> None:
        if failure or not isinstance(app.builder, StandaloneHTMLBuilder):
            return
        kept = {Path(app.builder.get_outfilename(page)) for page in self.written | app.env.found_docs}
        for path in Path(app.outdir).rglob("*.html"):
            if path not in kept and not path.relative_to(app.outdir).parts[0].startswith("_"):
                path.unlink()


def setup(app: Sphinx) -> None:
    sweep = _Sweep()
    app.connect("html-page-context", sweep.note)
    app.connect("build-finished", sweep.remove)
    app.connect("env-get-outdated", _outdated)
    app.connect("env-updated", _to_write)
