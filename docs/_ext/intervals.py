"""How sure a mean of a few measurements is: a 95 % interval, by Student's t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

# The 97.5 % quantile for 1, 2, … degrees of freedom. For more the last one serves: the interval is a little too wide.
T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


@dataclass(frozen=True)
class Interval:
    """A mean and what lies around it with 95 % certainty."""

    mean: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the interval contains a value."""
        return self.low <= value <= self.high


def interval(values: Sequence[float]) -> Interval | None:
    """The interval of these values' mean; None for fewer than two, which say nothing of their scatter."""
    if len(values) < 2:
        return None
    middle = mean(values)
    reach = T[min(len(values) - 1, len(T)) - 1] * stdev(values) / sqrt(len(values))
    return Interval(middle, middle - reach, middle + reach)
