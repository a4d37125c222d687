"""Bar plots as SVG, drawn while the site is built, without a network and without a browser."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import cache

import altair
import vl_convert

# Stand-ins that the drawing is made with, each replaced by a colour of the page's style sheet, so
# that one drawing serves the light and the dark page.
INK, FULL, EMPTY = "#010203", "#040506", "#070809"
STYLE = {INK: "currentColor", FULL: "var(--rosetta-bar)", EMPTY: "var(--rosetta-bar-empty)"}
WIDTH, STEP = 340, 26


@dataclass(frozen=True)
class Bar:
    """One bar: its name, its length in seconds, what is written at its end, and whether it is filled."""

    name: str
    seconds: float
    label: str
    certified: bool


def bars(shown: list[Bar], title: str) -> str:
    """Horizontal bars in the given order, as an SVG element with an accessible name."""
    values = [asdict(bar) for bar in shown]
    base = altair.Chart(altair.Data(values=values)).encode(
        y=altair.Y("name:N", sort=None, title=None, axis=altair.Axis(ticks=False, domain=False, labelLimit=220)),
        x=altair.X("seconds:Q", axis=None, scale=altair.Scale(domainMin=0)),
    )
    fill = altair.condition("datum.certified", altair.value(FULL), altair.value(EMPTY))
    drawn = base.mark_bar(stroke=FULL, strokeWidth=1.5, height=15).encode(color=fill)
    labels = base.mark_text(align="left", dx=6, color=INK, fontSize=13).encode(text="label:N")
    chart = (drawn + labels).properties(width=WIDTH, height=altair.Step(STEP), padding={"right": 110, "left": 5})
    chart = chart.configure(background="transparent", font="sans-serif").configure_view(stroke=None)
    chart = chart.configure_axis(labelFontSize=13, labelColor=INK, labelPadding=8)
    return _styled(_draw(json.dumps(chart.to_dict(), sort_keys=True)), title)


@cache
def _draw(specification: str) -> str:
    return vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])


def _styled(svg: str, title: str) -> str:
    """The page's colours and font; a name for those who do not see it."""
    for stand_in, colour in STYLE.items():
        svg = svg.replace(stand_in, colour)
    svg = re.sub(r'font-family="[^"]*"', 'font-family="inherit"', svg)
    svg = re.sub(r' aria-\w+="[^"]*"| role="[^"]*"', "", svg)
    name = title.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return svg.replace(
        "<svg", f'<svg role="img" aria-label="Bar plot; the table that follows holds its numbers. {name}"', 1
    )
