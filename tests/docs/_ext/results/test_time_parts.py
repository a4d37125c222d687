"""Where the time goes until one epoch is trained."""

from __future__ import annotations

import itertools
import re

import pytest
from sweeping import shown, turns

from _ext.core import numbers
from _ext.results.time_parts import PARTS, Parts, bars, pays_back
from rosetta_host.records.store import Times


def parts_of(site) -> Parts:
    sweep = shown(site)[0]
    return Parts.of(sweep, sweep.entries[0])


def test_the_parts_are_those_of_the_records(site) -> None:
    turns(site, "ada", [0.010, 0.010], times=Times(imported=1.0, build=2.0, evaluate=4.0))
    parts, steps = parts_of(site), numbers.parameters("cnn")["steps"]
    assert parts.seconds == pytest.approx(
        {"import": 1.0, "build": 2.0, "compile": 3.0, "steady steps": steps * 0.010, "evaluate": 4.0}
    )
    assert parts.total == pytest.approx(10 + steps * 0.010)
    pieces = parts.pieces("Ada")
    assert [piece["part"] for piece in pieces] == list(PARTS)
    assert (pieces[0]["start"], pieces[-1]["end"]) == (0, pytest.approx(1))
    assert all(before["end"] == after["start"] for before, after in itertools.pairwise(pieces))


def test_what_was_not_measured_has_no_length(site) -> None:
    turns(site, "ada", first_stretch=None, times=Times(imported=1.0))
    parts = parts_of(site)
    assert [part for part, seconds in parts.seconds.items() if seconds is None] == ["build", "compile", "evaluate"]
    lengths = {piece["part"]: piece["end"] - piece["start"] for piece in parts.pieces("Ada")}
    assert lengths["build"] == lengths["evaluate"] == 0


def test_a_first_stretch_that_is_faster_than_steady_compiles_nothing(site) -> None:
    turns(site, "ada", [0.010, 0.010], first_stretch=0.001)
    assert parts_of(site).seconds["compile"] == 0


def test_bars_name_their_parts_in_the_pages_own_colors(site) -> None:
    turns(site, "ada", [0.010, 0.010])
    svg = bars(parts_of(site).pieces("Ada & Co"), "Parts")
    for text in (*PARTS, "Ada &amp; Co"):
        assert f">{text}<" in svg
    assert len({*re.findall(r"var\(--[\w-]+\)", svg)}) >= len(PARTS)
    assert not re.search(r"#[01][0-9]|<script", svg)


def test_compiling_pays_back_what_it_took_once_steps_have_saved_it(site) -> None:
    steps = numbers.parameters("cnn")["steps"]
    turns(site, "ada", [0.010, 0.010])
    turns(site, "ada", [0.005, 0.005], variant="train_compiled", first_stretch=8 * 0.005 + 3.0 + 10 * steps * 0.005)
    turns(site, "bell", [0.010, 0.010])
    turns(site, "bell", [0.020, 0.020], variant="train_compiled")
    sweep = shown(site)[0]
    output = {entry.ranked.case[::2]: pays_back(sweep, entry) for entry in sweep.entries}
    assert output == {
        ("ada", "train_compiled"): "after 10 epochs",
        ("ada", None): "–",
        ("bell", None): "–",
        ("bell", "train_compiled"): "never",
    }
