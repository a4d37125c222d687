"""Dots with intervals on a logarithmic axis."""

from __future__ import annotations

import re

import pytest

from _ext.results.whiskers import Whisker, ticks, whiskers

ADA = Whisker("Ada", 1.0, 0.9, 1.1, False, True, "a")
BELL = Whisker("Bell", 4.0, 3.5, 4.5, False, True, "b")
CURIE = Whisker("Curie", 16.0, 15.0, 17.0, False, False, "c")


def marks(svg: str, step: str = "A") -> list[float]:
    """Where dots lie, in pixels: they are drawn with arcs, `A`, and diamonds with lines, `L`."""
    places = re.findall(rf'<path transform="translate\(([\d.]+),[\d.]+\)" d="M[\d.,-]+{step}', svg)
    return [float(x) for x in places]


def test_equal_factors_are_equal_distances() -> None:
    ada, bell, curie = sorted(marks(whiskers([ADA, BELL, CURIE], "")))
    assert bell - ada == pytest.approx(curie - bell, abs=0.5)
    assert bell > ada + 10


def test_a_plot_names_its_lines_and_letters_in_the_pages_own_colors() -> None:
    svg = whiskers([ADA, BELL], 'Steps & "more"')
    assert svg.startswith('<svg role="img" aria-label="Steps &amp; &quot;more&quot;"')
    for text in (">Ada<", ">Bell<", ">a<", ">b<", ">1×<", ">2×<"):
        assert text in svg
    assert "var(--rosetta-bar)" in svg
    assert not re.search(r"#0[0-9]0|<script|\bid=", svg)


def test_what_is_not_current_is_empty_and_what_is_tuned_is_a_diamond() -> None:
    plain = whiskers([ADA, BELL], "")
    assert "var(--rosetta-bar-empty)" not in plain
    assert "var(--rosetta-bar-empty)" in whiskers([ADA, CURIE], "")
    tuned = whiskers([ADA, BELL, Whisker("Bell", 2.0, 1.9, 2.1, True, True)], "")
    assert (len(marks(plain)), len(marks(plain, "L"))) == (2, 0)
    assert (len(marks(tuned)), len(marks(tuned, "L"))) == (2, 1)
    assert tuned.count(">Bell<") == 1


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(0.4, 3.0, [0.5, 1, 2]), (0.95, 1.25, [1, 1.1, 1.2]), (0.05, 30, [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20])],
)
def test_an_axis_has_round_numbers(low: float, high: float, shown: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(shown)
