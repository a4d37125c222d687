"""How sure a mean of a few measurements is, and what may be concluded from it.

An interval is Student's, at 95 %. That of a ratio is taken of the logarithms, where twice as long and half as long lie
equally far from no difference, and is given as ratios again. A conclusion is one of three kinds: a difference, none
that matters, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import mean, stdev
from typing import Literal

from scipy.special import stdtrit

SURE = 0.95
SAME_TIME = 1.03  # the ratio within which two times count as the same: single runs differ by more
SAME_ACCURACY = 0.01  # the difference, a fraction of 1, within which two accuracies count as the same

Change = Literal["more", "less", "same", "cannot tell"]


@dataclass(frozen=True)
class Interval:
    """A mean and what lies around it with 95 % certainty."""

    mean: float
    low: float
    high: float

    def change(self, none: float, least: float, most: float) -> Change:
        """What it says of a difference: `none` is the value without one, `least` to `most` what counts as the same.

        All of it within `least` and `most` is "same", however sure a small difference is. Else all of it above or
        below `none` is "more" or "less", and the rest is "cannot tell".
        """
        if least <= self.low and self.high <= most:
            return "same"
        if self.low > none:
            return "more"
        return "less" if self.high < none else "cannot tell"


def interval(values: Sequence[float]) -> Interval | None:
    """The interval of these values' mean; None for fewer than two, which say nothing of their scatter."""
    if len(values) < 2:
        return None
    middle = mean(values)
    reach = float(stdtrit(len(values) - 1, (1 + SURE) / 2)) * stdev(values) / sqrt(len(values))
    return Interval(middle, middle - reach, middle + reach)


def ratio(pairs: Iterable[tuple[float, float]]) -> Interval | None:
    """The interval of the geometric mean of after / before; None for fewer than two pairs."""
    logs = interval([log(after / before) for before, after in pairs])
    return Interval(exp(logs.mean), exp(logs.low), exp(logs.high)) if logs else None


def of_time(ratio: Interval | None) -> Change:
    """What the interval of a ratio of times says; fewer than two pairs say nothing."""
    return ratio.change(1.0, 1 / SAME_TIME, SAME_TIME) if ratio else "cannot tell"


def of_accuracy(difference: Interval | None) -> Change:
    """What the interval of a difference of accuracies says; a single seed says nothing."""
    return difference.change(0.0, -SAME_ACCURACY, SAME_ACCURACY) if difference else "cannot tell"
