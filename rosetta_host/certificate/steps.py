"""Compares a framework's trace with the oracle: weights, scores, losses, steps, the loop and the schedule.

The oracle re-synchronizes at every step: at the framework's own exported weights it computes loss
and gradient in float64 and predicts the movement to the next. Comparing the weights after five
steps with an absolute limit does not work: float32 noise and a momentum wrong by 1 % overlap.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from rosetta_common import weights
from rosetta_host.catalog.frameworks import Tolerance
from rosetta_host.certificate import limits as project_limits
from rosetta_host.certificate import oracle, protocol
from rosetta_host.certificate.limits import FLOAT64_LIMIT, ROUNDING, WORK_LEFT
from rosetta_host.certificate.optimizers import Optimizer
from rosetta_host.certificate.protocol import BATCH, STEPPED, STEPS, STEPS_AFTER, Arrays, Samples
from rosetta_host.records.store import Check

# The rounding of a gradient shows in the movements of weights that float32 rounds by less than this part of a movement.
RESOLUTION = 1e-7
ROUNDING_PERCENTILE = (
    95  # of the errors of those movements: a few large ones do not prove that most are computed in float32
)
CACHED_GRADIENTS = 24  # results of the oracle, enough for two certificates at once; the largest take 27 MB each


class ExampleLimits(msgspec.Struct):
    """The limits for one example and dtype: the project's, or wider ones that its folder declares with a reason."""

    workload: str
    dtype: str
    declared: dict[str, Tolerance]

    def check(
        self,
        name: str,
        figure: float,
        where: str | None = None,
        figures: dict[str, float] | None = None,
        like: str | None = None,
    ) -> Check:
        """Compare a figure with the limit of this name. It fails unless it is a number and not above the limit.

        like: the name in the workload's limits, if it differs from the check's.
        """
        full = name if self.dtype == "float32" else f"{self.dtype}: {name}"
        limit = FLOAT64_LIMIT if self.dtype == "float64" else project_limits.of(self.workload).checks[like or name]
        reason = None
        if full in self.declared:
            limit, reason = self.declared[full].limit, self.declared[full].reason
        return Check(
            full, bool(figure <= limit), _finite(figure), limit, where=where, reason=reason, figures=figures or {}
        )


def _finite(figure: float) -> float | None:
    return float(figure) if np.isfinite(figure) else None


class Trained(msgspec.Struct):
    """A call of `train`: the loss, the name of its type, and the seconds that the call took."""

    loss: float
    type: str
    seconds: float


class Trace(msgspec.Struct):
    """The files that a traced process writes, read while it runs.

    wait: called with each path before it is read; returns once the file exists.
    """

    folder: Path
    wait: Callable[[Path], None] = lambda path: None

    def _file(self, name: str) -> Path:
        path = self.folder / name
        self.wait(path)
        return path

    def _json(self, name: str) -> Any:
        return json.loads(self._file(name).read_text("utf-8"))  # unlike msgspec, it reads NaN

    def arrays(self, name: str) -> Arrays:
        """Exported weights, in their own dtype."""
        with np.load(self._file(f"{name}.npz")) as file:
            return {key: file[key] for key in file.files}

    def weights(self, name: str) -> Arrays:
        """Exported weights, in float64."""
        return {key: array.astype(np.float64) for key, array in self.arrays(name).items()}

    def predicted(self, name: str) -> np.ndarray:
        """Predicted scores, in their own dtype."""
        scores: np.ndarray = np.load(self._file(f"{name}.npy"))
        return scores

    def scores(self, name: str) -> np.ndarray:
        """Predicted scores, in float64."""
        return self.predicted(name).astype(np.float64)

    def trained(self, name: str) -> Trained:
        """The result of a call of `train`."""
        return Trained(**self._json(f"{name}.trained"))

    def loss(self, name: str) -> float:
        return self.trained(name).loss

    def reading(self, name: str) -> tuple[float, float]:
        """Seconds to read the weights after a call of `train`, and to read them a second time."""
        first, again = self._json(f"{name}.reading")
        return first, again

    def accuracy(self, name: str) -> float:
        return float(self._file(f"{name}.accuracy").read_text("utf-8"))


def difference(a: Arrays, b: Arrays) -> Arrays:
    return {name: a[name] - b[name] for name in a}


def _norm(arrays: Arrays) -> float:
    return float(np.sqrt(sum(np.vdot(array, array) for array in arrays.values())))


def _relative(error: float, size: float) -> float:
    return error / size if size else float("inf") if error else 0.0


def step_figures(actual: Arrays, predicted: Arrays) -> tuple[float, dict[str, float]]:
    """‖movement - predicted‖ / ‖predicted‖ over all parameters, and the same for each tensor."""
    errors = difference(actual, predicted)
    tensors = {name: _relative(_norm({name: errors[name]}), _norm({name: predicted[name]})) for name in predicted}
    return _relative(_norm(errors), _norm(predicted)), tensors


def scores_check(limits: ExampleLimits, name: str, scores: np.ndarray, expected: np.ndarray) -> Check:
    if scores.shape != expected.shape:
        check = limits.check(name, float("nan"), like="scores")
        check.reason = f"predict gave scores of shape {scores.shape}, not {expected.shape}."
        return check
    error = np.abs(scores - expected)
    sample, label = np.unravel_index(np.argmax(error), error.shape)
    return limits.check(name, float(error.max()), f"sample {sample}, class {label}", like="scores")


def types_check(arrays: Arrays) -> Check:
    """Check that a pass in float32 returns no wider dtype."""
    wide = [name for name, array in arrays.items() if array.dtype.kind == "f" and array.dtype.itemsize > 4]
    reason = "They are float64: something is computed in double precision." if wide else None
    return Check("precision: types", not wide, where=", ".join(wide) or None, reason=reason)


def _canonical_check(limits: ExampleLimits, exported: Arrays, forms: dict[str, str]) -> Check:
    """Check that imported weights are exported unchanged, under canonical names and shapes."""
    full = "weights" if limits.dtype == "float32" else f"{limits.dtype}: weights"
    try:
        weights.check(limits.workload, exported)
    except ValueError as error:
        return Check(full, False, reason=f"export_weights: {error}")
    canonical = protocol.canonical_weights(limits.workload, forms)
    errors = {name: float(np.abs(exported[name] - canonical[name]).max()) for name in canonical}
    worst = max(errors, key=errors.__getitem__)
    return Check(full, errors[worst] == 0, errors[worst], 0.0, where=worst)


class Start(msgspec.Struct, frozen=True):
    """The oracle's results at the canonical weights: scores, and the loss and gradient of the first batch."""

    scores: np.ndarray
    loss: float
    gradients: Arrays


def at_start(workload: str, samples: Samples, forms: dict[str, str]) -> Start:
    """The oracle's results at the canonical weights, where every certificate begins: cached for each set of forms."""
    return _at_start(workload, samples, tuple(sorted(forms.items())))


@functools.cache
def _at_start(workload: str, samples: Samples, forms: tuple[tuple[str, str], ...]) -> Start:
    canonical, first = protocol.canonical_weights(workload, dict(forms)), slice(BATCH)
    loss, gradients = oracle.gradients(workload, canonical, samples.x_train[first], samples.y_train[first], dict(forms))
    return Start(oracle.scores(workload, canonical, samples.x_test, dict(forms)), loss, gradients)


def judge_steps(
    trace: Trace,
    samples: Samples,
    limits: ExampleLimits,
    forms: dict[str, str],
    partial: bool,
    parts: Collection[str] = STEPPED,
    fail_fast: bool = False,
) -> Iterator[Check]:
    """Weights, scores, losses, single steps, the loop, the schedule, and the scores after a second import.

    parts: those of STEPPED that the trace has, and "rate" if its learning rate changes after the loop. fail_fast: stop
    judging single steps as soon as a check is sure to fail.
    """
    workload = limits.workload
    canonical = _canonical_check(limits, trace.weights("w0"), forms)
    yield canonical
    if not canonical.ok:
        return
    if "scores" in parts:
        yield scores_check(limits, "scores before", trace.scores("before"), at_start(workload, samples, forms).scores)
    if "scores" in parts and limits.dtype == "float32":
        yield types_check({**trace.arrays("w0"), "scores": trace.predicted("before")})
    optimizer = oracle.optimizer(workload, forms)
    if "steps" in parts:
        yield from _judge_single(trace, samples, limits, forms, optimizer, fail_fast)
    if "scores" in parts:
        expected = oracle.scores(workload, trace.weights("halfway"), samples.x_test, forms)
        yield scores_check(limits, "scores after", trace.scores("after"), expected)
        yield _evaluate_check(trace, samples, limits)
    if "loop" in parts:
        yield from _judge_loop(trace, samples, limits, forms, optimizer, partial)
        if "rate" in parts:
            yield _judge_changed_rate(trace, samples, limits, forms, optimizer)
    if "scores" in parts:
        yield scores_check(limits, "scores back", trace.scores("back"), at_start(workload, samples, forms).scores)


def judge_thread(trace: Trace, samples: Samples, limits: ExampleLimits, forms: dict[str, str]) -> Iterator[Check]:
    """On one thread, with the compile cache: the same predictions and the same first step."""
    start = at_start(limits.workload, samples, forms)
    yield scores_check(limits, "one thread: scores", trace.scores("before"), start.scores)
    movement = difference(trace.weights("w1"), trace.weights("w0"))
    predicted = oracle.optimizer(limits.workload, forms).movement(start.gradients)
    figure, tensors = step_figures(movement, predicted)
    worst = max(tensors, key=lambda name: _nan_last(tensors[name]))
    yield limits.check("one thread: step", figure, f"worst tensor: {worst}", like="step worst")


def _evaluate_check(trace: Trace, samples: Samples, limits: ExampleLimits) -> Check:
    """Check that `evaluate` returns the accuracy of the predicted scores, but for its rounding: no two scores tie.

    The limit is far below one sample: an `evaluate` that counts the padding of the last batch is off by less than that.
    """
    full = "evaluate" if limits.dtype == "float32" else f"{limits.dtype}: evaluate"
    scored = float(np.mean(trace.scores("after").argmax(axis=1) == samples.y_test))
    accuracy, limit = trace.accuracy("after"), ROUNDING
    return Check(full, abs(accuracy - scored) <= limit, abs(accuracy - scored), limit)


def _predicted(
    workload: str, at: Arrays, x: np.ndarray, y: np.ndarray, forms: dict[str, str], optimizer: Optimizer
) -> tuple[float, Arrays]:
    loss, gradients = _gradients(workload, at, x, y, forms)
    return loss, optimizer.movement(gradients)


_gradient_cache: dict[bytes, tuple[float, Arrays]] = {}
_gradient_lock = threading.Lock()


def _gradients(workload: str, at: Arrays, x: np.ndarray, y: np.ndarray, forms: dict[str, str]) -> tuple[float, Arrays]:
    """The oracle's loss and gradient, memoized by the bytes of the input.

    Variants of an example ask for the same gradients, and so does a mutant until its error shows. Computing them again
    would take a third of their time.
    """
    digest = hashlib.sha256(repr((workload, sorted(forms.items()))).encode())
    for array in (*at.values(), x, y):
        digest.update(array.tobytes())
    key = digest.digest()
    with _gradient_lock:
        result = _gradient_cache.get(key)
    if result is None:
        result = oracle.gradients(workload, at, x, y, forms)
        with _gradient_lock:
            _gradient_cache[key] = result
            while len(_gradient_cache) > CACHED_GRADIENTS:
                del _gradient_cache[next(iter(_gradient_cache))]
    return result


class Step(msgspec.Struct, frozen=True):
    """The errors of one step: of its loss, of its movement over all parameters, and of each tensor's movement.

    resolved: the relative errors of single movements, see `_resolved`.
    """

    loss: float
    figure: float
    tensors: dict[str, float]
    resolved: np.ndarray


def _resolved(to: Arrays, actual: Arrays, predicted: Arrays) -> np.ndarray:
    """The relative errors of the movements of weights that end so near to 0 that their own rounding does not show.

    Such an error is the rounding of the gradient. The median ratio is divided out, because the rounding of a rate or of
    Adam's corrections is common to all. A tensor that mostly does not move, such as an embedding, is left out: under
    Adam, the movement of a weight with a single gradient does not depend on that gradient.
    """
    ratios = [np.zeros(0)]
    for name, movement in predicted.items():
        rounding = np.spacing(np.abs(to[name]).astype(np.float32))
        seen = rounding < RESOLUTION * np.abs(movement)
        if np.mean(movement != 0) > 0.5:
            ratios.append(actual[name][seen] / movement[seen])
    movements = np.concatenate(ratios)
    with np.errstate(divide="ignore", invalid="ignore"):  # where no weight moves, another check fails
        return np.abs(movements / np.median(movements) - 1) if movements.size else movements


def _judge_single(
    trace: Trace,
    samples: Samples,
    limits: ExampleLimits,
    forms: dict[str, str],
    optimizer: Optimizer,
    fail_fast: bool,
) -> Iterator[Check]:
    steps: list[Step] = []
    at = trace.weights("w0")
    for k in range(STEPS[limits.dtype]):
        if k == 0:
            start = at_start(limits.workload, samples, forms)
            loss, predicted = start.loss, optimizer.movement(start.gradients)
        else:
            batch = slice(k * BATCH, (k + 1) * BATCH)
            loss, predicted = _predicted(
                limits.workload, at, samples.x_train[batch], samples.y_train[batch], forms, optimizer
            )
        to = trace.weights(f"w{k + 1}")
        actual = difference(to, at)
        resolved = _resolved(to, actual, predicted) if k else np.zeros(0)  # of Adam's first step only the sign counts
        steps.append(Step(abs(trace.loss(f"step{k + 1}") - loss), *step_figures(actual, predicted), resolved))
        if fail_fast and _must_fail(steps, limits):
            break
        optimizer.resynchronize(actual)
        at = to
    if limits.dtype == "float32":
        yield _loss_is_done(trace, len(steps))
    yield from _checks_of_steps(steps, limits)
    if limits.dtype == "float32" and len(steps) == STEPS["float32"]:
        yield from _precision_checks(steps, limits.workload)
        yield _weights_are_done(trace)


def _precision_checks(steps: list[Step], workload: str) -> Iterator[Check]:
    """Check that losses and steps are as inexact as float32: float64 is another, slower computation."""
    errors = np.concatenate([step.resolved for step in steps])
    figure = float(np.percentile(errors, ROUNDING_PERCENTILE)) if errors.size else float("nan")
    counted = {"movements": float(errors.size)}
    yield _at_least(
        "precision: loss", max((step.loss for step in steps), key=_nan_last), project_limits.of(workload).loss_floor
    )
    yield _at_least("precision: rounding", figure, project_limits.of(workload).rounding_floor, counted)


def _at_least(name: str, figure: float, floor: float, figures: dict[str, float] | None = None) -> Check:
    reason = "More exact than float32: something is computed in double precision." if figure < floor else None
    return Check(name, bool(figure >= floor), _finite(figure), floor=floor, reason=reason, figures=figures or {})


def _loss_is_done(trace: Trace, steps: int) -> Check:
    """Check that `train` returns a Python float in each of so many steps: a Python float has been computed."""
    types = sorted({trace.trained(f"step{k + 1}").type for k in range(steps)} - {"float"})
    reason = f"train returned {', '.join(types)}, not a Python float: it may not be computed yet." if types else None
    return Check("done: loss", not types, reason=reason)


def _weights_are_done(trace: Trace) -> Check:
    """Check that the weights are computed when `train` returns: a first reading takes no longer than a second.

    The step with the smallest share decides: other processes can slow a reading down, but cannot hide pending work.
    """
    shares = []
    for k in range(STEPS["float32"]):
        first, again = trace.reading(f"step{k + 1}")
        shares.append(max(first - again, 0.0) / trace.trained(f"step{k + 1}").seconds)
    figure = min(shares)
    reason = None if figure <= WORK_LEFT else "The weights are still being computed when train returns."
    by_step = {f"step {k + 1}": share for k, share in enumerate(shares)}
    return Check("done: weights", figure <= WORK_LEFT, figure, WORK_LEFT, reason=reason, figures=by_step)


def _must_fail(steps: list[Step], limits: ExampleLimits) -> bool:
    """Whether a check fails even if every remaining step is exact."""
    exact = Step(0.0, 0.0, dict.fromkeys(steps[0].tensors, 0.0), np.zeros(0))
    padded = steps + [exact] * (STEPS[limits.dtype] - len(steps))
    return not all(check.ok for check in _checks_of_steps(padded, limits))


def _checks_of_steps(steps: list[Step], limits: ExampleLimits) -> Iterator[Check]:
    losses, figures = [step.loss for step in steps], [step.figure for step in steps]
    yield limits.check("loss", max(losses, key=_nan_last), f"step {_worst(losses) + 1}")
    medians = {name: float(np.median([step.tensors[name] for step in steps])) for name in steps[0].tensors}
    worst = max(medians, key=lambda name: _nan_last(medians[name]))
    by_step = {f"step {k + 1}": figure for k, figure in enumerate(figures)}
    yield limits.check("step median", float(np.median(figures)), f"worst tensor: {worst}", by_step)
    k = _worst(figures)
    tensors = steps[k].tensors
    tensor = max(tensors, key=lambda name: _nan_last(tensors[name]))
    yield limits.check("step worst", figures[k], f"step {k + 1}, {tensor}")
    yield limits.check("tensor median", medians[worst], worst, medians)


def _nan_last(figure: float) -> float:
    return float("inf") if np.isnan(figure) else figure


def _worst(figures: list[float]) -> int:
    return max(range(len(figures)), key=lambda k: _nan_last(figures[k]))


def _judge_loop(
    trace: Trace, samples: Samples, limits: ExampleLimits, forms: dict[str, str], optimizer: Optimizer, partial: bool
) -> Iterator[Check]:
    """Check an epoch of copies of one sample, which is the same under any shuffle, and then single steps again."""
    start = trace.weights("halfway")
    at = dict(start)
    # The mean gradient over copies is that of one sample, but an optimizer may depend on their number.
    counted = oracle.model(limits.workload).counts_copies(oracle.settle(limits.workload, forms))
    for size in [BATCH] * (protocol.COPIES // BATCH) + [protocol.COPIES % BATCH] * partial:
        copies = [0] * (size if counted else 1)
        _, predicted = _predicted(
            limits.workload, at, samples.x_train[copies], samples.y_train[copies], forms, optimizer
        )
        at = {name: at[name] + predicted[name] for name in at}
    current = trace.weights("loop")
    figure, tensors = step_figures(difference(current, start), difference(at, start))
    yield limits.check("loop", figure, max(tensors, key=lambda name: _nan_last(tensors[name])))
    figures = []
    for k in range(STEPS_AFTER[limits.dtype]):
        batch = slice(k * BATCH, (k + 1) * BATCH)
        _, predicted = _predicted(
            limits.workload, current, samples.x_train[batch], samples.y_train[batch], forms, optimizer
        )
        to = trace.weights(f"again{k + 1}")
        actual = difference(to, current)
        figures.append(step_figures(actual, predicted)[0])
        optimizer.resynchronize(actual)
        current = to
    yield limits.check("schedule", figures[_worst(figures)], f"step {_worst(figures) + 1} after the epoch")


def _judge_changed_rate(
    trace: Trace, samples: Samples, limits: ExampleLimits, forms: dict[str, str], optimizer: Optimizer
) -> Check:
    """Check the step after a change of the learning rate: only it shows on which side of the momentum the rate is."""
    after = STEPS_AFTER[limits.dtype]
    start, batch = trace.weights(f"again{after}"), slice(after * BATCH, (after + 1) * BATCH)
    optimizer.learning_rate = protocol.changed_rate(limits.workload)
    _, predicted = _predicted(limits.workload, start, samples.x_train[batch], samples.y_train[batch], forms, optimizer)
    figure, tensors = step_figures(difference(trace.weights("changed"), start), predicted)
    return limits.check(
        "schedule: changed rate", figure, max(tensors, key=lambda name: _nan_last(tensors[name])), like="schedule"
    )
