"""How sure a mean is."""

from __future__ import annotations

from math import gamma, pi, sqrt

import numpy as np
import pytest
from _ext.intervals import T, interval


@pytest.mark.parametrize(("freedom", "quantile"), [*enumerate(T, start=1)])
def test_a_quantile_leaves_a_fortieth_of_students_distribution_on_each_side(freedom: int, quantile: float) -> None:
    at = np.linspace(-quantile, quantile, 200_001)
    scale = gamma((freedom + 1) / 2) / (sqrt(freedom * pi) * gamma(freedom / 2))
    density = scale * (1 + at**2 / freedom) ** (-(freedom + 1) / 2)
    assert np.trapezoid(density, at) == pytest.approx(0.95, abs=1e-4)


def test_three_values() -> None:
    found = interval([1.0, 2.0, 3.0])
    assert (found.mean, found.low, found.high) == pytest.approx((2.0, 2 - 4.303 / sqrt(3), 2 + 4.303 / sqrt(3)))
    assert found.holds(0)
    assert not found.holds(-1)


def test_equal_values_leave_no_doubt() -> None:
    found = interval([0.5, 0.5, 0.5])
    assert (found.low, found.high) == (0.5, 0.5)


def test_one_value_says_nothing_of_its_scatter() -> None:
    assert interval([1.0]) is None
    assert interval([]) is None


def test_of_many_values_the_interval_is_too_wide_rather_than_too_narrow() -> None:
    found = interval([0.0, 1.0] * 50)
    assert found.high - found.mean > 1.984 * sqrt(25 / 99) / 10
