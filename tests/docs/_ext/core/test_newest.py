"""One rule for which record speaks."""

from __future__ import annotations

import pytest

from _ext.core import newest
from _ext.core.store import Store
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.records.store import Machine

TOWER = Machine("tower", "The tower")
EARLY, LATE = "20260101T000000.000000Z", "20270101T000000.000000Z"


def store_of(site) -> Store:
    store = Store(site.examples, [site.docs / "records"])
    store.load()
    return store


def test_of_one_place_the_newest_speaks(site) -> None:
    old, new = site.record(created=EARLY), site.record(created=LATE)
    assert newest.here([new, old]) is new
    assert newest.here([]) is None


@pytest.mark.parametrize("other", [{"machine": TOWER}, {"device": "gpu"}])
def test_of_two_places_neither_speaks_for_the_other(site, other) -> None:
    one, two = site.record(created=EARLY), site.record(created=LATE, **other)
    with pytest.raises(UserError, match=r"desk@cpu"):
        newest.here([one, two])
    assert [*newest.each([two, one]).values()] == [one, two]


def test_what_no_place_changes_is_told_by_the_newest_of_a_cpu(site) -> None:
    site.record(created=EARLY)
    tower = site.record(created=EARLY.replace("0101T", "0102T"), machine=TOWER)
    gpu = site.record(created=LATE, device="gpu")
    assert newest.anywhere(site.records) is tower
    assert newest.anywhere([gpu]) is gpu


def test_the_version_is_that_of_the_newest_run_on_a_cpu(site) -> None:
    site.record(created=EARLY, version="1.0")
    site.record(created=LATE, version="2.0", device="gpu")
    site.record(created=LATE.replace("2027", "2028"), version="3.0", environment="as found")
    store = store_of(site)
    assert newest.version(store, store.implementations["ada"]) == "1.0"
    assert newest.version(store, store.implementations["bell"]) is None


def test_the_lives_and_the_museum_name_the_same_version(site) -> None:
    site.record(created=EARLY, version="1.0")
    site.record(created=LATE, version="7.7.7", device="gpu")
    site.page("index", "```{lifecycle}\n```\n\n```{museum} living\n```")
    assert not site.build()
    html = site.html("index")
    assert "1.0, Python 3.11" in html
    assert "1.0, on Python 3.11" in html
    assert "7.7.7" not in html
