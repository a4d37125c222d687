"""Which runs a page compares."""

from __future__ import annotations

import pytest

from _ext.core import comparison
from _ext.core.store import Store
from rosetta_host.records.store import Machine

TOWER = Machine("tower", "The tower")


@pytest.fixture
def usual(site):
    """The usual setting of the CNN's runs, as machine, device and preset."""

    def found() -> tuple[str, ...] | None:
        store = Store(site.examples, [site.docs / "records", site.docs / "local"])
        store.load()
        setting = comparison.usual(store, "cnn")
        return setting and setting[:3]

    return found


def test_the_setting_with_most_implementations_is_usual(site, usual) -> None:
    site.record("ada", machine=TOWER, created="20270101T000000.000000Z")
    site.record("ada", machine=TOWER, created="20270102T000000.000000Z")  # the same implementation again
    for name in ("ada", "bell"):
        site.record(name, preset="epoch")
    assert usual() == ("desk", "cpu", "epoch")


def test_certified_runs_count_before_all_others(site, usual) -> None:
    for name in ("ada", "bell"):
        site.record(name, threads=64)
    site.record("ada", kind="certificate")
    site.record("ada", machine=TOWER)
    assert usual() == ("tower", "cpu", "full")


def test_of_equals_a_cpu_comes_before_a_newer_gpu(site, usual) -> None:
    site.record("ada")
    site.record("ada", device="gpu", created="20270101T000000.000000Z")
    assert usual() == ("desk", "cpu", "full")


@pytest.mark.parametrize("changes", [{"local": True}, {"preset": "quick"}, {"precision": "tf32"}, {"historic": True}])
def test_what_is_not_a_published_run_over_all_data_does_not_count(site, usual, changes) -> None:
    site.record("ada", **changes)
    assert usual() is None


def test_a_setting_where_nothing_ended_well_is_none(site, usual) -> None:
    site.record("ada", status="oom", accuracy=None, times=None)
    assert usual() is None
