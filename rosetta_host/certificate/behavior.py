"""What single steps cannot show: how an example initializes and shuffles, read off its weights.

An example returns only weights and scores, so the weights after an epoch on the probe samples of a workload's protocol
show which samples each step saw.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rosetta_common import weights
from rosetta_host.catalog.frameworks import Implementation
from rosetta_host.certificate import protocol
from rosetta_host.certificate.limits import AGREEMENT_LIMIT
from rosetta_host.certificate.protocol import BATCH, Samples
from rosetta_host.certificate.steps import Trace
from rosetta_host.records.store import Check

VARIANCE_DEVIATIONS = 6  # standard deviations of the variance of a uniform sample


def _start_figure(name: str, value: np.ndarray, kind: str, scale: float) -> tuple[bool, float]:
    """Whether the values follow the distribution, and their standard deviation over the expected one."""
    expected = scale / np.sqrt(3) if kind == "uniform" else scale
    # The relative error of a sample's variance: kurtosis 1.8 if uniform, 3 if normal.
    spread = (0.9 if kind == "uniform" else 1.5) / np.sqrt(value.size)
    ratio = float(value.std() / expected)
    inside = kind != "uniform" or scale * (1 - 30 / value.size) < np.abs(value).max() <= scale * (1 + 1e-6)
    return bool(inside and abs(ratio**2 - 1) < VARIANCE_DEVIATIONS * spread), ratio


def judge_start(trace: Trace, implementation: Implementation, workload: str) -> Iterator[Check]:
    """Check the weights after init_model: distribution, bounds and variance, zero biases, the effect of the seed."""
    first = trace.weights("start0")
    declared = implementation.workload(workload).start
    ratios, wrong = {}, []
    for name, value in first.items():
        if value.ndim == 1:
            ok = not value.any()
            ratios[name] = float(np.abs(value).max())
        else:
            distribution = declared.get(name)
            scale = distribution.scale if distribution else weights.bound(workload, name)
            ok, ratios[name] = _start_figure(name, value, distribution.kind if distribution else "uniform", scale)
        if not ok:
            wrong.append(name)
    reason = "; ".join(f"{name}: {distribution.reason}" for name, distribution in declared.items()) or None
    yield Check("start: distribution", not wrong, where=", ".join(wrong) or None, reason=reason, figures=ratios)
    again, other_seed = trace.weights("start0again"), trace.weights("start1")
    same = [name for name, value in first.items() if not np.array_equal(value, again[name])]
    yield Check("start: same seed, same weights", not same, where=", ".join(same) or None)
    still = [name for name, value in first.items() if value.ndim > 1 and np.array_equal(value, other_seed[name])]
    yield Check("start: other seed, other weights", not still, where=", ".join(still) or None)


def judge_shuffle(trace: Trace, workload: str, samples: Samples, partial: bool) -> Iterator[Check]:
    """Every sample once an epoch; orders that differ between neighbors, seeds and epochs.

    Each epoch is judged before the next is read: the first one already shows whether anything is shuffled.
    """
    full, rest = divmod(protocol.of(workload).shuffled, BATCH)
    sizes = [BATCH] * full + ([rest] if partial else [])
    visits = protocol.of(workload).visits(trace, samples, sizes)
    other_seed = next(visits)
    yield _once("other seed", other_seed, sizes)
    yield _unlike("samples, not blocks", other_seed[1:], other_seed[:-1])
    first = next(visits)
    yield _once("first epoch", first, sizes)
    yield _unlike("seeds in different orders", first, other_seed)
    second = next(visits)
    yield _once("second epoch", second, sizes)
    yield _unlike("epochs in different orders", second, first)


def _once(epoch: str, steps: np.ndarray, sizes: list[int]) -> Check:
    expected = [len(steps) - sum(sizes), *sizes]
    counts = np.bincount(steps, minlength=len(expected)).tolist()
    figures = {f"step {step}" if step else "never": float(count) for step, count in enumerate(counts)}
    return Check(f"shuffle: every sample once, {epoch}", counts == expected, figures=figures)


def _unlike(what: str, a: np.ndarray, b: np.ndarray) -> Check:
    agreement = float(np.mean(a == b))
    return Check(f"shuffle: {what}", agreement <= AGREEMENT_LIMIT, agreement, AGREEMENT_LIMIT)
