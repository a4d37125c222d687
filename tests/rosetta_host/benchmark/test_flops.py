"""The arithmetic of a sample, against a count of what a matrix product per layer does."""

import pytest

from rosetta_common import params
from rosetta_host.benchmark import flops


def test_an_image_is_what_its_matrix_products_are():
    # (outputs, inputs of each, positions) of the layers, as PyTorch's FlopCounterMode counts them.
    layers = [(50, 27, 1024), (50, 450, 1024), (100, 450, 256), (100, 900, 256), (512, 6400, 1), (10, 512, 1)]
    forward = [2 * out * into * positions for out, into, positions in layers]
    assert flops.sample_flop("cnn") == 3 * sum(forward) - forward[0]
    assert round(flops.sample_flop("cnn") / 1e9, 3) == 0.371


def test_a_review_is_what_its_matrix_products_are():
    # 150 words, each through 300 × 125 and 300 × 100, and once through 2 × 100; three times over, but for one gradient.
    forward = 150 * (2 * 300 * 125 + 2 * 300 * 100) + 2 * 2 * 100
    assert flops.sample_flop("gru") == 3 * forward - 2 * 300 * 100 == 60_691_200


@pytest.mark.parametrize(("words", "units"), [(150, 100), (3, 100), (1, 7)])
def test_a_review_of_other_sizes_is_counted_from_its_shapes(monkeypatch, words, units):
    monkeypatch.setattr(params.gru, "max_length", words)
    monkeypatch.setattr(params.gru, "units", units)
    forward = words * 2 * 3 * units * (125 + units) + 2 * 2 * units
    assert flops.sample_flop("gru") == 3 * forward - 2 * 3 * units * units


def test_a_peak_is_stated_with_its_source():
    assert flops.PEAKS["NVIDIA H100 80GB HBM3"] == (67e12, "NVIDIA H100 Tensor Core GPU data sheet, H100 SXM, FP32")
