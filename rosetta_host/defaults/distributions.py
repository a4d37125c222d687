"""Infers the distribution of initial weights by measurement: its kind, and by which rule of the fans.

A distribution is only named if the sample agrees with it (Kolmogorov and Smirnov's distance) and its scale is a
known rule's; otherwise its kind and its measured scale are given, or "unknown". Sizes of the probes are chosen
such that no two rules lie closer together than the scale can be measured, but for a square matrix, on
which Glorot's and LeCun's rules agree: then both are named.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from rosetta_host.records.codes import Code, Rule
from rosetta_host.records.store import Answer

DISTANCE = 2.4  # over √n: a sample of its own distribution exceeds it once in 50,000; all frameworks give 200 samples
CUT = 2.0  # standard deviations at which frameworks truncate a normal distribution
CUT_DEVIATION = 0.8796256610342398  # standard deviation of a standard normal distribution truncated at ± 2
FEW = 8  # fewer numbers do not show a distribution


def distribution(sample: np.ndarray, fan_in: int, fan_out: int) -> Answer:
    """The distribution of a sample of weights, with the figures that support it."""
    flat = np.asarray(sample, dtype=np.float64).ravel()
    if not np.isfinite(flat).all():
        return Answer(Code.UNKNOWN, reason="some of the weights are not finite")
    if np.ptp(flat) == 0:
        value = float(flat[0])
        constant = Answer(Code.CONSTANT, float(f"{value:g}"), figures={"value": value})
        return constant if value else Answer(Code.ZEROS, figures={"value": value})
    if _orthogonal(np.asarray(sample, dtype=np.float64)):
        return Answer(Code.ORTHOGONAL)
    if len(flat) < FEW:
        return Answer(Code.UNKNOWN, reason="too few numbers to infer a distribution")
    kinds = sorted(_kinds(flat), key=lambda fit: fit[1])
    possible = [fit for fit in kinds if fit[1] <= DISTANCE / math.sqrt(len(flat))]
    # A hundred numbers may fit several distributions; a scale that is a known rule's is no accident.
    ruled = [fit for fit in possible if _rules_of(fit[0], fit[2], len(flat), fan_in, fan_out)]
    kind, distance, scale = (ruled or possible or kinds)[0]
    figures: dict[str, float | None] = {"scale": scale, "distance": distance, "numbers": float(len(flat))}
    if not possible:
        return Answer(Code.UNKNOWN, figures=figures, reason=f"nearest to a {kind} distribution, but does not fit it")
    rules = _rules_of(kind, scale, len(flat), fan_in, fan_out)
    return Answer(kind, None if rules else _rounded(kind, scale, len(flat)), rules, figures=figures)


def _kinds(flat: np.ndarray) -> Iterator[tuple[Code, float, float]]:
    """Each kind of distribution around zero with its distance from the sample, and the scale of the one that fits best.

    The scale of a uniform distribution is its bound, that of the others their standard deviation.
    """
    n, deviation = len(flat), math.sqrt(float(np.mean(flat**2)))
    bound = float(np.abs(flat).max()) * (n + 1) / n
    yield Code.UNIFORM, _distance(flat, (flat / bound + 1) / 2), bound
    yield Code.NORMAL, _distance(flat, _normal(flat / deviation)), deviation
    whole = deviation / CUT_DEVIATION
    if np.abs(flat).max() <= CUT * whole * 1.05:
        outside = _normal(np.array([-CUT]))[0]
        yield Code.TRUNCATED_NORMAL, _distance(flat, (_normal(flat / whole) - outside) / (1 - 2 * outside)), deviation


def _normal(z: np.ndarray) -> np.ndarray:
    """The cumulative distribution function of the standard normal distribution."""
    return 0.5 * (1 + np.vectorize(math.erf)(z / math.sqrt(2)))


def _distance(flat: np.ndarray, expected: np.ndarray) -> float:
    """Kolmogorov and Smirnov's: the largest gap between the sample's distribution and `expected` at its numbers."""
    steps = np.arange(len(flat) + 1) / len(flat)
    ordered = np.sort(expected)
    return float(max(np.abs(steps[1:] - ordered).max(), np.abs(steps[:-1] - ordered).max()))


def _rules(kind: Code, fan_in: int, fan_out: int) -> dict[Rule, float]:
    """The scales that frameworks know, by their names."""
    if kind == Code.UNIFORM:
        return {
            Rule.GLOROT: math.sqrt(6 / (fan_in + fan_out)),
            Rule.HE: math.sqrt(6 / fan_in),
            Rule.LECUN: math.sqrt(3 / fan_in),
            Rule.FAN_IN: math.sqrt(1 / fan_in),
            Rule.FAN_OUT: math.sqrt(1 / fan_out),
        }
    return {
        Rule.GLOROT: math.sqrt(2 / (fan_in + fan_out)),
        Rule.HE: math.sqrt(2 / fan_in),
        Rule.LECUN: math.sqrt(1 / fan_in),
    }


def _tolerance(kind: Code, n: int) -> float:
    """How far off, as a share, the scale of n numbers is at most once in a thousand."""
    return 6 / n + 0.002 if kind == Code.UNIFORM else 3.3 / math.sqrt(2 * n)


def _rules_of(kind: Code, scale: float, n: int, fan_in: int, fan_out: int) -> tuple[Rule, ...]:
    """The rule whose scale is the measured one, within what n numbers can tell; two where they agree, or none."""
    near = {name: abs(value / scale - 1) for name, value in _rules(kind, fan_in, fan_out).items()}
    nearest = min(near.values())
    if nearest > _tolerance(kind, n):
        return ()
    return tuple(name for name, off in near.items() if math.isclose(off, nearest))


def _rounded(kind: Code, scale: float, n: int) -> float:
    """The roundest number that the measured scale may stand for, so that the next sample gives the same one.

    Rounded to two digits instead, a deviation of 0.125 is 0.12 by one sample and 0.13 by another.
    """
    magnitude = math.floor(math.log10(scale))
    units = (unit * 10.0**power for power in itertools.count(magnitude, -1) for unit in (1, 0.5))
    rounded = (round(scale / unit) * unit for unit in units)
    number = next(number for number in rounded if abs(number / scale - 1) <= _tolerance(kind, n))
    return float(f"{number:.4g}")


def _orthogonal(weight: np.ndarray) -> bool:
    """Whether the shorter of a matrix's sides, or each of three gates one above the other, is orthonormal."""
    if weight.ndim != 2 or min(weight.shape) < FEW:
        return False
    gates = np.split(weight, 3) if len(weight) == 3 * weight.shape[1] else []
    return _orthonormal(weight) or (bool(gates) and all(map(_orthonormal, gates)))


def _orthonormal(weight: np.ndarray) -> bool:
    short = weight if weight.shape[0] <= weight.shape[1] else weight.T
    return bool(np.abs(short @ short.T - np.eye(len(short))).max() < 1e-4)
