"""The oracle: a workload's model, its gradients and its optimizer in float64 NumPy, written from the formulas.

The certificate compares every framework with it. Weights and gradients have the canonical names and layouts of
`rosetta_common.weights`; dropout is off. Nothing here or in `workloads/<name>/oracle.py`, which has the formulas of a
workload, comes from a framework. The tests compare the gradients with finite differences and with an automatic
differentiation in float64.

`forms` states where a framework differs by design. A form that it does not name is the first that the model lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from rosetta_common.weights import check
from rosetta_host.catalog import workloads
from rosetta_host.certificate.optimizers import Array, Gradients, Optimizer, Weights

Forms = Mapping[str, str]


class Layer(NamedTuple):
    """One layer of a model.

    kind: what it does. name: the part of its weights' canonical names before the dot; "" if it has none. shape, dtype:
    of its output for one sample, channels first or time first. parameters: the number of its own.
    """

    kind: str
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    parameters: int


class Fitted(NamedTuple):
    """Weights as another form can hold them.

    residual: the part of a weight that it cannot hold. lost: why it cannot compute the same with them, in a sentence;
    None if it can.
    """

    weights: Weights
    residual: Array
    lost: str | None


def _all_exist(name: str, forms: Forms) -> Array:
    return np.ones((), np.float32)


def _all_fit(weights: Weights, giver: Forms, taker: Forms) -> Fitted:
    return Fitted(weights, np.zeros(0), None)


@dataclass(frozen=True, kw_only=True)
class Model:
    """The formulas of a workload.

    forms: name -> the possible values, the default first. part: the number of samples computed at once, small enough
    that their activations stay in the processor's cache. sample: a sample of zeros (1, ...). forward: weights, samples
    and forms -> a tape for `backward`, with `scores` (n, classes) and `layers`, which `note` fills. backward: weights,
    tape, the gradient of the scores and forms -> name -> gradient. exists: see `exists`. optimizer: forms -> the
    optimizer with the hyperparameters of the workload. fit: weights, the giver's forms and the taker's -> the weights
    as the taker can hold them. counts_copies: whether, under these forms, a batch of n equal samples makes another step
    than one sample.
    """

    forms: dict[str, tuple[str, ...]]
    part: int
    sample: Callable[[], Array]
    forward: Callable[[Weights, Array, Forms], SimpleNamespace]
    backward: Callable[[Weights, SimpleNamespace, Array, Forms], Gradients]
    optimizer: Callable[[Forms], Optimizer]
    exists: Callable[[str, Forms], Array] = _all_exist
    fit: Callable[[Weights, Forms, Forms], Fitted] = _all_fit
    counts_copies: Callable[[Forms], bool] = lambda forms: False


def model(workload: str) -> Model:
    """The formulas of a workload."""
    formulas: Model = workloads.module(workload, "oracle").model
    return formulas


def scores(workload: str, weights: Weights, x: Array, forms: Forms | None = None) -> Array:
    """Logits, float64 (n, classes). x: samples as `protocol` encodes them, (n, ...)."""
    forms = settle(workload, forms)
    weights, forward = typed(workload, weights), model(workload).forward
    return np.concatenate([forward(weights, x[part], forms).scores for part in parts(workload, x)])


def layers(workload: str, weights: Weights, x: Array, forms: Forms | None = None) -> list[Layer]:
    """The layers from the input to the scores, for these samples. Takes the arguments of `scores`."""
    forms = settle(workload, forms)
    weights, forward = typed(workload, weights), model(workload).forward

    def parameters(layer: str) -> int:
        own = {name: weight for name, weight in weights.items() if name.partition(".")[0] == layer}
        return sum(int(np.sum(exists(workload, name, forms) * np.ones(w.shape))) for name, w in own.items())

    layer_notes = forward(weights, x, forms).layers
    return [Layer(kind, name, shape, dtype, parameters(name)) for kind, name, shape, dtype in layer_notes]


def gradients(
    workload: str, weights: Weights, x: Array, y: Array, forms: Forms | None = None, dtype: str = "float64"
) -> tuple[float, Gradients]:
    """The mean softmax cross-entropy over the batch, and its gradient: name -> float64 array. y: integer (n,).

    dtype: "float32" takes half the time, where its rounding cannot change a check.
    """
    forms = settle(workload, forms)
    weights, formulas = typed(workload, weights, dtype), model(workload)
    total: Gradients = {}
    loss = 0.0
    for part in parts(workload, x):
        tape = formulas.forward(weights, x[part], forms)
        loss += float(losses(tape.scores, y[part]).sum()) / len(x)
        d_scores = (softmax(tape.scores) - np.eye(tape.scores.shape[1], dtype=dtype)[y[part]]) / len(x)
        for name, gradient in formulas.backward(weights, tape, d_scores, forms).items():
            total.setdefault(name, np.zeros(gradient.shape))
            total[name] += gradient
    return loss, total


def softmax(scores: Array) -> Array:
    """Logits (n, classes) -> probabilities (n, classes)."""
    exponentials: Array = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def losses(scores: Array, y: Array) -> Array:
    """Softmax cross-entropy of each sample (n,): log-sum-exp less the score of the true class."""
    shifted: Array = scores - scores.max(axis=1, keepdims=True)
    log_sum: Array = np.log(np.exp(shifted).sum(axis=1))
    return log_sum - shifted[np.arange(len(y)), y]


def settle(workload: str, forms: Forms | None = None) -> dict[str, str]:
    """All forms of a workload: the defaults, updated with `forms`. Raises ValueError for an unknown form or value."""
    stated, chosen = model(workload).forms, dict(forms or {})
    for name, value in chosen.items():
        if name not in stated:
            raise ValueError(f'the {workload} has no form "{name}": it has {", ".join(stated)}.')
        if value not in stated[name]:
            choices = '" or "'.join(stated[name])
            raise ValueError(f'{name} is "{choices}", not "{value}".')
    return {name: chosen.get(name, values[0]) for name, values in stated.items()}


def exists(workload: str, name: str, forms: Forms | None = None) -> Array:
    """Which entries of a weight are parameters of their own under these forms: float32 1 or 0, of its shape or ().

    An entry that the framework does not have is a constant: its gradient is 0, and the certificate sets it to 0.
    """
    return model(workload).exists(name, settle(workload, forms))


def optimizer(workload: str, forms: Forms | None = None) -> Optimizer:
    """The optimizer of a workload, with its hyperparameters."""
    return model(workload).optimizer(settle(workload, forms))


def typed(workload: str, weights: Weights, dtype: str = "float64") -> Gradients:
    """Canonical weights as arrays of `dtype`. Raises ValueError for other names or shapes."""
    check(workload, weights)
    return {name: np.asarray(weight, dtype) for name, weight in weights.items()}


def parts(workload: str, x: Array) -> list[slice]:
    """The slices of samples to compute at once."""
    size = model(workload).part
    return [slice(start, start + size) for start in range(0, len(x), size)]


def note(tape: SimpleNamespace, kind: str, output: Array, name: str = "") -> None:
    """Note the output of a layer, samples first: (n, ...)."""
    tape.layers.append((kind, name, output.shape[1:], output.dtype))
