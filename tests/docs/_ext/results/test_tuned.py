"""Tuned training beside training out of the box, and what it is tuned by."""

from __future__ import annotations

import pytest
from shown import page, tables

from rosetta_host.records.store import Times

FAST = 'FAST = { value = "1", tuning = true, reason = "it is faster" }\n'
NEEDED = 'NEEDED = { value = "2", reason = "it does not run without" }\n'


@pytest.fixture
def html(site):
    def build() -> str:
        site.page("index", "```{tuned} cnn\n```")
        assert not site.build()
        return site.html("index")

    return build


def declare(site, name: str, text: str) -> None:
    toml = site.examples / name / "framework.toml"
    toml.write_text(f"{toml.read_text('utf-8')}\n[cnn.variables]\n{text}", "utf-8")


def test_both_ways_stand_side_by_side_without_what_compiles(site, html) -> None:
    declare(site, "ada", FAST)
    for variant, train in ((None, 110.0), ("train_tuned", 60.0)):
        times = Times(train=train, build=0.0, first_step=11.0, step=1.0)
        site.record("ada", variant=variant, preset="epoch", epochs=1, times=times)
    site.record("ada", kind="certificate")
    built = html()
    assert tables(built)[0].row("Ada") == {
        "Framework": "Ada | 1.2",
        "Out of the box": "100 s | 75.0%",
        "Tuned": "50 s | 75.0% | no certificate ✗",
        "Ratio": "0.50×",
    }
    assert "A tuned epoch takes 0.50× the time, in 1 run." in page(built).get_text()


def test_every_switch_is_listed_with_its_reason_and_what_an_example_needs_is_none(site, html) -> None:
    declare(site, "ada", FAST + NEEDED)
    declare(site, "bell", NEEDED)
    example = site.examples / "curie" / "cnn.py"
    example.write_text(f"{example.read_text('utf-8')}\n\ndef train_tuned(model, x, y):\n    return 0.0\n", "utf-8")
    built = html()
    (switches,) = tables(built)
    assert {name: switches.row(name)["Switches"] for name in switches.names} == {
        "Ada": "FAST=1: it is faster",
        "Curie": "its function train_tuned",
    }
    assert "No implementation has trained tuned on all of the data yet." in page(built).get_text()


def test_where_nothing_is_tuned_there_is_no_empty_table(html) -> None:
    assert not tables(html())
