"""Which sweeps are shown, and what is known of each case."""

from __future__ import annotations

import pytest
from sweeping import TOWER, disturbed, failed, shown, turns

from rosetta_host.catalog import workloads
from rosetta_host.records.store import Conditions, Times


def test_the_newest_sweep_of_each_machine_is_shown_and_published_ones_first(site) -> None:
    turns(site, "ada", sweep="20260101T000000.000000Z")
    turns(site, "bell", sweep="20260202T000000.000000Z")
    turns(site, "curie", machine=TOWER, sweep="20260101T000000.000000Z")
    turns(site, "curie", local=True, sweep="20270101T000000.000000Z")
    assert [(sweep.first.machine.id, sweep.first.implementation, sweep.local) for sweep in shown(site)] == [
        ("desk", "bell", False),
        ("tower", "curie", False),
        ("desk", "curie", True),
    ]


def test_a_disturbed_turn_counts_for_nothing(site) -> None:
    turns(site, "ada", [0.010, 0.010])
    disturbed(site, "ada", 5.0)
    (sweep,) = shown(site)
    (entry,) = sweep.entries
    assert (entry.ranked.turns, entry.ranked.disturbed, entry.ranked.step) == (2, 1, 0.010)
    assert len(entry.turns) == 2


def test_a_case_is_stale_by_what_changed_since(site) -> None:
    turns(site, "ada")
    turns(site, "bell", digests={"example": "other"})
    ada, bell = shown(site)[0].entries
    assert (ada.stale, ada.changed) == ("", ())
    assert bell.stale.startswith("stale: timed with another example, ")
    path = site.examples / "ada" / "requirements.txt"
    path.write_text("numpy==1\n", "utf-8")
    assert {entry.record.implementation: entry for entry in shown(site)[0].entries}[
        "ada"
    ].stale == "stale: timed with another lock"


def test_what_is_no_longer_here_is_stale(site) -> None:
    turns(site, "ada")
    (site.examples / "ada" / "framework.toml").unlink()
    assert "no longer in this project" in shown(site)[0].entries[0].stale


def test_the_reference_is_the_case_that_its_label_names(site) -> None:
    turns(site, "bell", [0.005, 0.005])
    turns(site, "ada", [0.010, 0.010], variant="train_compiled")
    (sweep,) = shown(site)
    assert (sweep.reference, sweep.reference_name) == (None, "Ada")
    failed(site, "ada")
    assert shown(site)[0].reference is None
    turns(site, "ada", [0.010, 0.010])
    reference = shown(site)[0].reference
    assert reference is not None
    assert reference.ranked.case == ("ada", "cnn", None)


def test_the_share_is_of_the_product_that_was_sampled_with_the_turns(site) -> None:
    turns(site, "ada", [0.5])
    (entry,) = shown(site)[0].entries
    assert entry.share is not None
    flop = 64 * workloads.get("cnn").flop()
    assert entry.share.value == pytest.approx(flop / 0.5 / 200e9)
    turns(site, "bell", [0.5], conditions=Conditions())
    assert shown(site)[0].entry("bell", None).share is None


def test_evaluation_is_of_a_benchmark_of_the_same_code_on_the_same_machine(site) -> None:
    turns(site, "ada")

    def evaluation() -> float | None:
        sweep = shown(site)[0]
        return sweep.evaluation(sweep.entries[0])

    site.record("ada", times=Times(train=1.0, evaluate=5.0), machine=TOWER)
    site.record("ada", times=Times(train=1.0, evaluate=6.0), digests={"example": "other"})
    site.record("ada", times=Times(train=1.0, evaluate=7.0), preset="quick")
    assert evaluation() is None
    site.record("ada", times=Times(train=1.0, evaluate=8.0), preset="epoch")
    assert evaluation() == 8.0
    turns(site, "ada", times=Times(imported=1.0, build=2.0, evaluate=9.0))
    assert evaluation() == 9.0
