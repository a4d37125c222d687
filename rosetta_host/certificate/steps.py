"""Holds a framework's trace against the oracle: weights, scores, losses, steps, the loop and the schedule.

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
from rosetta_host.certificate import limits as project
from rosetta_host.certificate import oracle, protocol
from rosetta_host.certificate.limits import FLOAT64_LIMIT, ROUNDING, WORK_LEFT
from rosetta_host.certificate.optimizers import Optimizer
from rosetta_host.certificate.protocol import BATCH, STEPPED, STEPS, STEPS_AFTER, Arrays, Samples
from rosetta_host.records.store import Check

# Of a movement: the most that float32 may round the weights whose movements tell how the gradient was rounded.
RESOLUTION = 1e-7
MOST = 95  # per cent of those movements: the rounding of few shows that most are computed in float32
KEPT = 24  # answers of the oracle, 27 MB each for the CNN: what two certificates ask


class Limits(msgspec.Struct):
    """The limits for one example and dtype: the project's, or wider ones that the folder declares with a reason."""

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
        """The figure held against the limit of this name; anything but a number below the limit fails.

        like: the name in the workload's limits, where it is not the check's own.
        """
        full = name if self.dtype == "float32" else f"{self.dtype}: {name}"
        limit = FLOAT64_LIMIT if self.dtype == "float64" else project.of(self.workload).checks[like or name]
        reason = None
        if full in self.declared:
            limit, reason = self.declared[full].limit, self.declared[full].reason
        return Check(
            full, bool(figure <= limit), _finite(figure), limit, where=where, reason=reason, figures=figures or {}
        )


def _finite(figure: float) -> float | None:
    return float(figure) if np.isfinite(figure) else None


class Trained(msgspec.Struct):
    """A call of `train`: the loss, the type that it came as, and the seconds that the call took."""

    loss: float
    type: str
    seconds: float


class Trace(msgspec.Struct):
    """What a traced process leaves in its folder, read as it comes.

    wait: called with each file before it is read; it returns when the file is there.
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
        """Exported weights as they were exported."""
        with np.load(self._file(f"{name}.npz")) as file:
            return {key: file[key] for key in file.files}

    def weights(self, name: str) -> Arrays:
        """Exported weights, in float64."""
        return {key: array.astype(np.float64) for key, array in self.arrays(name).items()}

    def predicted(self, name: str) -> np.ndarray:
        """Scores as they were predicted."""
        scores: np.ndarray = np.load(self._file(f"{name}.npy"))
        return scores

    def scores(self, name: str) -> np.ndarray:
        """Scores, in float64."""
        return self.predicted(name).astype(np.float64)

    def trained(self, name: str) -> Trained:
        """What a call of `train` returned, and when."""
        return Trained(**self._json(f"{name}.trained"))

    def loss(self, name: str) -> float:
        return self.trained(name).loss

    def reading(self, name: str) -> tuple[float, float]:
        """Seconds to read the weights after a call of `train`, and to read them again."""
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


def scores_check(limits: Limits, name: str, found: np.ndarray, expected: np.ndarray) -> Check:
    if found.shape != expected.shape:
        check = limits.check(name, float("nan"), like="scores")
        check.reason = f"predict gave scores of shape {found.shape}, not {expected.shape}."
        return check
    error = np.abs(found - expected)
    sample, label = np.unravel_index(np.argmax(error), error.shape)
    return limits.check(name, float(error.max()), f"sample {sample}, class {label}", like="scores")


def types_check(arrays: Arrays) -> Check:
    """That nothing which a pass in float32 gives is of a wider type."""
    wide = [name for name, array in arrays.items() if array.dtype.kind == "f" and array.dtype.itemsize > 4]
    reason = "They are float64: something is computed in double precision." if wide else None
    return Check("precision: types", not wide, where=", ".join(wide) or None, reason=reason)


def _canonical_check(limits: Limits, found: Arrays, forms: dict[str, str]) -> Check:
    """What was imported comes out again, unchanged, under canonical names and shapes."""
    full = "weights" if limits.dtype == "float32" else f"{limits.dtype}: weights"
    try:
        weights.check(limits.workload, found)
    except ValueError as error:
        return Check(full, False, reason=f"export_weights: {error}")
    canonical = protocol.canonical_weights(limits.workload, forms)
    errors = {name: float(np.abs(found[name] - canonical[name]).max()) for name in canonical}
    worst = max(errors, key=errors.__getitem__)
    return Check(full, errors[worst] == 0, errors[worst], 0.0, where=worst)


class Start(msgspec.Struct, frozen=True):
    """What the oracle says at the canonical weights: the scores to predict; loss and gradient of the first batch."""

    scores: np.ndarray
    loss: float
    gradients: Arrays


def at_start(workload: str, samples: Samples, forms: dict[str, str]) -> Start:
    """Computed once for all certificates of the same form, for all of them begin there."""
    return _at_start(workload, samples, tuple(sorted(forms.items())))


@functools.cache
def _at_start(workload: str, samples: Samples, forms: tuple[tuple[str, str], ...]) -> Start:
    canonical, first = protocol.canonical_weights(workload, dict(forms)), slice(BATCH)
    loss, gradients = oracle.gradients(workload, canonical, samples.x_train[first], samples.y_train[first], dict(forms))
    return Start(oracle.scores(workload, canonical, samples.x_test, dict(forms)), loss, gradients)


def judge_steps(
    trace: Trace,
    samples: Samples,
    limits: Limits,
    forms: dict[str, str],
    partial: bool,
    parts: Collection[str] = STEPPED,
    hasty: bool = False,
) -> Iterator[Check]:
    """Weights, scores, losses, single steps, the loop, the schedule, and the way back, in the order of failing.

    parts: those of STEPPED that the trace has, and "rate" where its learning rate changes after the loop. hasty: of
    the single steps no more are judged than it takes to know that a check fails.
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
        yield from _judge_single(trace, samples, limits, forms, optimizer, hasty)
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


def judge_thread(trace: Trace, samples: Samples, limits: Limits, forms: dict[str, str]) -> Iterator[Check]:
    """On one thread, and with what was compiled before: the same predictions and the same first step."""
    start = at_start(limits.workload, samples, forms)
    yield scores_check(limits, "one thread: scores", trace.scores("before"), start.scores)
    movement = difference(trace.weights("w1"), trace.weights("w0"))
    predicted = oracle.optimizer(limits.workload, forms).movement(start.gradients)
    figure, tensors = step_figures(movement, predicted)
    worst = max(tensors, key=lambda name: _nan_last(tensors[name]))
    yield limits.check("one thread: step", figure, f"worst tensor: {worst}", like="step worst")


def _evaluate_check(trace: Trace, samples: Samples, limits: Limits) -> Check:
    """The accuracy that `evaluate` gives is the one that the scores say, but for its rounding: no two scores tie.

    MXNet's Module.score counts twice the samples that fill up the last batch: the figure was off by less than a sample.
    """
    full = "evaluate" if limits.dtype == "float32" else f"{limits.dtype}: evaluate"
    scored = float(np.mean(trace.scores("after").argmax(axis=1) == samples.y_test))
    found, limit = trace.accuracy("after"), ROUNDING
    return Check(full, abs(found - scored) <= limit, abs(found - scored), limit)


def _predicted(
    workload: str, at: Arrays, x: np.ndarray, y: np.ndarray, forms: dict[str, str], optimizer: Optimizer
) -> tuple[float, Arrays]:
    loss, gradients = _gradients(workload, at, x, y, forms)
    return loss, optimizer.movement(gradients)


_answers: dict[bytes, tuple[float, Arrays]] = {}
_answering = threading.Lock()


def _gradients(workload: str, at: Arrays, x: np.ndarray, y: np.ndarray, forms: dict[str, str]) -> tuple[float, Arrays]:
    """The oracle's loss and gradient. The last ones are kept, for who asks the same to the last bit.

    So does a variant of an example, and a mutant until its error shows: the oracle was a third of their time.
    """
    asked = hashlib.sha256(repr((workload, sorted(forms.items()))).encode())
    for array in (*at.values(), x, y):
        asked.update(array.tobytes())
    key = asked.digest()
    with _answering:
        answer = _answers.get(key)
    if answer is None:
        answer = oracle.gradients(workload, at, x, y, forms)
        with _answering:
            _answers[key] = answer
            while len(_answers) > KEPT:
                del _answers[next(iter(_answers))]
    return answer


class Step(msgspec.Struct, frozen=True):
    """How far one step is from the oracle's: loss, movement over all parameters, and that of each tensor.

    resolved: the relative errors of movements that the weights' own rounding leaves to be seen, see `_resolved`.
    """

    loss: float
    figure: float
    tensors: dict[str, float]
    resolved: np.ndarray


def _resolved(to: Arrays, actual: Arrays, predicted: Arrays) -> np.ndarray:
    """The relative errors of the movements whose weights end so near to 0 that float32 rounds them far less.

    What is left in them is the rounding of the gradient. What all have in common is taken off: the rounding of a rate,
    or of Adam's corrections. A tensor of which most does not move, as an embedding, is left out: under Adam a weight
    with a single gradient moves as far whatever that is.
    """
    ratios = [np.zeros(0)]
    for name, movement in predicted.items():
        rounding = np.spacing(np.abs(to[name]).astype(np.float32))
        seen = rounding < RESOLUTION * np.abs(movement)
        if np.mean(movement != 0) > 0.5:
            ratios.append(actual[name][seen] / movement[seen])
    movements = np.concatenate(ratios)
    with np.errstate(divide="ignore", invalid="ignore"):  # of weights that do not move, which is another check's
        return np.abs(movements / np.median(movements) - 1) if movements.size else movements


def _judge_single(
    trace: Trace,
    samples: Samples,
    limits: Limits,
    forms: dict[str, str],
    optimizer: Optimizer,
    hasty: bool,
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
        if hasty and _lost(steps, limits):
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
    """That losses and steps are as inexact as float32: what is computed in float64 is another, slower computation."""
    errors = np.concatenate([step.resolved for step in steps])
    figure = float(np.percentile(errors, MOST)) if errors.size else float("nan")
    counted = {"movements": float(errors.size)}
    yield _at_least(
        "precision: loss", max((step.loss for step in steps), key=_nan_last), project.of(workload).loss_floor
    )
    yield _at_least("precision: rounding", figure, project.of(workload).rounding_floor, counted)


def _at_least(name: str, figure: float, floor: float, figures: dict[str, float] | None = None) -> Check:
    reason = "More exact than float32: something is computed in double precision." if figure < floor else None
    return Check(name, bool(figure >= floor), _finite(figure), floor=floor, reason=reason, figures=figures or {})


def _loss_is_done(trace: Trace, steps: int) -> Check:
    """That `train` returns a Python float in each of so many steps: one that exists is computed."""
    other = sorted({trace.trained(f"step{k + 1}").type for k in range(steps)} - {"float"})
    reason = f"train returned {', '.join(other)}, not a Python float: it may not be computed yet." if other else None
    return Check("done: loss", not other, reason=reason)


def _weights_are_done(trace: Trace) -> Check:
    """That the weights are computed when `train` returns: to read them takes no longer than to read them again.

    The step that leaves least decides: another process may slow a reading, and none makes work that is left vanish.
    """
    left = []
    for k in range(STEPS["float32"]):
        first, again = trace.reading(f"step{k + 1}")
        left.append(max(first - again, 0.0) / trace.trained(f"step{k + 1}").seconds)
    figure = min(left)
    reason = None if figure <= WORK_LEFT else "The weights are still being computed when train returns."
    by_step = {f"step {k + 1}": share for k, share in enumerate(left)}
    return Check("done: weights", figure <= WORK_LEFT, figure, WORK_LEFT, reason=reason, figures=by_step)


def _lost(steps: list[Step], limits: Limits) -> bool:
    """Whether a check fails even if every step that is still to come is exact."""
    exact = Step(0.0, 0.0, dict.fromkeys(steps[0].tensors, 0.0), np.zeros(0))
    padded = steps + [exact] * (STEPS[limits.dtype] - len(steps))
    return not all(check.ok for check in _checks_of_steps(padded, limits))


def _checks_of_steps(steps: list[Step], limits: Limits) -> Iterator[Check]:
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
    trace: Trace, samples: Samples, limits: Limits, forms: dict[str, str], optimizer: Optimizer, partial: bool
) -> Iterator[Check]:
    """An epoch of copies of one sample is three known steps, whatever the shuffle; then the rates still hold."""
    start = trace.weights("halfway")
    at = dict(start)
    # The mean over copies is that of one, but their number may count in the optimizer.
    counted = oracle.model(limits.workload).counts_copies(oracle.settle(limits.workload, forms))
    for size in [BATCH] * (protocol.COPIES // BATCH) + [protocol.COPIES % BATCH] * partial:
        copies = [0] * (size if counted else 1)
        _, predicted = _predicted(
            limits.workload, at, samples.x_train[copies], samples.y_train[copies], forms, optimizer
        )
        at = {name: at[name] + predicted[name] for name in at}
    found = trace.weights("loop")
    figure, tensors = step_figures(difference(found, start), difference(at, start))
    yield limits.check("loop", figure, max(tensors, key=lambda name: _nan_last(tensors[name])))
    figures = []
    for k in range(STEPS_AFTER[limits.dtype]):
        batch = slice(k * BATCH, (k + 1) * BATCH)
        _, predicted = _predicted(
            limits.workload, found, samples.x_train[batch], samples.y_train[batch], forms, optimizer
        )
        to = trace.weights(f"again{k + 1}")
        actual = difference(to, found)
        figures.append(step_figures(actual, predicted)[0])
        optimizer.resynchronize(actual)
        found = to
    yield limits.check("schedule", figures[_worst(figures)], f"step {_worst(figures) + 1} after the epoch")


def _judge_changed_rate(
    trace: Trace, samples: Samples, limits: Limits, forms: dict[str, str], optimizer: Optimizer
) -> Check:
    """The step after the learning rate has changed: it alone tells where the rate stands in the momentum."""
    after = STEPS_AFTER[limits.dtype]
    start, batch = trace.weights(f"again{after}"), slice(after * BATCH, (after + 1) * BATCH)
    optimizer.learning_rate = protocol.changed_rate(limits.workload)
    _, predicted = _predicted(limits.workload, start, samples.x_train[batch], samples.y_train[batch], forms, optimizer)
    figure, tensors = step_figures(difference(trace.weights("changed"), start), predicted)
    return limits.check(
        "schedule: changed rate", figure, max(tensors, key=lambda name: _nan_last(tensors[name])), like="schedule"
    )
