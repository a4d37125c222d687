"""The arithmetic of a review, against a count of what a matrix product per word does."""

import pytest

from workloads.gru import params
from workloads.gru.definition import workload


def test_a_review_is_what_its_matrix_products_are():
    # 150 words, each through 300 × 125 and 300 × 100, and once through 2 × 100; three times over, but for one gradient.
    forward = 150 * (2 * 300 * 125 + 2 * 300 * 100) + 2 * 2 * 100
    assert workload.flop() == 3 * forward - 2 * 300 * 100 == 60_691_200


@pytest.mark.parametrize(("words", "units"), [(150, 100), (3, 100), (1, 7)])
def test_a_review_of_other_sizes_is_counted_from_its_shapes(monkeypatch, words, units):
    monkeypatch.setattr(params, "max_length", words)
    monkeypatch.setattr(params, "units", units)
    forward = words * 2 * 3 * units * (125 + units) + 2 * 2 * units
    assert workload.flop() == 3 * forward - 2 * 3 * units * units
