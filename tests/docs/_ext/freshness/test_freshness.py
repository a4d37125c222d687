"""What changed since the records were made."""

from __future__ import annotations

import pytest
from experiments import declare, everywhere, judged
from shown import Shown, page
from sweeping import turns

from _ext.freshness.freshness import KINDS
from rosetta_host.catalog import frameworks
from rosetta_host.environments.digests import example_digest
from rosetta_host.records.store import Check, Machine


@pytest.fixture
def html(site):
    def build() -> str:
        site.page("index", "```{freshness}\n```")
        assert not site.build()
        return site.html("index")

    return build


def counts(built: str) -> dict[str, tuple[str, str, str]]:
    """Kind -> how many are shown, how many are stale, and why."""
    table = Shown(page(built).table)
    return {name: tuple(table.row(name)[title] for title in table.head[1:]) for name in table.names}


def everything(site, ask) -> None:
    """A current record of every kind."""
    declare(site)
    everywhere(site)
    judged(site, "ada")
    site.record("ada")
    site.record("ada", kind="certificate")
    turns(site, "ada")
    ask("ada", {"pool.stride": "2"})
    for taker, giver in (("ada", "bell"), ("bell", "ada")):
        given = {giver: {"example": example_digest(frameworks.implementations(site.examples)[giver].example("cnn"))}}
        site.record(taker, kind="transfer", seed=0, givers=given, checks=[Check(giver, True, 0.0, 1e-6)])


def test_without_a_record_all_are_current(html) -> None:
    built = page(html())
    assert "All records that the site shows are of the current code." in built.get_text()
    assert not built.table


def test_current_records_of_every_kind_are_counted(site, ask, html) -> None:
    everything(site, ask)
    built = html()
    counted = counts(built)
    assert counted.keys() == KINDS.keys()
    assert all((stale, why) == ("0", "–") for _, stale, why in counted.values())
    assert "All records that the site shows are of the current code." in page(built).get_text()
    assert not page(built).details


def test_an_edit_of_an_example_makes_its_records_stale_and_says_why(site, ask, html) -> None:
    everything(site, ask)
    path = site.examples / "ada" / "cnn.py"
    path.write_text(path.read_text("utf-8") + "\n\nMORE = 1\n", "utf-8")
    built = html()
    counted = counts(built)
    assert {kind: stale for kind, (_, stale, _) in counted.items()} == {
        "Benchmarks": "1",
        "Turns of ranked sweeps": "1",
        "Certificates": "1",
        "Defaults": "0",
        "Transfers": "2",  # Ada gave weights to Bell, too
        "Lessons": "1",
    }
    assert counted["Benchmarks"][2] == "example in 1"
    folded = {tag.summary.get_text(): " ".join(tag.ul.get_text().split()) for tag in page(built).find_all("details")}
    assert folded["Benchmarks: 1 stale, all on a CPU"] == "Another example: Ada, CNN on CIFAR-10, on a CPU."
    assert "records that the site shows are stale." in page(built).get_text()


def test_a_stale_record_says_which_processor_it_was_made_on(site, html) -> None:
    """Nobody can renew one of a GPU without such a GPU."""
    tower = Machine("tower", "The tower", gpu="Accelerator 100")
    stale = {"kind": "certificate", "digests": {"example": "other"}}
    site.record("ada", **stale, device="gpu", machine=tower)
    site.record("bell", kind="certificate")
    [fold] = page(html()).find_all("details")
    assert fold.summary.get_text() == "Certificates: 1 stale, all on a GPU"
    assert fold.ul.get_text().strip().endswith("Ada, CNN on CIFAR-10, on a GPU (Accelerator 100).")
    site.record("bell", **stale, created="20270102T000000.000000Z")
    [fold] = page(html()).find_all("details")
    assert fold.summary.get_text() == "Certificates: 2 stale"


def test_only_the_newest_record_of_a_subject_is_shown(site, html) -> None:
    site.record("ada", digests={"example": "other"})
    site.record("ada")
    assert counts(html()) == {"Benchmarks": ("1", "0", "–")}


def test_a_record_of_what_is_no_longer_here_is_stale(site, html) -> None:
    site.record("ada")
    (site.examples / "ada" / "framework.toml").unlink()
    assert counts(html())["Benchmarks"] == ("1", "1", "implementation, which is no longer here in 1")
