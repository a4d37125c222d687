"""The logistic regression in float64 NumPy."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from rosetta_host.certificate.optimizers import SGD, Array, Gradients, Weights
from rosetta_host.certificate.oracle import Forms, Model, note
from workloads.logistic.hyperparameters import params


def _forward(w: Weights, x: Array, forms: Forms) -> SimpleNamespace:
    tape = SimpleNamespace(x=np.asarray(x, np.float64), layers=[])
    note(tape, "points", tape.x)
    tape.scores = tape.x @ w["fc.weight"].T + w["fc.bias"]
    note(tape, "dense", tape.scores, "fc")
    return tape


def _backward(w: Weights, tape: SimpleNamespace, d_scores: Array, forms: Forms) -> Gradients:
    return {"fc.weight": d_scores.T @ tape.x, "fc.bias": d_scores.sum(axis=0)}


model = Model(
    forms={},
    part=64,
    sample=lambda: np.zeros((1, params.features)),
    forward=_forward,
    backward=_backward,
    optimizer=lambda forms: SGD(params.learning_rate, params.momentum),
)
