"""What single steps cannot show: how an example starts, shuffles, and drops units out, read off its weights.

The verbs give nothing but weights and scores, so the probes of `protocol` are made such that the
weights tell: which samples each step of an epoch saw, and which units were silent in a step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rosetta_common import params, weights
from rosetta_host.catalog.frameworks import Row
from rosetta_host.certificate import oracle, protocol
from rosetta_host.certificate.limits import AGREEMENT_LIMIT, DROPOUT_LIMIT
from rosetta_host.certificate.protocol import BATCH, Arrays, Samples
from rosetta_host.certificate.steps import Limits, Trace, difference, scores_check
from rosetta_host.records.store import Check

ROUGHLY = "float32"  # tells in which step an image was seen as well as float64 does, in half the time
VARIANCE_DEVIATIONS = 6  # standard deviations of the variance of a uniform sample


def _start_bound(name: str, shape: tuple[int, ...]) -> float:
    """The bound of the project's uniform law: Glorot's, or the embedding's."""
    return params.gru.embedding_bound if name == "embedding" else float(np.sqrt(6 / sum(weights.fans(shape))))


def _start_figure(name: str, value: np.ndarray, law: str, scale: float) -> tuple[bool, float]:
    """Whether the values follow the law, and their deviation over the expected one."""
    expected = scale / np.sqrt(3) if law == "uniform" else scale
    # The relative error of a sample's variance: kurtosis 1.8 for the uniform law, 3 for the normal one.
    spread = (0.9 if law == "uniform" else 1.5) / np.sqrt(value.size)
    ratio = float(value.std() / expected)
    inside = law != "uniform" or scale * (1 - 30 / value.size) < np.abs(value).max() <= scale * (1 + 1e-6)
    return bool(inside and abs(ratio**2 - 1) < VARIANCE_DEVIATIONS * spread), ratio


def judge_start(trace: Trace, row: Row, workload: str) -> Iterator[Check]:
    """After init_model: law, bounds and variance of each weight, zero biases, and what the seed changes."""
    first = trace.weights("start0")
    declared = row.workload(workload).start
    ratios, wrong = {}, []
    for name, value in first.items():
        if value.ndim == 1:
            ok = not value.any()
            ratios[name] = float(np.abs(value).max())
        else:
            law = declared.get(name)
            scale = law.scale if law else _start_bound(name, value.shape)
            ok, ratios[name] = _start_figure(name, value, law.law if law else "uniform", scale)
        if not ok:
            wrong.append(name)
    reason = "; ".join(f"{name}: {law.reason}" for name, law in declared.items()) or None
    yield Check("start: law", not wrong, where=", ".join(wrong) or None, reason=reason, figures=ratios)
    again, other = trace.weights("start0again"), trace.weights("start1")
    same = [name for name, value in first.items() if not np.array_equal(value, again[name])]
    yield Check("start: same seed, same weights", not same, where=", ".join(same) or None)
    still = [name for name, value in first.items() if value.ndim > 1 and np.array_equal(value, other[name])]
    yield Check("start: other seed, other weights", not still, where=", ".join(still) or None)


def _visits_of_rows(before: Arrays, after: Arrays, first: int, sizes: list[int]) -> np.ndarray:
    """GRU: in which step of the epoch each review was seen, 0 = never, from how far its word's row moved.

    Under Adam a row moves from the step that first sees it on, about as far each step whatever
    its gradient: earlier visits have moved farther. The loop's check has counted the steps, so as
    many rows moved as the steps have places means that each was seen once.
    """
    rows = slice(protocol.FIRST_ROW + first, protocol.FIRST_ROW + first + protocol.SHUFFLED["gru"])
    moved = np.linalg.norm(after["embedding"][rows] - before["embedding"][rows], axis=1)
    visited = np.flatnonzero(moved > 1e-3 * moved.max())
    steps = np.zeros(len(moved), int)
    ends = np.cumsum(sizes)
    steps[visited[np.argsort(-moved[visited])]] = 1 + np.searchsorted(ends, np.arange(len(visited)), side="right")
    return steps


def _outer(at: Arrays, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """CNN: each sample's gradient of fc2.weight and fc2.bias, as columns (5130, n)."""
    hidden = oracle.hidden(at, x, ROUGHLY).astype(np.float64)
    chances = oracle.softmax(hidden @ at["fc2.weight"].T + at["fc2.bias"])
    chances[np.arange(len(y)), y] -= 1
    hidden = np.hstack([hidden, np.ones((len(y), 1))])
    return (chances[:, :, None] * hidden[:, None, :]).reshape(len(y), -1).T


def _head(arrays: Arrays) -> np.ndarray:
    return np.hstack([arrays["fc2.weight"], arrays["fc2.bias"][:, None]]).reshape(-1)


def _walk(
    at: Arrays, velocity: Arrays, x: np.ndarray, y: np.ndarray, steps: np.ndarray, sizes: list[int]
) -> tuple[list[Arrays], Arrays]:
    """CNN: the weights before each step of an epoch that sees these images in these steps; the velocity it leaves."""
    points = []
    for step, size in enumerate(sizes, start=1):
        points.append(at)
        seen = steps == step
        velocity = {name: params.cnn.momentum * value for name, value in velocity.items()}
        if seen.any():
            _, gradients = oracle.gradients("cnn", at, x[seen], y[seen], dtype=ROUGHLY)
            velocity = {name: value + seen.sum() / size * gradients[name] for name, value in velocity.items()}
        at = {name: value - params.cnn.learning_rate * velocity[name] for name, value in at.items()}
    return points, velocity


def _visits_of_gradients(
    before: Arrays, after: Arrays, velocity: Arrays, x: np.ndarray, y: np.ndarray, sizes: list[int]
) -> tuple[np.ndarray, Arrays | None]:
    """CNN: in which step of the epoch each image was seen, 0 = never.

    The movement of the last layer is a sum of the images' own gradients, each times what momentum
    has made of it since its step: least squares gives the factors back, and they tell the step.
    Later steps saw other weights than the first: their columns are taken on the way to `after`,
    and the difference is taken off before solving again. The way is first thought straight. Where the
    last batch is a small one, that gives a few images of 138 to the wrong step; then it is walked.

    Beside them the velocity that the epoch leaves, where the way was walked by these very steps: to walk takes seconds.
    """
    rate, momentum = params.cnn.learning_rate, params.cnn.momentum
    count = len(sizes)
    factors = [sum(momentum**i for i in range(count - step)) for step in range(count)]
    carried = sum(momentum ** (i + 1) for i in range(count))
    moved = (_head(before) - _head(after)) / rate - carried * _head(velocity)
    scaled = np.array([0.0, *(factor * sizes[0] / size for factor, size in zip(factors, sizes, strict=True))])
    columns = _outer(before, x, y) / sizes[0]

    def drift(point: Arrays, seen: np.ndarray, step: int) -> np.ndarray:
        there, here = _outer(point, x[seen], y[seen]) / sizes[step], columns[:, seen] * sizes[0] / sizes[step]
        return factors[step] * (there - here).sum(axis=1)

    def solve(points: list[Arrays], steps: np.ndarray) -> np.ndarray:
        for _ in range(3):
            later = [(step, steps == step + 1) for step in range(1, count)]
            drifts = sum((drift(points[step], seen, step) for step, seen in later if seen.any()), np.zeros(len(moved)))
            solved = np.linalg.lstsq(columns, moved - drifts, rcond=None)[0]
            last, steps = steps, np.argmin(np.abs(solved[:, None] - scaled), axis=1)
            if np.array_equal(last, steps):
                break
        return steps

    ways = [0.8 * step / count for step in range(count)]
    points = [{name: before[name] + way * (after[name] - before[name]) for name in before} for way in ways]
    steps = solve(points, np.zeros(len(x), int))
    if sizes[-1] == sizes[0]:
        return steps, None
    points, left = _walk(before, velocity, x, y, steps, sizes)
    final = solve(points, steps)
    return final, left if np.array_equal(final, steps) else None


def _visits(trace: Trace, workload: str, samples: Samples, sizes: list[int]) -> Iterator[np.ndarray]:
    """The steps in which each sample was seen: first epoch of one seed, first and second epoch of another."""
    count = protocol.SHUFFLED[workload]
    canonical = {name: value.astype(np.float64) for name, value in weights.canonical(workload).items()}
    if workload == "gru":
        yield _visits_of_rows(canonical, trace.weights("other"), 0, sizes)
        first = trace.weights("first")
        yield _visits_of_rows(canonical, first, 0, sizes)
        yield _visits_of_rows(first, trace.weights("second"), count, sizes)
        return
    a, b = slice(count), slice(count, 2 * count)
    still = {name: np.zeros_like(value) for name, value in canonical.items()}
    x_a, y_a, x_b, y_b = samples.x_train[a], samples.y_train[a], samples.x_train[b], samples.y_train[b]
    yield _visits_of_gradients(canonical, trace.weights("other"), still, x_a, y_a, sizes)[0]
    first = trace.weights("first")
    visits, velocity = _visits_of_gradients(canonical, first, still, x_a, y_a, sizes)
    yield visits
    if velocity is None:
        _, velocity = _walk(canonical, still, x_a, y_a, visits, sizes)
    yield _visits_of_gradients(first, trace.weights("second"), velocity, x_b, y_b, sizes)[0]


def judge_shuffle(trace: Trace, workload: str, samples: Samples, partial: bool) -> Iterator[Check]:
    """Every sample once an epoch; orders that differ between neighbors, seeds and epochs.

    Each epoch is judged before the next is read, for the first one shows whether anything is shuffled at all.
    """
    full, rest = divmod(protocol.SHUFFLED[workload], BATCH)
    sizes = [BATCH] * full + ([rest] if partial else [])
    visits = _visits(trace, workload, samples, sizes)
    other = next(visits)
    yield _once("other seed", other, sizes)
    yield _unlike("samples, not blocks", other[1:], other[:-1])
    first = next(visits)
    yield _once("first epoch", first, sizes)
    yield _unlike("seeds in different orders", first, other)
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


def _silent(movement: np.ndarray, axis: int) -> np.ndarray:
    """Which units' weights did not move at all: the largest movement along `axis` is (nearly) zero."""
    largest = np.abs(movement).max(axis=axis)
    return largest < 1e-4 * np.median(largest[largest > 0]) if largest.any() else np.ones(largest.shape, bool)


def _masks(movement: Arrays) -> list[np.ndarray]:
    """The units that dropout silenced in one step, True where silenced: after pool 1, after pool 2, before fc2."""
    kernels = movement["conv3.weight"]
    kernels = kernels[np.abs(kernels).max(axis=(1, 2, 3)) > 0].reshape(-1, kernels[0].size)
    silent = np.abs(kernels) < 1e-4 * np.median(np.abs(kernels), axis=1, keepdims=True)
    # Output channels whose maximum lies at the same place of the window see the same units: count those once.
    return [np.unique(silent, axis=0), _silent(movement["fc1.weight"], 0), _silent(movement["fc2.weight"], 0)]


def judge_dropout(trace: Trace, scores_before: np.ndarray, limits: Limits) -> Iterator[Check]:
    """Off in prediction; in training on, at each place at its rate, with other units for another seed."""
    off = scores_check(limits, "scores before", trace.scores("with_dropout"), scores_before)
    off.name = "dropout: off in prediction"
    yield off
    seeds = [
        _masks(difference(trace.weights(f"after{seed}"), trace.weights(f"before{seed}")))
        for seed in protocol.DROPOUT_SEEDS
    ]
    for place, rate in enumerate(params.cnn.dropout):
        found = float(np.mean(np.concatenate([masks[place].ravel() for masks in seeds])))
        error = abs(found - rate)
        name = f"dropout: rate at place {place + 1}"
        yield Check(name, error <= DROPOUT_LIMIT, error, DROPOUT_LIMIT, figures={"found": found, "stated": rate})
    same = all(np.array_equal(seeds[0][2], masks[2]) for masks in seeds[1:])
    yield Check("dropout: other seed, other units", not same)
