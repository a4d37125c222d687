"""The frameworks' lives."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from _ext.pages.timeline import time_line

ALL = "# Active\n\n```{museum} living\n```\n\n# Retired\n\n```{museum} retired\n```"


def declare(site, name: str, text: str) -> None:
    toml = site.examples / name / "framework.toml"
    toml.write_text(text + toml.read_text("utf-8"), "utf-8")


@pytest.fixture
def text(site):
    def build(page: str = ALL) -> str:
        site.page("index", page)
        assert not site.build()
        return " ".join(re.sub(r"<[^>]+>", " ", site.html("index")).split())

    return build


def test_the_living_stand_apart_from_the_retired_the_oldest_first(site, text) -> None:
    declare(site, "ada", "retired = true\n")
    toml = site.examples / "curie" / "framework.toml"
    toml.write_text(toml.read_text("utf-8").replace('"2016"', '"2014"'), "utf-8")
    page = text()
    places = [page.index(f" {name} ") for name in ("Active", "Curie", "Bell", "Retired", "Ada")]
    assert places == sorted(places)


def test_a_life(site, text) -> None:
    life = 'last_release = "0.9"\nretired = true\nsuccessor = "Ada"\nwhy_alive = "It was first."\nneeds = "A stub."\n'
    declare(site, "bell", life)
    page = text()
    expected = "It was first. First release 2016 Last release 0.9 Successor Ada Runs here not run yet, on Python 3.11"
    assert expected in page
    assert "Needs today A stub. See its code here · home page" in page
    assert page.count("Only its packages.") == 2
    assert 'id="bell"' in site.html("index")


def test_it_runs_here_as_the_newest_record_and_its_certificate_say(site, text) -> None:
    site.record("ada", version="1.1", created="20260101T000000.000000Z")
    site.record("ada", kind="certificate", version="1.1", created="20260102T000000.000000Z")
    assert "1.1, on Python 3.11 · CNN certified ✓" in text()
    site.record("ada", version="1.2", created="20260103T000000.000000Z", status="failed", reason="out of disk")
    assert "1.2, on Python 3.11 · CNN failed: out of disk" in text()


def test_it_is_the_locked_environment_that_it_runs_in_here(site, text) -> None:
    site.record("ada", version="1.1", created="20260101T000000.000000Z")
    site.record("ada", version="1.3", created="20260102T000000.000000Z", environment="as found", device="gpu")
    assert "1.1, on Python 3.11" in text()


def test_a_verdict_leads_to_the_record_and_the_code_to_its_page(site) -> None:
    record = site.record("ada")
    site.page("index", ALL + "\n\n```{results} cnn\n```")
    (site.docs / "concepts").mkdir()
    (site.docs / "concepts" / "whole.md").write_text("---\norphan: true\n---\n# All", "utf-8")
    assert not site.build()
    html = site.html("index")
    assert re.search(rf'href="#([\w-]*{record.framework}[\w-]*)"[^>]*><span>no certificate ✗', html)
    assert 'href="concepts/whole.html?framework=ada"' in html


def test_back_ends_share_a_section_and_say_what_each_needs(site, text) -> None:
    tables = "".join(f'[backend.{b}]\nname = "Bell on {b}"\nneeds = "{b} itself."\n' for b in ("x", "y"))
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + tables, "utf-8")
    site.record("bell-y")
    page = text()
    assert "Bell on x: not run yet, on Python 3.11 · CNN not run yet Bell on y: 1.2, on Python 3.11" in page
    assert "Needs today Bell on x: x itself. Bell on y: y itself." in page
    assert page.count("First release") == 3


def test_where_there_is_none_it_says_so(text) -> None:
    assert "There is none." in text()


def test_the_time_line_has_a_ring_for_what_ended_and_a_line_for_what_goes_on() -> None:
    root = ElementTree.fromstring(time_line([("Ada", 2010, True), ("Bell & Co", 2020, False)], 2026))
    assert root.attrib["role"] == "img"
    ring, dot = root.iter("circle")
    assert ring.attrib["fill"] == "var(--color-background-primary)"
    assert dot.attrib["fill"] == "var(--rosetta-bar)"
    assert float(ring.attrib["cx"].rstrip("%")) < float(dot.attrib["cx"].rstrip("%")) < 95
    lines = [line.attrib for line in root.iter("line") if line.attrib["stroke"] == "var(--rosetta-bar)"]
    assert [(line["x1"], line["x2"]) for line in lines] == [(dot.attrib["cx"], "100%")]
    written = [element.text for element in root.iter("text")]
    assert written[-2:] == ["Ada", "Bell & Co"]
    assert [int(year) for year in written[:-2]] == list(range(2010, 2027, 3))


def test_the_time_line_of_one_year() -> None:
    assert "Ada" in time_line([("Ada", 2020, False)], 2020)


def test_the_time_line_ends_with_the_newest_run_of_this_project(site, text) -> None:
    site.record(created="20280101T000000.000000Z")
    site.record(created="20400101T000000.000000Z", historic=True)
    page = text("```{museum} time-line\n```")
    assert "2028" in page
    assert "2040" not in page


def test_a_year_that_is_none_is_named(site) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8").replace('"2016"', '"long ago"'), "utf-8")
    site.page("index", "```{museum} time-line\n```")
    assert "index.md:6: WARNING: museum: bell/framework.toml: since = 'long ago' is not a year." in site.build()
    assert "Ada" in site.html("index")
    assert "Bell" not in site.html("index")


def test_an_unknown_hall_is_an_error(site) -> None:
    site.page("index", "```{museum} retird\n```")
    assert "index.md:6: ERROR: There is no part of the museum 'retird': did you mean 'retired'?" in site.build()
