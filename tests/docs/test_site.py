"""The real site builds without a warning, and a browser finds all of it without a network."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """Ids, references and what a browser would load."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.references: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(values["id"])
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if values.get(LOADED.get(tag, "")):
            self.loads.append(values[LOADED[tag]])
        for name in ("aria-controls", "aria-labelledby", "for"):
            self.references += (values.get(name) or "").split()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "--keep-going", "-d", out / "trees"]
    done = subprocess.run([*command, ROOT / "docs", out / "html"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return out / "html"


@pytest.fixture(scope="module")
def pages(built: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in built.rglob("*.html") if "_static" not in path.parts}


def test_ids_are_unique_and_found(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), f"{path.name}: an id stands twice"
        assert set(page.references) <= set(page.ids), path.name


def test_every_link_leads_somewhere(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert there.exists(), f"{path.name}: {link}"
            if parts.fragment and there in pages:
                assert unquote(parts.fragment) in pages[there].ids, f"{path.name}: {link}"


def test_nothing_comes_from_elsewhere(built: Path, pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        assert not [url for url in page.loads if urlsplit(url).netloc], path.name
    for sheet in built.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()[^;)]*https?:", sheet.read_text("utf-8")), sheet.name


def test_a_page_is_light(built: Path) -> None:
    """What a first visit loads besides the page itself: no web font, and no library to speak of."""
    assert not list(built.rglob("*.woff*"))
    own = [*(ROOT / "docs" / "_static").glob("*.js"), *(ROOT / "docs" / "_ext").glob("*.js")]
    assert own
    assert sum(len(gzip.compress(path.read_bytes())) for path in own) <= 10_000


@pytest.mark.parametrize("name", ["index", "certificates"])
def test_a_page_of_results_is_light(built: Path, pages: dict[Path, Page], name: str) -> None:
    """All that a first visit loads, compressed as a server does it."""
    page = built / "results" / f"{name}.html"
    loaded = {(page.parent / urlsplit(url).path).resolve() for url in pages[page].loads}
    files = [page, *(path for path in loaded if path.suffix in (".css", ".js"))]
    assert len(files) > 3
    assert sum(len(gzip.compress(path.read_bytes(), 9, mtime=0)) for path in files) < 100_000
