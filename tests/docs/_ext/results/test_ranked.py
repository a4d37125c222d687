"""What a reader sees of a ranked sweep."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from shown import Shown, page, text
from sweeping import IDLE, SWEEP, TOWER, disturbed, failed, turns

from rosetta_host.catalog import workloads

TUNED = "train_tuned"


@pytest.fixture
def html(site):
    """Builds the page, and reads it."""

    def build() -> BeautifulSoup:
        site.page("index", "```{ranked}\n```\n\n## Single runs\n\n```{results}\n```")
        assert not site.build()
        return page(site.html("index"))

    return build


def ranked(built: BeautifulSoup) -> list[Shown]:
    return [Shown(table) for table in built.find_all("table", class_="rosetta-ranked")]


def sweep(site) -> None:
    """Ada is the reference, Bell twice as slow, tuned as fast as Ada; Curie failed."""
    site.record("ada", kind="certificate")
    turns(site, "ada", [0.0100, 0.0101, 0.0100, 0.0099, 0.0100])
    turns(site, "bell", [0.0200, 0.0201, 0.0200, 0.0199, 0.0200])
    turns(site, "bell", [0.0100, 0.0101, 0.0099, 0.0101, 0.0100], variant=TUNED)
    turns(site, "bell", [0.0400, 0.0400], variant="train_with_loader")
    disturbed(site, "bell", 9.0)
    failed(site, "curie")


def test_without_a_sweep_nothing_is_said_of_one(site, html) -> None:
    site.record("ada", times=None)
    built = html()
    assert built.h2.get_text().startswith("Single runs")
    assert not built.find(id="ranked")
    assert "sweep" not in built.get_text().lower()


def test_a_sweep_leads_with_a_plot_and_its_ranked_table(site, html) -> None:
    sweep(site)
    built = html()
    plain, variants = ranked(built)
    assert plain.names == ["Ada", "Bell", "Curie"]
    steps = 781  # 50,000 images in batches of 64
    assert plain.row("Ada") == {
        "Framework": "Ada | 1.2",
        "Letters": "a",
        "Step": "10.0 ms | 9.90 ms to 10.1 ms",
        "Ratio": "1.00× | 0.99× to 1.01×",
        "Compile": "5 s",
        "Epoch in total": f"{5 + steps * 0.010:.0f} s",
        "Tuned": "–",
        "Turns": "5",
        "Certificate": "certified ✓",
    }
    bell = plain.row("Bell")
    assert (bell["Letters"], bell["Ratio"]) == ("b", "2.00× | 1.99× to 2.01×")
    assert bell["Tuned"] == "1.00× a | 0.99× to 1.01×"
    assert bell["Turns"] == "5 | 1 disturbed"
    assert variants.names == ["Bell", "Bell"]
    assert [text(line.find_all("td")[5]) for line in variants.lines] == ["tuned", "with its own data loader"]
    assert plain.row("Curie")["Letters"] == "failed: it ate all"
    titles = [heading.get_text().rstrip("¶") for heading in built.find_all("h2")]
    assert titles[:2] == ["Ranked by the time of a step", "Single runs"]
    assert plain.table.find_previous("figure").svg["aria-label"].startswith("Time of a step relative to Ada")
    section = " ".join(built.find(id="ranked").get_text().split())
    assert "You may conclude that" in section
    assert "You may not conclude that" in section
    assert "Accuracies are not ranked." in section


def test_a_caption_says_where_when_beside_what_and_what_is_ranked(site, html) -> None:
    sweep(site)
    caption = ranked(html())[0].caption
    for part in (
        "The desk, on its CPU, 2026-12-03.",
        "Reference: Ada.",
        "17 turns count; disturbed, and not counted: 1.",
        "Ranked is the time of a steady step relative to the reference.",
        "other work took up to 1.0% of the cores",
        "the hypervisor up to 0.2%",
        "a process waited for a core up to 3.0% of the time",
        "at least 3.0 GiB of memory were free",
        "the cores ran at 2.6 GHz or more",
        "the matrix product ran at 190 to 210 GFLOP/s",
    ):
        assert part in caption
    turns(site, "ada", sweep="20270101T000000.000000Z", conditions=None)
    assert ranked(html())[0].caption.endswith("What else the machine did is not recorded.")


def test_a_line_of_older_code_is_stale_and_says_what_changed(site, html) -> None:
    sweep(site)
    path = site.examples / "bell" / "requirements.txt"
    path.write_text("numpy==1\n", "utf-8")
    plain, _ = ranked(html())
    assert plain.row("Bell")["Certificate"] == "no certificate ✗ | stale: timed with another lock"
    assert "is-stale" in plain.line("Bell")["class"]
    assert "is-stale" not in plain.line("Ada").get("class", [])


def test_sweeps_of_two_machines_stand_in_two_tables(site, html) -> None:
    turns(site, "ada", [0.010, 0.010])
    turns(site, "bell", [0.020, 0.020], machine=TOWER)
    turns(site, "curie", [0.030, 0.030], local=True)
    built = html()
    assert [table.names for table in ranked(built)] == [["Bell"], ["Ada"], ["Curie"]]
    places = [heading.get_text().rstrip("¶") for heading in built.select("#ranked h4")]
    assert places == [
        "The tower, on its CPU",
        "The desk, on its CPU",
        "The desk, on its CPU (this machine, just now; not published)",
    ]
    title = workloads.get("cnn").title
    assert [heading.get_text().rstrip("¶") for heading in built.select("#ranked h3")] == [title]


def test_a_single_turn_has_no_interval_and_no_letters(site, html) -> None:
    turns(site, "ada", [0.010], times=None, conditions=IDLE, sweep=SWEEP)
    row = ranked(html())[0].row("Ada")
    assert [row[name] for name in ("Letters", "Step", "Ratio", "Compile")] == ["–", "10.0 ms", "1.00×", "–"]
