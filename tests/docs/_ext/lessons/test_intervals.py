"""How sure a mean is, and what may be concluded."""

from __future__ import annotations

from itertools import product
from math import exp, gamma, log, pi, sqrt

import numpy as np
import pytest

from _ext.lessons.intervals import SAME_ACCURACY, SAME_TIME, Interval, interval, of_accuracy, of_time, ratio


@pytest.mark.parametrize("freedom", [1, 2, 4, 10, 30])
def test_an_interval_leaves_a_fortieth_of_students_distribution_on_each_side(freedom: int) -> None:
    values = [float(number) for number in range(freedom + 1)]
    reach = interval(values).high - np.mean(values)
    quantile = reach * sqrt(len(values)) / np.std(values, ddof=1)
    at = np.linspace(-quantile, quantile, 200_001)
    scale = gamma((freedom + 1) / 2) / (sqrt(freedom * pi) * gamma(freedom / 2))
    density = scale * (1 + at**2 / freedom) ** (-(freedom + 1) / 2)
    assert np.trapezoid(density, at) == pytest.approx(0.95, abs=1e-4)


def test_three_values() -> None:
    found = interval([1.0, 2.0, 3.0])
    expected = (2.0, 2 - 4.30265 / sqrt(3), 2 + 4.30265 / sqrt(3))
    assert (found.mean, found.low, found.high) == pytest.approx(expected, abs=1e-4)


def test_equal_values_leave_no_doubt() -> None:
    found = interval([0.5, 0.5, 0.5])
    assert (found.low, found.high) == (0.5, 0.5)


def test_one_value_says_nothing_of_its_scatter() -> None:
    assert interval([1.0]) is None
    assert interval([]) is None
    assert ratio([(1.0, 2.0)]) is None
    assert of_time(None) == of_accuracy(None) == "cannot tell"


def test_twice_and_half_as_long_are_no_difference() -> None:
    found = ratio([(1.0, 2.0), (2.0, 1.0), (3.0, 3.0)])
    assert found.mean == pytest.approx(1.0)
    assert found.low * found.high == pytest.approx(1.0)
    assert log(found.high) == pytest.approx(4.30265 * log(2) / sqrt(3), abs=1e-4)


def test_seen_from_the_other_side_a_ratio_is_its_inverse() -> None:
    pairs = [(1.0, 1.2), (1.1, 1.3), (0.9, 1.4)]
    one, other = ratio(pairs), ratio([(after, before) for before, after in pairs])
    assert (one.mean, one.low) == pytest.approx((1 / other.mean, 1 / other.high))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.10, 1.20, "more"),
        (1.01, 1.06, "more"),
        (1.001, 1.02, "same"),  # sure, and too small to matter
        (0.98, 1.02, "same"),
        (0.98, 1.74, "cannot tell"),
        (0.79, 1.47, "cannot tell"),
        (0.99, 1.04, "cannot tell"),
        (0.80, 0.90, "less"),
        (0.95, 0.99, "less"),
    ],
)
def test_what_an_interval_of_times_says(low: float, high: float, expected: str) -> None:
    assert of_time(Interval(sqrt(low * high), low, high)) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.05, -0.02, "less"),
        (-0.009, -0.001, "same"),
        (-0.045, 0.005, "cannot tell"),
        (0.001, 0.02, "more"),
    ],
)
def test_what_an_interval_of_accuracies_says(low: float, high: float, expected: str) -> None:
    assert of_accuracy(Interval((low + high) / 2, low, high)) == expected


def test_every_interval_says_one_thing_and_the_other_way_round_the_opposite() -> None:
    inverse = {"more": "less", "less": "more", "same": "same", "cannot tell": "cannot tell"}
    ends = [exp(log(SAME_TIME) * number / 4) for number in range(-9, 10) if number % 4]
    for low, high in product(ends, ends):
        if low <= high:
            there = of_time(Interval(1.0, low, high))
            assert of_time(Interval(1.0, 1 / high, 1 / low)) == inverse[there]
    assert 0 < SAME_ACCURACY < 0.05
