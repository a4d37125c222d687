"""The table of faults, and that it leaves none out."""

from __future__ import annotations

from pathlib import Path

import pytest
from shown import tables

from _ext.results import faults
from rosetta_host.catalog.frameworks import ROOT

LIST = 'full = "The disk is full"\ncut = "`cut` short"\n'
TESTS = """
@pytest.mark.fault("full", outcome="It is kept `elsewhere`.")
@pytest.mark.fault("cut", outcome="It is read again.")
@pytest.mark.parametrize("number", [1, 2])
def test_a_full_disk_loses_nothing(number):
    pass


class Test:
    @pytest.mark.fault("full", outcome="It is kept `elsewhere`.")
    def test_another_disk(self):
        pass
"""


@pytest.fixture
def build(site):
    def shown(listed: str = LIST, tests: str = TESTS) -> str:
        folder = site.folder / "tests" / "faults"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "faults.toml").write_text(listed, "utf-8")
        (folder / "test_disk.py").write_text(tests, "utf-8")
        site.page("index", "```{faults}\n```")
        return site.build()

    return shown


def test_each_fault_has_its_outcomes_and_their_tests(site, build) -> None:
    assert not build()
    (shown,) = tables(site.html("index"))
    tests = "a full disk loses nothing (test_disk.py)"
    assert shown.names == ["The disk is full", "cut short"]
    [_, outcome] = shown.head
    disk = f"It is kept elsewhere. | {tests} | another disk (test_disk.py)"
    assert shown.row("The disk is full")[outcome] == disk
    assert shown.row("cut short")[outcome] == f"It is read again. | {tests}"
    assert "2 tests inject 2 kinds of faults." in site.html("index")
    assert '<span class="pre">elsewhere</span>' in site.html("index")


@pytest.mark.parametrize(
    ("listed", "tests", "problem"),
    [
        (LIST + 'lost = "Lost"\n', TESTS, "No test has the marker of the fault lost"),
        (LIST, TESTS.replace('"cut"', '"cutt"'), "faults.toml does not list the fault cutt"),
        (LIST, TESTS.replace('outcome="It is read again."', "outcome=AGAIN"), "needs fault(name, outcome=…)"),
        (LIST, TESTS.replace('outcome="It is read again."', ""), "needs fault(name, outcome=…)"),
    ],
)
def test_a_fault_without_a_test_fails_the_build(build, listed, tests, problem) -> None:
    assert problem in build(listed, tests)


def test_every_fault_of_the_project_has_a_test_that_is_there() -> None:
    injected = [*faults.injections(ROOT / "tests")]
    assert faults.mismatch(faults.listed(ROOT / "tests"), injected) is None
    assert {injection.path.parts[0] for injection in injected} == {"tests"}
    assert not [injection for injection in injected if not Path(ROOT, injection.path).exists()]
