"""The built site as a browser meets it: its pages, found by walking it; a server for them; the machine's Chromium.

For tests/site and tools/screenshots.py, in the environment of the session `site`.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "docs" / "_build" / "html"
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
REFERRING = ("aria-controls", "aria-labelledby", "aria-describedby", "for")


@dataclass
class Page:
    """What one page holds; `address` is relative to the site's root, as `concepts/training.html`."""

    address: str
    size: int  # bytes
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)  # ids that its elements name
    kinds: set[tuple[str, str]] = field(default_factory=set)  # the tags and classes of its elements
    sets: list[list[str]] = field(default_factory=list)  # the frameworks of each set of tabs, in their order

    @property
    def frameworks(self) -> list[str]:
        """All frameworks that a set of tabs offers, in the order in which the page first names them."""
        return list(dict.fromkeys(name for names in self.sets for name in names))


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        classes = values.get("class", "").split()
        self.page.kinds.add((tag, " ".join(sorted(classes))))
        if values.get("id"):
            self.page.ids.append(values["id"])
        if tag == "a" and values.get("href"):
            self.page.links.append(values["href"])
        if values.get(LOADED.get(tag, "")):
            self.page.loads.append(values[LOADED[tag]])
        for name in REFERRING:
            self.page.references += values.get(name, "").split()
        if "rosetta-tabs" in classes:
            self.page.sets.append([])
        if values.get("role") == "tab" and "data-framework" in values:
            self.page.sets[-1].append(values["data-framework"])


def read_pages(root: Path = BUILT) -> dict[str, Page]:
    """Every page of the built site, by its address."""
    pages = {}
    for path in sorted(root.rglob("*.html")):
        if "_static" in path.parts:
            continue
        text = path.read_text("utf-8")
        page = Page(path.relative_to(root).as_posix(), len(text))
        _Reader(page).feed(text)
        pages[page.address] = page
    return pages


def one_of_each(pages: dict[str, Page]) -> list[Page]:
    """The fewest pages that show every kind of element, tag and classes, that a page of the site shows.

    Found greedily: the page with the most kinds that no chosen one has, the smaller of two.
    """
    left = set().union(*(page.kinds for page in pages.values()))
    chosen: list[Page] = []
    while left:
        chosen.append(max(pages.values(), key=lambda page: (len(page.kinds & left), -page.size)))
        left -= chosen[-1].kinds
    return chosen


class _Files(SimpleHTTPRequestHandler):
    """Static files as they are, on connections that stay open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args: object) -> None:
        """Say nothing: a test tells what it asked for."""


@cache
def compressed(path: Path) -> bytes:
    """A file as a host sends it."""
    return gzip.compress(path.read_bytes(), 6)


class _Compressed(_Files):
    """Files compressed, as hosts send them."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(compressed(path))))
        self.end_headers()
        self.wfile.write(compressed(path))


@contextmanager
def served(root: Path = BUILT, compress: bool = False) -> Iterator[str]:
    """Serve a folder on this machine; gives the address of its root, which ends in a slash."""
    handler = _Compressed if compress else _Files
    with ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: handler(*args, directory=str(root))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, without a window, and with no way to another machine."""
    path = os.environ.get("ROSETTA_CHROMIUM")
    if not path:
        raise RuntimeError("ROSETTA_CHROMIUM names no browser: the session `site` sets it")
    options = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()
