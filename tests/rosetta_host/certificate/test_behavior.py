"""The distribution of a start."""

import numpy as np
import pytest

from rosetta_host.certificate import behavior


@pytest.mark.parametrize(
    ("values", "good"),
    [
        (np.random.RandomState(0).uniform(-0.1, 0.1, 5000), True),
        (np.random.RandomState(0).uniform(-0.11, 0.11, 5000), False),
        (np.random.RandomState(0).uniform(-0.09, 0.09, 5000), False),
        (np.random.RandomState(0).normal(0, 0.1 / np.sqrt(3), 5000), False),
        (np.zeros(5000), False),
    ],
)
def test_the_distribution_of_the_start(values, good):
    assert behavior._start_figure("w", values, "uniform", 0.1)[0] is good
