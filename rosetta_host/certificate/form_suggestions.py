"""Which form would make the steps of a failed certificate fit.

Nothing runs again: the exported weights of the trace are compared with the oracle, with one declared form at a time
replaced by another value. The path begins at the exported weights, because a wrong form may change the import.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rosetta_common import weights
from rosetta_host.catalog.frameworks import Case
from rosetta_host.certificate import oracle, protocol
from rosetta_host.certificate.protocol import Samples
from rosetta_host.certificate.steps import ExampleLimits, Trace, difference, step_figures
from rosetta_host.records.store import RecordedCheck

DTYPE = "float32"
SINGLE = "step worst"  # the limit of a transition that is one of the five single steps
FARTHEST = 1.0  # error of a first step that another form may explain; at 1, not to move at all is as near
STEP_CHECKS = {"weights", SINGLE, "step median", "tensor median", "loop", "schedule", "schedule: changed rate"}


class Transition(NamedTuple):
    """The steps between two exported sets of weights.

    end: the name of the second one. batches: the samples of each step. limit: the name of the limit of its figure.
    rate: the learning rate, if it has just changed.
    """

    end: str
    batches: list[list[int]]
    limit: str = SINGLE
    rate: float | None = None


def _batch(number: int) -> list[int]:
    return list(range(number * protocol.BATCH, (number + 1) * protocol.BATCH))


def _paths(workload: str, partial: bool) -> Iterator[list[Transition]]:
    """The single steps alone, then the whole trace: a form of the momentum shows only after the rate has changed."""
    path = [Transition(f"w{k + 1}", [_batch(k)]) for k in range(protocol.STEPS[DTYPE])]
    yield path
    full, rest = divmod(protocol.COPIES, protocol.BATCH)
    path = [*path, Transition("loop", [[0] * protocol.BATCH] * full + [[0] * rest] * partial, "loop")]
    after = protocol.STEPS_AFTER[DTYPE]
    path += [Transition(f"again{k + 1}", [_batch(k)], "schedule") for k in range(after)]
    yield [*path, Transition("changed", [_batch(after)], "schedule", protocol.changed_rate(workload))]


def _fits(trace: Trace, samples: Samples, limits: ExampleLimits, forms: dict[str, str], path: list[Transition]) -> bool:
    """Whether every transition is the oracle's under these forms; stops at the first that is not."""
    optimizer = oracle.optimizer(limits.workload, forms)
    at, figures, tensors = trace.weights("w0"), [], []
    for transition in path:
        if transition.rate is not None:
            optimizer.learning_rate = transition.rate
        predicted = dict(at)
        for batch in transition.batches:
            x, y = samples.x_train[batch], samples.y_train[batch]
            movement = optimizer.movement(oracle.gradients(limits.workload, predicted, x, y, forms)[1])
            predicted = {name: value + movement[name] for name, value in predicted.items()}
        to = trace.weights(transition.end)
        actual = difference(to, at)
        figure, of_tensors = step_figures(actual, difference(predicted, at))
        if not limits.check(transition.limit, figure).ok:
            return False
        if transition.limit == SINGLE:
            figures.append(figure)
            tensors.append(list(of_tensors.values()))
        if len(transition.batches) == 1:
            optimizer.resynchronize(actual)
        at = to
    medians = {"step median": np.median(figures), "tensor median": np.median(tensors, axis=0).max()}
    return all(limits.check(name, float(median)).ok for name, median in medians.items())


def _others(workload: str, forms: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each form with each value that is not the declared one."""
    declared = oracle.settle(workload, forms)
    for name, values in oracle.model(workload).forms.items():
        yield from ((name, value) for value in values if value != declared[name])


def _first_error(
    trace: Trace, samples: Samples, limits: ExampleLimits, forms: dict[str, str], path: list[Transition]
) -> float:
    """How far the first step is from the oracle's, over the length of the oracle's."""
    at, (batch,) = trace.weights("w0"), path[0].batches
    _, gradients = oracle.gradients(limits.workload, at, samples.x_train[batch], samples.y_train[batch], forms)
    predicted = oracle.optimizer(limits.workload, forms).movement(gradients)
    return step_figures(difference(trace.weights(path[0].end), at), predicted)[0]


def fitting(trace: Trace, samples: Samples, limits: ExampleLimits, forms: dict[str, str], partial: bool) -> list[str]:
    """The forms, as `name = "value"`, each of which alone makes the steps fit; none if the declared ones do."""
    for path in _paths(limits.workload, partial):
        if not all((trace.folder / f"{transition.end}.npz").exists() for transition in path):
            return []
        if not _fits(trace, samples, limits, forms, path):
            if not _first_error(trace, samples, limits, forms, path) < FARTHEST:
                return []
            return [
                f'{name} = "{value}"'
                for name, value in _others(limits.workload, forms)
                if _fits(trace, samples, limits, {**forms, name: value}, path)
            ]
    return []


def suggestion(case: Case, folder: Path, checks: Sequence[RecordedCheck]) -> str | None:
    """The sentence that says which form to declare; None if no step fails, or no other form fits.

    folder: the trace of the single steps.
    """
    if not any(check.name in STEP_CHECKS and not check.ok for check in checks):
        return None
    workload, trace, declared = case.workload, Trace(folder), case.implementation.workload(case.workload)
    try:
        weights.check(workload, trace.arrays("w0"))
    except (OSError, ValueError):
        return None
    limits, samples = ExampleLimits(workload, DTYPE, declared.tolerances), protocol.encoded_steps(workload, DTYPE)
    fit = fitting(trace, samples, limits, declared.forms, declared.partial_batch)
    if not fit:
        return None
    table = f"[{workload}.forms] of examples/{case.implementation.folder.name}/framework.toml"
    return f"With {' or '.join(fit)} every step fits: declare it in {table}."
