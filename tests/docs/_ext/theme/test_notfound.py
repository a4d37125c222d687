"""The page for an address that leads nowhere, served as a static server does."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--virtual-time-budget=5000", "--dump-dom"]

# The head of the real page, and a text whose link is of this small site.
HEAD = (Path(__file__).resolve().parents[4] / "docs" / "404.md").read_text("utf-8").split("---")[1]
TEXT = f"---{HEAD}---\n# Nowhere\n\n[Another page](deep/page.md)\n"


@pytest.fixture
def html(site) -> str:
    (site.docs / "404.md").write_text(TEXT, "utf-8")
    (site.docs / "deep").mkdir()
    (site.docs / "deep" / "page.md").write_text("---\norphan: true\n---\n# Page", "utf-8")
    assert not site.build()
    return site.html("404")


def test_it_loads_nothing_and_names_no_absolute_path(html: str) -> None:
    assert "<h1>Nowhere" in html
    assert "<title>Nowhere –" in html
    assert '<link rel="icon" href="data:,">' in html  # or a browser asks the server's root for one
    assert not re.search(r"<link(?! rel=.icon. href=.data:)|<(img|iframe)\b|<script[^>]+src|url\(", html)
    assert not re.search(r'(href|src)="(/|https?:)', html)


def test_other_pages_keep_their_frame(site, html: str) -> None:
    assert "noindex" in html
    assert "noindex" not in site.html("index")


def test_it_is_not_found_by_searching(site, html: str) -> None:
    index = (site.folder / "html" / "searchindex.js").read_text("utf-8")
    assert "nowher" not in index.lower()


class Handler(SimpleHTTPRequestHandler):
    """Answers what is not there with the site's own page, as static servers do."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = Path(self.directory, "some", "folder", "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.skipif(BROWSER is None, reason="no Chromium")
@pytest.mark.parametrize("address", ["x", "x.html", "deep/x.html", "a/b/c/", "a/b/c/d.html?framework=ada"])
def test_its_links_lead_into_the_site_from_any_depth(site, html: str, tmp_path: Path, address: str) -> None:
    root = tmp_path / "server"
    shutil.copytree(site.folder / "html", root / "some" / "folder")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}/some/folder/"
        command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", base + address]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        server.shutdown()
    assert f'<base href="{base}">' in dom
    assert 'href="deep/page.html"' in dom
