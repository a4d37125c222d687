"""Holds a framework's trace against the oracle: every check of the certificate, with its figure and its limit.

The oracle re-synchronises at every step: at the framework's own exported weights it computes loss
and gradient in float64 and predicts the movement to the next. Comparing the weights after five
steps with an absolute limit does not work: float32 noise and a momentum wrong by 1 % overlap.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from rosetta_common import params, weights
from rosetta_common.host import oracle, protocol
from rosetta_common.host.catalogue import Row, Tolerance
from rosetta_common.host.protocol import BATCH, STEPS, Arrays, Samples
from rosetta_common.host.records import Check

# Measured in five ways of computing float32 and with every error of mutants.toml: see "How the numbers are made".
LIMITS = {
    "cnn": {"scores": 1e-6, "loss": 1e-5, "step median": 5e-4, "step worst": 2e-2, "tensor median": 3e-3},
    "gru": {"scores": 1e-6, "loss": 1e-5, "step median": 5e-5, "step worst": 1e-3, "tensor median": 5e-4},
}
FLOAT64_LIMIT = 1e-10
AGREEMENT_LIMIT = 0.7  # of two epochs' batches; independent shuffles agree on 0.3 to 0.45 of the samples
DROPOUT_LIMIT = 0.05  # on a rate: four standard deviations of the units that are counted
VARIANCE_DEVIATIONS = 6  # standard deviations of the variance of a uniform sample


Optimiser = oracle.SGD | oracle.Adam


class Limits(msgspec.Struct):
    """The limits for one example and dtype: the project's, or wider ones that the folder declares with a reason."""

    workload: str
    dtype: str
    declared: dict[str, Tolerance]

    def check(
        self, name: str, figure: float, where: str | None = None, figures: dict[str, float] | None = None
    ) -> Check:
        """The figure held against the limit of this name; anything but a number below the limit fails."""
        full = name if self.dtype == "float32" else f"{self.dtype}: {name}"
        limit, reason = self._limit(name), None
        if full in self.declared:
            limit, reason = self.declared[full].limit, self.declared[full].reason
        return Check(full, bool(figure <= limit), _finite(figure), limit, where, reason, figures or {})

    def _limit(self, name: str) -> float:
        if self.dtype == "float64":
            return FLOAT64_LIMIT
        known = LIMITS[self.workload]
        names = {"scores before": "scores", "scores after": "scores", "loop": "step worst", "schedule": "step worst"}
        return known[names.get(name, name)]


def _finite(figure: float) -> float | None:
    return float(figure) if np.isfinite(figure) else None


class Trace(msgspec.Struct):
    """What a traced process left in its folder."""

    folder: Path

    def weights(self, name: str) -> Arrays:
        """Exported weights, in float64."""
        with np.load(self.folder / f"{name}.npz") as file:
            return {key: file[key].astype(np.float64) for key in file.files}

    def scores(self, name: str) -> np.ndarray:
        return np.load(self.folder / f"{name}.npy").astype(np.float64)

    def losses(self) -> dict[str, float]:
        return json.loads((self.folder / "result.json").read_text("utf-8"))["losses"]


def _difference(a: Arrays, b: Arrays) -> Arrays:
    return {name: a[name] - b[name] for name in a}


def _norm(arrays: Arrays) -> float:
    return float(np.sqrt(sum(np.vdot(array, array) for array in arrays.values())))


def _relative(error: float, size: float) -> float:
    return error / size if size else float("inf") if error else 0.0


def step_figures(actual: Arrays, predicted: Arrays) -> tuple[float, dict[str, float]]:
    """‖movement - predicted‖ / ‖predicted‖ over all parameters, and the same for each tensor."""
    errors = _difference(actual, predicted)
    tensors = {name: _relative(_norm({name: errors[name]}), _norm({name: predicted[name]})) for name in predicted}
    return _relative(_norm(errors), _norm(predicted)), tensors


def _scores_check(limits: Limits, name: str, found: np.ndarray, expected: np.ndarray) -> Check:
    if found.shape != expected.shape:
        check = limits.check(name, float("nan"))
        check.reason = f"predict gave scores of shape {found.shape}, not {expected.shape}."
        return check
    error = np.abs(found - expected)
    sample, label = np.unravel_index(np.argmax(error), error.shape)
    return limits.check(name, float(error.max()), f"sample {sample}, class {label}")


def _canonical_check(limits: Limits, found: Arrays) -> Check:
    """What was imported comes out again, unchanged, under canonical names and shapes."""
    full = "weights" if limits.dtype == "float32" else f"{limits.dtype}: weights"
    try:
        weights.check(limits.workload, found)
    except ValueError as error:
        return Check(full, False, reason=f"export_weights: {error}")
    canonical = weights.canonical(limits.workload)
    errors = {name: float(np.abs(found[name] - canonical[name]).max()) for name in canonical}
    worst = max(errors, key=errors.__getitem__)
    return Check(full, errors[worst] == 0, errors[worst], 0.0, worst)


def judge_steps(
    trace: Trace, samples: Samples, limits: Limits, forms: dict[str, str], partial: bool
) -> Iterator[Check]:
    """Weights, scores, losses, single steps, the loop and the schedule, in the order in which they can fail."""
    workload = limits.workload
    before = trace.weights("w0")
    canonical = _canonical_check(limits, before)
    yield canonical
    if not canonical.ok:
        return
    scores = oracle.scores(workload, before, samples.x_test, forms)
    yield _scores_check(limits, "scores before", trace.scores("before"), scores)
    optimiser = oracle.optimiser(workload, forms)
    yield from _judge_five(trace, samples, limits, forms, optimiser)
    after = trace.weights(f"w{STEPS}")
    yield _scores_check(
        limits, "scores after", trace.scores("after"), oracle.scores(workload, after, samples.x_test, forms)
    )
    yield from _judge_loop(trace, samples, limits, forms, optimiser, partial)


def _predicted(
    workload: str, at: Arrays, x: np.ndarray, y: np.ndarray, forms: dict[str, str], optimiser: Optimiser
) -> tuple[float, Arrays]:
    loss, gradients = oracle.gradients(workload, at, x, y, forms)
    return loss, optimiser.movement(gradients)


def _judge_five(
    trace: Trace, samples: Samples, limits: Limits, forms: dict[str, str], optimiser: Optimiser
) -> Iterator[Check]:
    losses, figures, tensors = [], [], []
    reported = trace.losses()
    at = trace.weights("w0")
    for k in range(STEPS):
        batch = slice(k * BATCH, (k + 1) * BATCH)
        loss, predicted = _predicted(
            limits.workload, at, samples.x_train[batch], samples.y_train[batch], forms, optimiser
        )
        to = trace.weights(f"w{k + 1}")
        actual = _difference(to, at)
        figure, of_tensors = step_figures(actual, predicted)
        losses.append(abs(reported[f"step{k + 1}"] - loss))
        figures.append(figure)
        tensors.append(of_tensors)
        optimiser.resynchronise(actual)
        at = to
    yield limits.check("loss", max(losses, key=_nan_last), f"step {_worst(losses) + 1}")
    medians = {name: float(np.median([of_step[name] for of_step in tensors])) for name in tensors[0]}
    worst = max(medians, key=lambda name: _nan_last(medians[name]))
    by_step = {f"step {k + 1}": figure for k, figure in enumerate(figures)}
    yield limits.check("step median", float(np.median(figures)), f"worst tensor: {worst}", by_step)
    k = _worst(figures)
    tensor = max(tensors[k], key=lambda name: _nan_last(tensors[k][name]))
    yield limits.check("step worst", figures[k], f"step {k + 1}, {tensor}")
    yield limits.check("tensor median", medians[worst], worst, medians)


def _nan_last(figure: float) -> float:
    return float("inf") if np.isnan(figure) else figure


def _worst(figures: list[float]) -> int:
    return max(range(len(figures)), key=lambda k: _nan_last(figures[k]))


def _judge_loop(
    trace: Trace, samples: Samples, limits: Limits, forms: dict[str, str], optimiser: Optimiser, partial: bool
) -> Iterator[Check]:
    """An epoch of copies of one sample is three known steps, whatever the shuffle; then the rates still hold."""
    start = trace.weights(f"w{STEPS}")
    at = dict(start)
    for _ in range(protocol.COPIES // BATCH + partial):
        _, predicted = _predicted(limits.workload, at, samples.x_train[:1], samples.y_train[:1], forms, optimiser)
        at = {name: at[name] + predicted[name] for name in at}
    found = trace.weights("loop")
    figure, tensors = step_figures(_difference(found, start), _difference(at, start))
    yield limits.check("loop", figure, max(tensors, key=lambda name: _nan_last(tensors[name])))
    figures = []
    for k in range(2):
        batch = slice(k * BATCH, (k + 1) * BATCH)
        _, predicted = _predicted(
            limits.workload, found, samples.x_train[batch], samples.y_train[batch], forms, optimiser
        )
        to = trace.weights(f"again{k + 1}")
        actual = _difference(to, found)
        figures.append(step_figures(actual, predicted)[0])
        optimiser.resynchronise(actual)
        found = to
    yield limits.check("schedule", figures[_worst(figures)], f"step {_worst(figures) + 1} after the epoch")


def _start_bound(name: str, shape: tuple[int, ...]) -> float:
    """The bound of the project's uniform law: Glorot's, or the embedding's."""
    return params.gru.embedding_bound if name == "embedding" else float(np.sqrt(6 / sum(weights.fans(shape))))


def _start_figure(name: str, value: np.ndarray, law: str, scale: float) -> tuple[bool, float]:
    """Whether the values follow the law, and their deviation over the expected one."""
    expected = scale / np.sqrt(3) if law == "uniform" else scale
    spread = (0.9 if law == "uniform" else 1.5) / np.sqrt(
        value.size
    )  # of a variance's relative error, kurtosis 1.8 or 3
    ratio = float(value.std() / expected)
    inside = law != "uniform" or scale * (1 - 30 / value.size) < np.abs(value).max() <= scale * (1 + 1e-6)
    return bool(inside and abs(ratio**2 - 1) < VARIANCE_DEVIATIONS * spread), ratio


def judge_start(trace: Trace, row: Row, workload: str) -> Iterator[Check]:
    """After init_model: law, bounds and variance of each weight, zero biases, and what the seed changes."""
    first, again, other = (trace.weights(name) for name in ("start0", "start0again", "start1"))
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
    same = [name for name, value in first.items() if not np.array_equal(value, again[name])]
    yield Check("start: same seed, same weights", not same, where=", ".join(same) or None)
    still = [name for name, value in first.items() if value.ndim > 1 and np.array_equal(value, other[name])]
    yield Check("start: other seed, other weights", not still, where=", ".join(still) or None)


def _visits_of_rows(before: Arrays, after: Arrays, first: int) -> np.ndarray:
    """GRU: in which step of the epoch each review was seen, 0 = never, from how far its word's row moved.

    Under Adam a row moves from the step that first sees it on, about as far each step whatever
    its gradient: earlier visits have moved farther.
    """
    count = protocol.SHUFFLED["gru"]
    rows = slice(1003 + first, 1003 + first + count)
    moved = np.linalg.norm(after["embedding"][rows] - before["embedding"][rows], axis=1)
    steps = np.zeros(count, int)
    visited = np.flatnonzero(moved > 1e-3 * moved.max())
    for step, part in enumerate(
        np.array_split(visited[np.argsort(-moved[visited], kind="stable")], -(-len(visited) // BATCH))
    ):
        steps[part] = step + 1
    return steps


def _outer(at: Arrays, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """CNN: each sample's gradient of fc2.weight and fc2.bias, as columns (5130, n)."""
    chances = oracle.softmax(oracle.scores("cnn", at, x))
    chances[np.arange(len(y)), y] -= 1
    hidden = np.hstack([oracle.hidden(at, x), np.ones((len(y), 1))])
    return (chances[:, :, None] * hidden[:, None, :]).reshape(len(y), -1).T


def _head(arrays: Arrays) -> np.ndarray:
    return np.hstack([arrays["fc2.weight"], arrays["fc2.bias"][:, None]]).reshape(-1)


def _visits_of_gradients(
    before: Arrays, after: Arrays, velocity: np.ndarray, x: np.ndarray, y: np.ndarray, sizes: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """CNN: in which step of the epoch each image was seen, 0 = never; and the velocity that the epoch leaves.

    The movement of the last layer is a sum of the images' own gradients, each times what momentum
    has made of it since its step: least squares gives the factors back, and they tell the step.
    Later steps saw other weights than the first: their columns are taken on the way to `after`,
    and the difference is taken off before solving again. Without it, in a second epoch one image
    in 138 was given to the wrong step.
    """
    rate, momentum = params.cnn.learning_rate, params.cnn.momentum
    count = len(sizes)
    ways = [0.8 * step / count for step in range(count)]
    points = [{name: before[name] + way * (after[name] - before[name]) for name in before} for way in ways]
    columns = [_outer(point, x, y) / size for point, size in zip(points, sizes, strict=True)]
    factors = [sum(momentum**i for i in range(count - step)) for step in range(count)]
    carried = sum(momentum ** (i + 1) for i in range(count))
    moved = (_head(before) - _head(after)) / rate - carried * velocity
    scaled = np.array([0.0, *(factor * sizes[0] / size for factor, size in zip(factors, sizes, strict=True))])
    steps = np.zeros(len(x), int)
    for _ in range(3):
        seen = [steps == step + 1 for step in range(count)]
        first = [columns[0] * sizes[0] / size for size in sizes]
        drift = sum(f * (c - c0)[:, at].sum(axis=1) for f, c, c0, at in zip(factors, columns, first, seen, strict=True))
        solved = np.linalg.lstsq(columns[0], moved - drift, rcond=None)[0]
        steps = np.argmin(np.abs(solved[:, None] - scaled), axis=1)
    left = [momentum ** (count - 1 - step) * columns[step][:, steps == step + 1].sum(axis=1) for step in range(count)]
    return steps, momentum**count * velocity + sum(left)


def _agreement(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean(a == b))


def _visits(trace: Trace, workload: str, samples: Samples, sizes: list[int]) -> dict[str, np.ndarray]:
    """The steps in which each sample was seen: first and second epoch of one seed, first epoch of another."""
    count = protocol.SHUFFLED[workload]
    canonical = {name: value.astype(np.float64) for name, value in weights.canonical(workload).items()}
    first, second, other = (trace.weights(name) for name in ("first", "second", "other"))
    if workload == "gru":
        return {
            "first epoch": _visits_of_rows(canonical, first, 0),
            "second epoch": _visits_of_rows(first, second, count),
            "other seed": _visits_of_rows(canonical, other, 0),
        }
    a, b = slice(count), slice(count, 2 * count)
    still = np.zeros_like(_head(canonical))
    visits, velocity = _visits_of_gradients(canonical, first, still, samples.x_train[a], samples.y_train[a], sizes)
    return {
        "first epoch": visits,
        "second epoch": _visits_of_gradients(first, second, velocity, samples.x_train[b], samples.y_train[b], sizes)[0],
        "other seed": _visits_of_gradients(canonical, other, still, samples.x_train[a], samples.y_train[a], sizes)[0],
    }


def judge_shuffle(trace: Trace, workload: str, samples: Samples, partial: bool) -> Iterator[Check]:
    """Every sample once an epoch; orders that differ between epochs and seeds, and between neighbours."""
    full, rest = divmod(protocol.SHUFFLED[workload], BATCH)
    sizes = [BATCH] * full + ([rest] if partial else [])
    expected = [protocol.SHUFFLED[workload] - sum(sizes), *sizes]
    visits = _visits(trace, workload, samples, sizes)
    for name, steps in visits.items():
        counts = np.bincount(steps, minlength=len(expected)).tolist()
        figures = {f"step {step}" if step else "never": float(count) for step, count in enumerate(counts)}
        yield Check(f"shuffle: every sample once, {name}", counts == expected, figures=figures)
    first = visits["first epoch"]
    pairs = {
        "shuffle: epochs in different orders": (first, visits["second epoch"]),
        "shuffle: seeds in different orders": (first, visits["other seed"]),
        "shuffle: samples, not blocks": (first[1:], first[:-1]),
    }
    for name, (a, b) in pairs.items():
        yield Check(name, _agreement(a, b) <= AGREEMENT_LIMIT, _agreement(a, b), AGREEMENT_LIMIT)


def _silent(movement: np.ndarray, axis: int) -> np.ndarray:
    """Which units' weights did not move at all: the largest movement along `axis` is (nearly) zero."""
    largest = np.abs(movement).max(axis=axis)
    return largest < 1e-4 * np.median(largest[largest > 0]) if largest.any() else np.ones(largest.shape, bool)


def _masks(movement: Arrays) -> list[np.ndarray]:
    """The units that drop-out silenced in one step, True where silenced: after pool 1, after pool 2, before fc2."""
    kernels = movement["conv3.weight"]
    kernels = kernels[np.abs(kernels).max(axis=(1, 2, 3)) > 0].reshape(-1, kernels[0].size)
    silent = np.abs(kernels) < 1e-4 * np.median(np.abs(kernels), axis=1, keepdims=True)
    # Output channels whose maximum lies at the same place of the window see the same units: count those once.
    return [np.unique(silent, axis=0), _silent(movement["fc1.weight"], 0), _silent(movement["fc2.weight"], 0)]


def judge_dropout(trace: Trace, scores_before: np.ndarray, limits: Limits) -> Iterator[Check]:
    """Off in prediction; in training on, at each place at its rate, with other units for another seed."""
    off = _scores_check(limits, "scores before", trace.scores("with_dropout"), scores_before)
    off.name = "drop-out: off in prediction"
    yield off
    seeds = [
        _masks(_difference(trace.weights(f"after{seed}"), trace.weights(f"before{seed}")))
        for seed in protocol.DROPOUT_SEEDS
    ]
    for place, rate in enumerate(params.cnn.dropout):
        found = float(np.mean(np.concatenate([masks[place].ravel() for masks in seeds])))
        error = abs(found - rate)
        name = f"drop-out: rate at place {place + 1}"
        yield Check(name, error <= DROPOUT_LIMIT, error, DROPOUT_LIMIT, figures={"found": found, "stated": rate})
    same = all(np.array_equal(seeds[0][2], masks[2]) for masks in seeds[1:])
    yield Check("drop-out: other seed, other units", not same)
