"""A site with an address: canonical links, cards and a sitemap. Without one: nothing of them."""

from __future__ import annotations

import runpy
import struct
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from _ext.theme import address

DOCS = Path(__file__).resolve().parents[4] / "docs"
URL = "https://example.org/rosetta/"
NAMES = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def properties(html: str) -> dict[str, str]:
    """What the page's card says, by the name of the property."""
    parts = html.split('<meta property="')[1:]
    return {part.split('"')[0]: unescape(part.split('content="')[1].split('"')[0]) for part in parts}


@pytest.fixture
def build(site):
    """build(address, page → text) builds the small site at this address."""
    (site.docs / "pictures").mkdir()
    (site.docs / address.CARD).write_bytes(b"a picture")
    conf = (site.docs / "conf.py").read_text("utf-8")

    def built(url: str, **pages: str) -> None:
        (site.docs / "conf.py").write_text(conf + f'\nhtml_baseurl = "{url}"\nproject = "Stones"\n', "utf-8")
        for name, text in pages.items():
            site.page(name, text)
        assert not site.build()

    return built


def test_without_an_address_nothing_is_added(site, build) -> None:
    build("", other="A text.")
    for page in ("index", "other"):
        assert not properties(site.html(page))
        assert "canonical" not in site.html(page)
        assert "twitter:" not in site.html(page)
    assert not (site.folder / "html" / address.SITEMAP).exists()
    assert not (site.folder / "html" / address.CARD).exists()


def test_a_page_has_its_own_address_and_card(site, build) -> None:
    build(URL, other='Says "a < b" & more.\n\nAnd this no more.')
    html = site.html("other")
    assert f'<link rel="canonical" href="{URL}other.html"' in html
    found = properties(html)
    assert found["og:url"] == URL + "other.html"
    assert found["og:title"] == "other"
    assert found["og:site_name"] == "Stones"
    assert found["og:image"] == URL + address.CARD
    assert found["og:description"] in ('Says "a < b" & more.', "Says “a < b” & more.")
    assert 'content="summary_large_image"' in html
    assert (site.folder / "html" / address.CARD).read_bytes() == b"a picture"


def test_a_long_paragraph_is_cut_between_words(site, build) -> None:
    build(URL, other="word " * 100)
    found = properties(site.html("other"))["og:description"]
    assert found.removesuffix(" …").split() == ["word"] * 40


def test_a_page_without_a_paragraph_has_no_description(site, build) -> None:
    build(URL, other="- a list\n\n```\ncode\n```")
    found = properties(site.html("other"))
    assert found["og:title"] == "other"
    assert "og:description" not in found


def test_the_sitemap_lists_every_page_but_that_for_wrong_addresses(site, build) -> None:
    (site.docs / "404.md").write_text("---\norphan: true\n---\n# Nowhere\n\nNothing.\n", "utf-8")
    build(URL, other="A text.", last="Another.")
    tree = ElementTree.parse(site.folder / "html" / address.SITEMAP)
    assert [it.text for it in tree.iter(NAMES + "loc")] == [URL + f"{p}.html" for p in ("index", "last", "other")]
    assert "canonical" not in site.html("404")
    assert not properties(site.html("404"))


def test_a_site_that_loses_its_address_keeps_nothing_of_it(site, build) -> None:
    build(URL, other="A text.")
    build("")
    assert not properties(site.html("other"))
    assert not (site.folder / "html" / address.SITEMAP).exists()
    assert not (site.folder / "html" / address.CARD).exists()


@pytest.mark.parametrize(("given", "expected"), [(None, ""), ("", ""), (URL, URL), (URL.rstrip("/"), URL)])
def test_the_environment_sets_the_address(monkeypatch, given: str | None, expected: str) -> None:
    monkeypatch.delenv("ROSETTA_SITE_URL", raising=False)
    if given is not None:
        monkeypatch.setenv("ROSETTA_SITE_URL", given)
    assert runpy.run_path(str(DOCS / "conf.py"))["html_baseurl"] == expected


def test_the_card_has_the_size_that_is_asked_for() -> None:
    head = (DOCS / address.CARD).read_bytes()[:24]
    assert struct.unpack(">II", head[16:24]) == (1200, 630)
