"""The figure and the table of a network."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from _ext.pages.network import WIDTH, figure
from rosetta_common import weights
from workloads import cnn


@pytest.fixture
def rows(site):
    """rows("cnn") -> the table's lines as lists of cells, its header first."""

    def build(workload: str) -> list[list[str]]:
        site.page("index", f"```{{network}} {workload}\n```")
        assert not site.build()
        lines = re.findall(r"<tr.*?</tr>", site.html("index"), re.DOTALL)
        return [
            [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", line, re.DOTALL)]
            for line in lines
        ]

    return build


def test_the_cnn_in_both_layouts(rows) -> None:
    found = rows("cnn")
    assert found[0] == ["Layer", "Channels first", "Channels last", "Parameters"]
    assert ["an image", "3 × 32 × 32", "32 × 32 × 3", "–"] in found
    assert ["3 × 3 convolution, ReLU", "50 × 32 × 32", "32 × 32 × 50", "1,400"] in found
    assert ["max pooling 2 × 2, ReLU, dropout 0.25", "100 × 8 × 8", "8 × 8 × 100", "–"] in found
    assert ["dense, ReLU, dropout 0.5", "512", "512", f"{512 * 6400 + 512:,}"] in found
    assert found[-2] == ["dense", "10", "10", f"{512 * 10 + 10:,}"]


def test_the_gru_with_its_types(rows, site) -> None:
    found = rows("gru")
    assert found[0] == ["Layer", "Shape", "Dtype", "Parameters"]
    assert found[1] == ["a review’s words", "150", "integer", "–"]
    assert [row[1] for row in found[2:6]] == ["150 × 125", "150 × 100", "100", "2"]
    assert {row[2] for row in found[2:6]} == {"float32"}


@pytest.mark.parametrize("workload", ["cnn", "gru"])
def test_the_parameters_add_up(rows, workload: str) -> None:
    *layers, total = (int(row[-1].replace(",", "").replace("–", "0")) for row in rows(workload)[1:])
    assert sum(layers) == total
    shapes = weights.shapes(workload).values()
    assert total == sum(weights.np.prod(shape) for shape in shapes)


@pytest.mark.parametrize("workload", ["cnn", "gru"])
def test_the_figure_says_what_the_table_says(rows, workload: str) -> None:
    written = " ".join(ElementTree.fromstring(figure(workload)).itertext()).replace("\N{NO-BREAK SPACE}", " ")
    for layer, shape, *_ in rows(workload)[1:-1]:
        assert shape in written
        assert set(layer.split()) <= set(written.split())


@pytest.mark.parametrize("workload", ["cnn", "gru"])
def test_the_figure_is_plain_svg_that_fits_a_telephone(workload: str) -> None:
    svg = figure(workload)
    root = ElementTree.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert workload.upper() in root.attrib["aria-label"]
    assert WIDTH <= 343  # what a page leaves of 375 pixels
    assert float(root.attrib["width"]) == WIDTH
    colors = {value for element in root.iter() for key, value in element.attrib.items() if key in ("fill", "stroke")}
    assert colors <= {"currentColor", "var(--rosetta-bar)", "none"}
    assert not re.search(r'\bid="|<script|https?:', svg)


def test_what_is_drawn_stays_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    for workload in ("cnn", "gru"):
        root = ElementTree.fromstring(figure(workload))
        height = float(root.attrib["height"])
        for element in root.iter("rect"):
            x, y, wide, high = (float(element.attrib[key]) for key in ("x", "y", "width", "height"))
            assert x >= 0
            assert x + wide <= WIDTH
            assert 0 <= y <= y + high <= height


def test_a_rate_comes_from_the_hyper_parameters(rows, monkeypatch: pytest.MonkeyPatch) -> None:
    from _ext.pages import network

    network.stages.cache_clear()
    monkeypatch.setattr(cnn.params, "dropout", (0.1, 0.2, 0.3))
    found = " ".join(row[0] for row in rows("cnn"))
    network.stages.cache_clear()
    assert re.findall(r"dropout ([\d.]+)", found) == ["0.1", "0.2", "0.3"]


def test_an_unknown_network_is_an_error(site) -> None:
    site.page("index", "```{network} mlp\n```")
    assert "index.md:6: ERROR: There is no network 'mlp'" in site.build()
