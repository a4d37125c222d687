"""What the turns of a ranked sweep say: ratios to the reference with intervals, and which cases cannot be told apart.

Pure functions on records, for the terminal and the site. A ratio is the time of a case divided by that of the
reference. It is treated as a logarithm, so that twice as fast and half as fast are equally far from one.
"""

from __future__ import annotations

import itertools
import math
import statistics
import string
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum, auto
from typing import Any, NamedTuple

import msgspec
import numpy as np
from scipy import stats

from rosetta_host.records.store import TurnRecord

SIGNIFICANCE = 0.05  # of all comparisons of a table together
CONFIDENCE = 1 - SIGNIFICANCE
RESAMPLES = 9999
SEED = 0  # of the bootstrap, so that the same records always give the same interval
MARGIN = 0.01  # of an accuracy, a fraction of one: differences below it do not matter here


class CaseId(NamedTuple):
    """The id of an implementation, the workload, and the function that trains (None: `train`)."""

    implementation: str
    workload: str
    variant: str | None = None

    @classmethod
    def of(cls, turn: TurnRecord) -> CaseId:
        return cls(turn.implementation, turn.workload, turn.variant)


class Ranked(msgspec.Struct, kw_only=True):
    """A case as one sweep ranks it.

    turns: how many count. ratio, low, high: median seconds per step relative to the reference over the turns, and its
    95 % interval. letters: two cases that share one cannot be told apart; empty below two turns. step, step_low,
    step_high: seconds per steady step, and the 95 % interval. compile: median seconds of `TurnRecord.compile_seconds`.
    disturbed: how many turns were disturbed and count for nothing. status: "ok" where turns count, "disturbed" where
    all were, otherwise that of the last turn. reason: of the last turn that failed; a case whose status is "ok" has one
    too if another turn failed. A number that is not available is NaN.
    """

    case: CaseId
    turns: int
    ratio: float
    low: float
    high: float
    letters: str
    step: float
    step_low: float
    step_high: float
    compile: float
    disturbed: int
    version: str | None
    status: str
    reason: str | None

    def seconds(self, steps: int) -> float:
        """Seconds to compile and then train for so many steps."""
        return self.compile + steps * self.step


class Equivalence(StrEnum):
    """Whether two accuracies are the same for practical purposes."""

    EQUIVALENT = auto()
    DIFFERENT = auto()
    UNKNOWN = auto()


def newest_sweep(turns: Sequence[TurnRecord], machine: str, device: str) -> list[TurnRecord]:
    """The turns of the newest sweep on a machine, by its id, and a device; in order. Empty if there is none."""
    own = [turn for turn in turns if (turn.machine.id, turn.device) == (machine, device)]
    newest = max((turn.sweep for turn in own), default=None)
    return sorted((turn for turn in own if turn.sweep == newest), key=lambda turn: turn.order)


def counts(turn: TurnRecord) -> bool:
    """Whether a turn is one of those that a ranking is made of."""
    return turn.status == "ok" and not turn.disturbed and bool(turn.pairs)


def log_ratio(turn: TurnRecord) -> float:
    """The mean over a turn's pairs of the logarithm of its own seconds divided by those of the reference."""
    return statistics.fmean(math.log(own / reference) for reference, own in turn.pairs)


def _step(turn: TurnRecord) -> float:
    """Seconds of a steady step of the turn's case."""
    return statistics.median(own for _, own in turn.pairs)


class Estimate(NamedTuple):
    """A median or a mean, and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


def estimate(values: Sequence[float], statistic: Callable[..., Any] = np.median) -> Estimate:
    """A statistic of the values, and its bootstrap interval: NaN for no values, and bounds of NaN for a single one.

    statistic: a function of NumPy's such as `np.mean`.
    """
    if len(values) < 2:
        return Estimate(values[0] if len(values) else math.nan, math.nan, math.nan)
    result = stats.bootstrap(
        (values,),
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",  # the others need the spread of the median, which five values do not give
        rng=np.random.default_rng(SEED),
    )
    interval = result.confidence_interval
    return Estimate(float(statistic(values)), float(interval.low), float(interval.high))


def _differ(a: Sequence[float], b: Sequence[float], groups: int) -> bool:
    """Whether the means of two of so many groups differ: the test of Games and Howell.

    The same as `scipy.stats.tukey_hsd(…, equal_var=False)`, which takes minutes for fifty groups. Its p-value lies
    between that of Welch's test and that number times the number of pairs, which decides most pairs at once.
    """
    if np.ptp(a) == np.ptp(b) == 0:  # no spread to test against
        return a[0] != b[0]
    welch = stats.ttest_ind(a, b, equal_var=False)
    if welch.pvalue > SIGNIFICANCE:
        return False
    if welch.pvalue * math.comb(groups, 2) < SIGNIFICANCE:
        return True
    distance = math.sqrt(2) * abs(welch.statistic)
    return bool(stats.studentized_range.sf(distance, groups, welch.df) < SIGNIFICANCE)


def _letters() -> Iterator[str]:
    """One letter for each column: a … z, A … Z, then those of other alphabets."""
    yield from string.ascii_letters
    yield from (letter for letter in map(chr, itertools.count(ord("α"))) if letter.isalpha())


def compact_letters(groups: Sequence[Sequence[float]]) -> list[str]:
    """The compact letter display: two groups that do not differ share a letter, and two that differ share none.

    groups: at least two values each, in the order in which the table shows them. By insertion and absorption (Piepho
    2004, Journal of Computational and Graphical Statistics 13, 456-466).
    """
    columns = [frozenset(range(len(groups)))] if groups else []
    for i, j in itertools.combinations(range(len(groups)), 2):
        if _differ(groups[i], groups[j], len(groups)):
            split = [column - {member} for column in columns for member in (i, j) if {i, j} <= column]
            columns = [column for column in columns if not {i, j} <= column]
            columns += [column for column in split if not any(column <= other for other in columns)]
    named = list(zip(_letters(), sorted(columns, key=sorted), strict=False))
    return ["".join(letter for letter, column in named if group in column) for group in range(len(groups))]


def rank(turns: Sequence[TurnRecord]) -> list[Ranked]:
    """The cases of one sweep, fastest first; those without a turn that counts come last, by name.

    Raises ValueError for turns of several sweeps, workloads, machines or devices: nothing is ranked across them.
    """
    if len({(turn.sweep, turn.workload, turn.machine.id, turn.device) for turn in turns}) > 1:
        raise ValueError("A ranking takes the turns of one sweep, workload, machine and device.")
    by_case: dict[CaseId, list[TurnRecord]] = {}
    for turn in sorted(turns, key=lambda turn: turn.order):
        by_case.setdefault(CaseId.of(turn), []).append(turn)
    ranking = sorted((_ranked(case, own) for case, own in by_case.items()), key=_order)
    ratios = {case: [log_ratio(turn) for turn in own if counts(turn)] for case, own in by_case.items()}
    compared = [ranked for ranked in ranking if ranked.turns > 1]
    letters = compact_letters([ratios[ranked.case] for ranked in compared])
    for ranked, own_letters in zip(compared, letters, strict=True):
        ranked.letters = own_letters
    return ranking


def _order(ranked: Ranked) -> tuple[bool, float, CaseId]:
    return (
        not ranked.turns,
        ranked.ratio if ranked.turns else 0.0,
        ranked.case._replace(variant=ranked.case.variant or ""),
    )


def _ranked(case: CaseId, turns: Sequence[TurnRecord]) -> Ranked:
    """One case from its own turns, in order; without letters, which depend on the others."""
    good = [turn for turn in turns if counts(turn)]
    ratio, step = estimate([log_ratio(turn) for turn in good]), estimate([_step(turn) for turn in good])
    compiled = [seconds for turn in good if (seconds := turn.compile_seconds) is not None]
    failures = [turn for turn in turns if turn.status != "ok"]
    disturbed = sum(turn.status == "ok" and bool(turn.disturbed) for turn in turns)
    return Ranked(
        case=case,
        turns=len(good),
        ratio=math.exp(ratio.value),
        low=math.exp(ratio.low),
        high=math.exp(ratio.high),
        letters="",
        step=step.value,
        step_low=step.low,
        step_high=step.high,
        compile=statistics.median(compiled) if compiled else math.nan,
        disturbed=disturbed,
        version=next((turn.version for turn in reversed(turns) if turn.version), None),
        status="ok" if good else failures[-1].status if failures else "disturbed",
        reason=failures[-1].reason if failures else None,
    )


def equivalent(a: Sequence[float], b: Sequence[float], margin: float = MARGIN) -> Equivalence:
    """Whether two accuracies, given for several seeds each, differ by less than the margin: two one-sided tests.

    They are equivalent if the mean of `a` is above that of `b` less the margin, and below that plus the margin, both at
    5 %; different if one of the opposites is significant. Welch's tests, so that the spreads may differ. With one seed
    on a side nothing is known.
    """
    if min(len(a), len(b)) < 2:
        return Equivalence.UNKNOWN
    if _lies("greater", a, b, -margin) and _lies("less", a, b, margin):
        return Equivalence.EQUIVALENT
    if _lies("greater", a, b, margin) or _lies("less", a, b, -margin):
        return Equivalence.DIFFERENT
    return Equivalence.UNKNOWN


def _lies(side: str, a: Sequence[float], b: Sequence[float], bound: float) -> bool:
    """Whether the mean of `a` less that of `b` lies significantly on this side of the bound."""
    if np.ptp(a) == np.ptp(b) == 0:  # no spread to test against
        difference = a[0] - b[0]
        return difference > bound if side == "greater" else difference < bound
    shifted = np.asarray(a) - bound
    return bool(stats.ttest_ind(shifted, b, equal_var=False, alternative=side).pvalue < SIGNIFICANCE)
