"""`{network} NETWORK`: a network as a figure and as a table, of the shapes that the oracle's layers really gave."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from docutils import nodes
from sphinx.application import Sphinx

from _ext.core.directives import OfWorkload
from _ext.pages.svg import INK, LINE, Drawing
from _ext.results.results import DASH, table
from rosetta_common import run, weights
from rosetta_host.catalog import workloads
from rosetta_host.certificate import oracle

WIDTH, MIDDLE, BESIDE = 340, 62, 146  # of the figure; where the flow runs, and where the words beside it begin
GAP, LEAST = 18, 34  # between two stages, for the arrow; and the height of one
PIXEL, CHANNEL, SLOPE = 1.25, 0.55, 0.4  # a box: of an image's pixel, of a channel, and of the edges that lead back
LONGEST, THICK = 110, 8  # a vector: the longest of a network, and all of them
SHOWN, PITCH, COLUMN, NUMBER = 6, 14, 7, 0.25  # a sequence: columns before the dots; a word, its column, a number


@dataclass
class Stage:
    """A layer, with those that follow it and change neither shape nor parameters: what is done, and what comes out.

    shape: of one sample, channels first or time first. type: of its numbers, as the examples hold them.
    """

    does: list[str]
    shape: tuple[int, ...]
    type: str
    parameters: int
    recurrent: bool

    @property
    def title(self) -> str:
        return ", ".join(self.does)

    @property
    def channels_last(self) -> tuple[int, ...]:
        return (*self.shape[1:], self.shape[0]) if len(self.shape) == 3 else self.shape


@cache
def stages(workload: str) -> tuple[Stage, ...]:
    """The stages of a network, from a pass of one sample through the oracle."""
    joined: list[Stage] = []
    settings, recurrent = run.settings_of(workload), workloads.get(workload).recurrent
    rates = iter(getattr(settings, "dropout", ()))
    for layer in oracle.layers(workload, weights.canonical(workload), oracle.model(workload).sample()):
        before = joined[-1].shape if joined else ()
        does = _said(workload, layer, before, rates)
        if not layer.parameters and layer.shape == before:
            joined[-1].does.append(does)
        else:
            number = "integer" if layer.dtype.kind == "i" else settings.dtype
            joined.append(Stage([does], layer.shape, number, layer.parameters, layer.kind in recurrent))
    return tuple(joined)


def _said(workload: str, layer: oracle.Layer, before: tuple[int, ...], rates: Iterator[float]) -> str:
    """What a layer does, with its sizes."""
    if layer.kind == "convolution":
        kernel = weights.shapes(workload)[f"{layer.name}.weight"][2:]
        return f"{times(kernel)} convolution"
    if layer.kind == "max pooling":
        return "max pooling " + times(tuple(a // b for a, b in zip(before[1:], layer.shape[1:], strict=True)))
    if layer.kind == "dropout":
        return f"dropout {next(rates)}"
    return workloads.get(workload).layers.get(layer.kind, layer.kind)


def times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


# The figure: one stage below the other, as wide as a telephone.


def figure(workload: str) -> str:
    """The network from top to bottom, drawn to scale, as an SVG element with an accessible name."""
    drawing = Drawing(
        WIDTH, f"The {workloads.get(workload).short} from input to scores; the table beside it holds its shapes."
    )
    longest = max(len(stage.shape) == 1 and stage.type != "integer" and stage.shape[0] for stage in stages(workload))
    y, before = 4.0, None
    for stage in stages(workload):
        if before is not None:
            from_last = len(before.shape) == 2 and len(stage.shape) == 1
            drawing.arrow(_column(SHOWN + 1) + COLUMN / 2 if from_last else MIDDLE, y + 3, y + GAP - 1)
            y += GAP
        written = [*_lines(stage.does), times(stage.shape)]
        high = max(_height(stage), 17 * len(written), LEAST)
        _draw(drawing, stage, y + (high - _height(stage)) / 2, LONGEST / longest)
        for number, line in enumerate(written):
            at = y + high / 2 + 17 * (number - len(written) / 2) + 13
            weight = 400 if number == len(written) - 1 else 600
            drawing.text(BESIDE, at, line, font_weight=weight)
        y, before = y + high, stage
    return drawing.html(y + 4)


def _lines(does: list[str]) -> list[str]:
    """What a stage does, in lines that fit beside the flow; none breaks inside a layer's name."""
    whole = ", ".join(text.replace(" ", "\N{NO-BREAK SPACE}") for text in does)
    return textwrap.wrap(whole, 30, break_on_hyphens=False)


def _height(stage: Stage) -> float:
    if len(stage.shape) == 3:
        return PIXEL * stage.shape[1] + SLOPE * CHANNEL * stage.shape[0]
    if len(stage.shape) == 2:
        return NUMBER * stage.shape[1]
    return COLUMN if stage.type == "integer" else THICK


def _draw(drawing: Drawing, stage: Stage, y: float, scale: float) -> None:
    if len(stage.shape) == 3:
        _box(drawing, stage, y)
    elif len(stage.shape) == 2 or stage.type == "integer":
        _sequence(drawing, stage, y)
    else:
        wide = max(3, scale * stage.shape[0])
        drawing.add("rect", x=MIDDLE - wide / 2, y=y, width=wide, height=THICK, fill=LINE)


def _box(drawing: Drawing, stage: Stage, y: float) -> None:
    """Channels × height × width: the image in front, the channels behind it."""
    channels, high, wide = stage.shape
    w, h, back = PIXEL * wide, PIXEL * high, CHANNEL * channels
    up = SLOPE * back
    x, y = MIDDLE - (w + back) / 2, y + up
    edge: dict[str, str | float] = {"stroke": LINE, "stroke_width": 1.2, "stroke_linejoin": "round", "fill": LINE}
    drawing.path("M", x, y, "l", back, -up, "h", w, "l", -back, up, "z", fill_opacity=0.3, **edge)
    drawing.path("M", x + w, y, "l", back, -up, "v", h, "l", -back, up, "z", fill_opacity=0.45, **edge)
    drawing.add("rect", x=x, y=y, width=w, height=h, fill_opacity=0.15, **edge)


def _column(column: int) -> float:
    """x of a word's column: the first ones, the place of the dots, and the last word's."""
    return MIDDLE - (PITCH * (SHOWN + 1) + COLUMN) / 2 + PITCH * column


def _sequence(drawing: Drawing, stage: Stage, y: float) -> None:
    """A column a word, as high as the word's numbers are many; with arrows where each word hears of the one before."""
    high = _height(stage)
    fill = 0.0 if stage.type == "integer" else 0.6
    middle = y + high / 2
    for column in [*range(SHOWN), SHOWN + 1]:
        x = _column(column)
        style: dict[str, str | float] = {"stroke": LINE, "stroke_width": 1.2, "fill": LINE, "fill_opacity": fill}
        drawing.add("rect", x=x, y=y, width=COLUMN, height=high, **style)
        if stage.recurrent and column < SHOWN - 1:
            drawing.path("M", x + COLUMN + 1, middle, "h", 3, stroke=INK, stroke_width=1.2)
            drawing.path("M", x + COLUMN + 3, middle - 2.5, "v", 5, "l", 3, -2.5, "z", fill=INK)
    for dot in (-4, 0, 4):
        drawing.add("circle", cx=_column(SHOWN) + COLUMN / 2 + dot, cy=middle, r=1.1, fill=INK)


class Network(OfWorkload):
    """The figure, and beside it the table that says the same in words."""

    def content_nodes(self) -> list[nodes.Node]:
        drawn = nodes.figure("", nodes.raw("", figure(self.workload), format="html"), classes=["rosetta-figure"])
        drawn += nodes.caption("", workloads.get(self.workload).scale)
        return [nodes.container("", drawn, self.shapes(), classes=["rosetta-network"])]

    def shapes(self) -> nodes.table:
        layers = stages(self.workload)
        both = any(stage.shape != stage.channels_last for stage in layers)
        types = {stage.type for stage in layers}
        header = ["Layer", *(["Channels first", "Channels last"] if both else ["Shape"])]
        header += ["Dtype", "Parameters"] if len(types) > 1 else ["Parameters"]
        body = []
        for stage in layers:
            cells = [stage.title, times(stage.shape), *([times(stage.channels_last)] if both else [])]
            cells += [stage.type] if len(types) > 1 else []
            body.append([*cells, f"{stage.parameters:,}" if stage.parameters else DASH])
        total = sum(stage.parameters for stage in layers)
        body.append(["total", *[""] * (len(header) - 2), f"{total:,}"])
        title = "The shape of one sample after each layer" + (f", dtype {types.pop()}" if len(types) == 1 else "")
        numeric = {"Channels first", "Channels last", "Shape", "Parameters"}
        return table(header, [[nodes.inline("", cell) for cell in cells] for cells in body], title, numeric)


def setup(app: Sphinx) -> None:
    app.add_directive("network", Network)
