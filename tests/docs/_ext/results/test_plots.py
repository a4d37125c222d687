"""Plots."""

from __future__ import annotations

import re

from _ext.results.plots import Bar, bars


def test_a_plot_is_plain_svg_in_the_pages_own_colors() -> None:
    svg = bars([Bar("Ada", 10.0, "10 s", True), Bar("Bell & Co", 20.0, "20 s", False)], 'Preset "full"')
    assert svg.startswith('<svg role="img" aria-label="Preset')
    assert 'Preset &quot;full&quot;"' in svg
    assert svg.count("var(--rosetta-bar)") >= 2
    assert "var(--rosetta-bar-empty)" in svg
    assert "currentColor" in svg
    for text in ("Ada", "Bell &amp; Co", "10 s", "20 s"):
        assert text in svg
    assert not re.search(r"#0[1-9]0", svg)
    assert "<script" not in svg
    assert re.findall(r"https?://[^\"]*", svg.replace("http://www.w3.org/", "")) == []


def test_plots_share_no_id_because_they_have_none() -> None:
    assert not re.search(r'\bid="', bars([Bar("Ada", 1.0, "", True, 0.7, "70%")], ""))


def dots(svg: str) -> list[float]:
    """Where the dots lie, in pixels from the left of their panel. A dot is drawn with arcs, a bar is not."""
    return [float(x) for x in re.findall(r'<path transform="translate\(([\d.]+),[\d.]+\)" d="M[^"]*A', svg)]


def test_accuracies_are_dots_beside_the_bars() -> None:
    lines = [Bar("Ada", 10.0, "10 s", True, 0.70, "70.0%"), Bar("Bell", 20.0, "20 s", True, 0.80, "80.0%")]
    svg = bars([*lines, Bar("Curie", 30.0, "30 s", True)], "")
    assert "70.0%" in svg
    assert "80.0%" in svg
    assert len(dots(svg)) == 2
    assert dots(svg)[0] < dots(svg)[1]
    assert dots(bars([Bar("Ada", 10.0, "10 s", True)], "")) == []


def test_what_lies_within_the_noise_looks_alike() -> None:
    near = dots(bars([Bar("Ada", 1.0, "", True, 0.750, ""), Bar("Bell", 1.0, "", True, 0.752, "")], ""))
    far = dots(bars([Bar("Ada", 1.0, "", True, 0.700, ""), Bar("Bell", 1.0, "", True, 0.752, "")], ""))
    assert near[1] - near[0] < 10 < far[1] - far[0]
