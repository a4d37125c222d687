"""Tables and plots of records."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from _ext.plots import Bar, bars
from _ext.results import lines
from _ext.store import Store

from rosetta_common.host.records import Check, Data, Machine, Times

OTHER = Machine("tower", "The tower", gpu="A large one", memory=8 * 2**30)


@pytest.fixture
def text(site):
    """Builds the results page; a table's row is one line, its cells divided by bars."""

    def build(directive: str = "results") -> str:
        site.page("index", f"```{{{directive}}} cnn\n```")
        assert not site.build()
        page = re.search(r'<div class="body" role="main">(.*)<div class="clearer">', site.html("index"), re.DOTALL)[1]
        page = re.sub(r"</t[hd]>\s*", " | ", re.sub(r"\n", " ", page))
        page = re.sub(r"</(tr|p|h\d|caption|table|svg)>(?! \|)", "\n", page)
        return re.sub(r"[ \t]+", " ", re.sub(r"<[^>]+>", "", page))

    return build


def store_of(site) -> Store:
    store = Store(site.examples, [site.docs / "records", site.docs / "local"])
    store.load()
    return store


def test_a_row_holds_what_a_reader_asks_for(site, text) -> None:
    site.record(times=Times(train=100.4), epochs=10, train_rate=4980.0)
    site.record(kind="parity")
    row = "Ada | 1.2 | 75.0% | 100 s | 4,980 | 10 | certified ✓ | ok | 2026-01-02 |"
    assert row in text()
    assert "An honest processor · 2 cores" in text()


def test_a_failure_stays_with_its_reason_below_the_successes(site, text) -> None:
    site.record("ada", status="timeout", reason="no epoch ended in 900 s", accuracy=None, times=None)
    site.record("bell", times=Times(train=500.0))
    page = text()
    assert "Ada | 1.2 | – | – |" in page
    assert "timeout: no epoch ended in 900 s" in page
    assert page.index("Bell |") < page.index("Ada |")


def test_the_certified_stand_first_and_then_the_fast(site) -> None:
    for name, seconds in (("ada", 1.0), ("bell", 3.0), ("curie", 2.0)):
        site.record(name, times=Times(train=seconds))
    for name in ("bell", "curie"):
        site.record(name, kind="parity")
    store = store_of(site)
    found = lines(store, store.of(kind="benchmark"))
    assert [line.record.framework for line in found] == ["curie", "bell", "ada"]


def test_the_newest_run_is_shown_with_the_seeds_that_ran_alike(site) -> None:
    site.record(created="20260101T000000.000000Z", seed=0, accuracy=0.1, version="1.1")
    site.record(created="20260101T000001.000000Z", seed=4, accuracy=0.2, digests={"example": "other"})
    site.record(created="20260102T000000.000000Z", seed=0, accuracy=0.7)
    site.record(created="20260103T000000.000000Z", seed=1, accuracy=0.8)
    site.record(created="20260104T000000.000000Z", seed=2, accuracy=None, times=None, status="oom")
    site.record(created="20260105T000000.000000Z", seed=3, accuracy=0.9)
    store = store_of(site)
    (line,) = lines(store, store.of(kind="benchmark"))
    mean, deviation = line.accuracy
    assert mean == pytest.approx(0.8)
    assert deviation == pytest.approx(0.1)
    assert line.record.seed == 3


def test_a_new_failure_hides_an_old_success(site) -> None:
    site.record(created="20260101T000000.000000Z")
    site.record(created="20260102T000000.000000Z", status="failed", reason="it no longer installs")
    store = store_of(site)
    (line,) = lines(store, store.of(kind="benchmark"))
    assert line.record.status == "failed"
    assert line.time is None


def test_machines_lanes_and_devices_are_never_mixed(site, text) -> None:
    site.record(created="20260101T000000.000000Z", machine=OTHER, device="gpu")
    site.record(created="20260102T000000.000000Z", lane="epoch")
    site.record(created="20260103T000000.000000Z", lane="quick", local=True)
    site.record(
        created="20260104T000000.000000Z", historic=True, machine=Machine("museum", "The museum"), source="A book."
    )
    page = text()
    order = ["The desk (this machine, just now", "Lane quick", "never ranked", "The desk", "Lane epoch", "on the CPU"]
    order += [
        "The tower",
        "8 GiB of memory · A large one",
        "Lane full",
        "on the GPU",
        "The museum",
        "Historic, quoted: A book.",
    ]
    at = 0
    for expected in order:
        assert expected in page[at:], f"{expected} is missing, or in the wrong order"
        at = page.index(expected, at) + len(expected)


def test_an_unofficial_copy_is_marked(site, text) -> None:
    site.record("ada", data=Data("CIFAR-10", "unofficial copy"))
    site.record("bell")
    assert re.search(r"Ada \|.*\| unofficial copy \|", text())
    site.record("bell", created="20270101T000000.000000Z", data=Data("CIFAR-10", "unofficial copy"))
    page = text()
    assert re.search(r"Lane full.*; unofficial copy¶?\n", page)


def test_the_page_reads_well_with_the_seeds_table_alone(site, text) -> None:
    site.record(historic=True, name="As The Seed Wrote It", machine=Machine("museum", "The museum"))
    page = text()
    assert "No benchmark of this project is recorded yet" in page
    assert "As The Seed Wrote It |" in page
    assert "historic, no certificate" in page


def test_a_file_that_is_no_record_is_a_warning(site) -> None:
    path = site.docs / "records" / "benchmark" / "desk" / "x.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"accuracy": 1}', "utf-8")
    assert "is not a record" in site.build()


def test_a_verdict_leads_to_its_certificate(site) -> None:
    site.record()
    site.record(kind="parity")
    site.page("index", "```{results} cnn\n```\n\n```{certificates} cnn\n```")
    site.build()
    name = re.search(r'href="#([\w-]+)"[^>]*><span>certified ✓', site.html("index"))[1]
    assert f'id="{name}"' in site.html("index")


def test_certificates(site, text) -> None:
    checks = [Check("loss", True, 1e-7, 1e-5), Check("shuffle: a", True), Check("shuffle: b", False)]
    site.record("ada", kind="parity", status="failed", checks=checks)
    site.record("bell", kind="parity")
    page = text("certificates")
    assert "Ada | 1.2 | failed ✗: shuffle: b | cpu | ✓ 1.0e-07 | ✗ 1 of 2 |" in page
    assert "Bell | 1.2 | passed ✓ | cpu | ✓ 1.0e-07 | – |" in page


def test_no_certificates_yet(text) -> None:
    assert "No certificate is recorded yet." in text("certificates")


def test_a_plot_is_plain_svg_in_the_pages_own_colours() -> None:
    svg = bars([Bar("Ada", 10.0, "10 s", True), Bar("Bell & Co", 20.0, "20 s", False)], 'Lane "full"')
    assert svg.startswith('<svg role="img" aria-label="Bar plot')
    assert 'Lane &quot;full&quot;"' in svg
    assert svg.count("var(--rosetta-bar)") >= 2
    assert "var(--rosetta-bar-empty)" in svg
    assert "currentColor" in svg
    for text in ("Ada", "Bell &amp; Co", "10 s", "20 s"):
        assert text in svg
    assert not re.search(r"#0[1-9]0", svg)
    assert "<script" not in svg
    assert re.findall(r"https?://[^\"]*", svg.replace("http://www.w3.org/", "")) == []


def test_plots_share_no_id_because_they_have_none() -> None:
    assert not re.search(r'\bid="', bars([Bar("Ada", 1.0, "", True)], ""))


def test_a_plot_shows_the_empty_bar_only_for_an_uncertified_run(site) -> None:
    for name in ("ada", "bell"):
        site.record(name)
        site.record(name, kind="parity")
    site.page("index", "```{results} cnn\n```")
    site.build()
    assert "An empty bar" not in site.html("index")
    path = Path(site.examples, "ada", "cnn.py")
    path.write_text(path.read_text("utf-8").replace("64", "65"), "utf-8")
    site.record("ada", created="20270101T000000.000000Z")
    site.build()
    assert "An empty bar" in site.html("index")
    assert "certificate stale ✗: another example was certified" in site.html("index")


def test_the_seeds_row_stands_beside_todays(site, text) -> None:
    site.record("ada", machine=OTHER, historic=True, accuracy=0.78, times=Times(train=168.0), source="a table")
    site.record("ada")
    site.record("bell")
    page = text()
    assert re.search(r"Ada \| 1\.2 \| 75\.0% \| 100 s \| 78%, 168 s \|", page)
    assert "Bell | 1.2 | 75.0% | 100 s | |" in page.replace("|  |", "| |")


def test_a_rate_is_held_against_the_machines_own_and_a_slow_row_says_why(site, text) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + '[cnn]\nslow_because = "it waits for its pool"\n', "utf-8")
    machine = Machine("desk", "The desk", matmul_rate=371e9)
    for name, rate in (("ada", 500.0), ("bell", 100.0)):
        site.record(name, machine=machine, train_rate=rate)
    page = text()
    assert re.search(r"Ada \|[^\n]* 500 \| 50% \|", page)
    assert re.search(r"Bell \|[^\n]* 100 \| 10% \|[^\n]*it waits for its pool", page)
    site.record("bell", machine=machine, train_rate=300.0, created="20260103T000000.000000Z")
    assert "it waits" not in text()


def test_an_accuracy_far_from_the_others_is_pointed_out(site, text) -> None:
    for name, accuracy in (("ada", 0.76), ("bell", 0.755), ("curie", 0.735)):
        site.record(name, kind="parity")
        site.record(name, accuracy=accuracy)
    page = text()
    assert page.count("points below the median of this table") == 1
    assert re.search(r"Curie \|[^\n]*2\.0 points below", page)


def test_lives(site, text) -> None:
    toml = site.examples / "bell" / "framework.toml"
    life = 'last_release = "0.9"\nretired = true\nsuccessor = "Ada"\nneeds = "a stub"\n'
    toml.write_text(life + toml.read_text("utf-8"), "utf-8")
    site.record("bell")
    site.page("index", "```{lifecycle}\n```")
    assert not site.build()
    table = " ".join(re.sub(r"<[^>]+>", " ", site.html("index")).split())
    assert "Bell 2016 0.9 retired; then came Ada 1.2, Python 3.11 a stub" in table
    assert "Ada 2016 – living not run yet, Python 3.11 nothing but its packages" in table
