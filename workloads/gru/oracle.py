"""The GRU in float64 NumPy, from the formulas: forward, gradients, and the forms in which frameworks differ.

A step is h ← (1 - z) n + z h.

- `reset_gate`: applied "after" the recurrent product, as cuDNN does, n = tanh(W_in x + b_in + r (W_hn h + b_hn)),
  or "before" it, as Cho et al. 2014 wrote it, n = tanh(W_in x + b_in + W_hn (r h) + b_hn);
- `biases`: "two", or "folded": r and z have one bias only, that of gru.bias_ih, or "no b_hn": nor does n have a
  recurrent one;
- `epsilon`: Adam's ε added to the "corrected" √v̂ or to the "uncorrected" √v (Kingma & Ba 2015, end of section 2);
- `repeated_words`: a word that occurs several times in a mini-batch has a gradient for each occurrence. They are
  "summed" before Adam squares them, as v's formula says, or "squared apart": v gets the sum of their squares. A
  framework computes the latter whose embedding has a gradient of one row an occurrence, which Adam squares row by row.

Time is the first axis here, (150, n, ...), so that a step is contiguous in memory.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from rosetta_host.certificate.optimizers import SQUARES, Adam, Array, Gradients, Weights
from rosetta_host.certificate.oracle import Fitted, Forms, Model, note
from workloads.gru.hyperparameters import params

RECURRENT = "gru.bias_hh"  # the bias that some forms lack, wholly or in part
RECURRENT_GATES = {"two": (1, 1, 1), "folded": (0, 0, 1), "no b_hn": (0, 0, 0)}  # which of its gates r, z, n a form has


def _sigmoid(x: Array) -> Array:
    return np.tanh(0.5 * x) * 0.5 + 0.5  # no overflow on either side


def _forward(w: Weights, x: Array, forms: Forms) -> SimpleNamespace:
    """Features (n, 150) -> what `_backward` needs of each step, and the scores (n, classes)."""
    words = np.asarray(x).T
    units, (steps, n) = params.units, words.shape
    gates, new = slice(0, 2 * units), slice(2 * units, None)
    w_hh, b_hh = w["gru.weight_hh"], w["gru.bias_hh"]
    tape = SimpleNamespace(words=words, embedded=w["embedding"][words], h=np.zeros((steps + 1, n, units)), layers=[])
    tape.r, tape.z, tape.n, tape.product = (np.empty((steps, n, units)) for _ in range(4))
    from_input = tape.embedded @ w["gru.weight_ih"].T + w["gru.bias_ih"]
    for t in range(steps):
        h = tape.h[t]
        both = _sigmoid(from_input[t, :, gates] + h @ w_hh[gates].T + b_hh[gates])
        r, z = both[:, :units], both[:, units:]
        if forms["reset_gate"] == "after":
            tape.product[t] = h @ w_hh[new].T + b_hh[new]
            recurrent = r * tape.product[t]
        else:
            recurrent = (r * h) @ w_hh[new].T + b_hh[new]
        tape.r[t], tape.z[t], tape.n[t] = r, z, np.tanh(from_input[t, :, new] + recurrent)
        tape.h[t + 1] = (1 - z) * tape.n[t] + z * h
    tape.scores = tape.h[-1] @ w["fc.weight"].T + w["fc.bias"]
    note(tape, "words", tape.words.swapaxes(0, 1))
    note(tape, "embedding", tape.embedded.swapaxes(0, 1), "embedding")
    note(tape, "GRU", tape.h[1:].swapaxes(0, 1), "gru")
    note(tape, "last word", tape.h[-1])
    note(tape, "dense", tape.scores, "fc")
    return tape


def _backward(w: Weights, tape: SimpleNamespace, d_scores: Array, forms: Forms) -> Gradients:
    """The gradient of each weight, back through time.

    For r, z and n side by side (150, n, 300): `d_in` is what W_ih x + b_ih gets, `d_hid` what W_hh h + b_hh gets.
    """
    steps, n, units = tape.r.shape
    after = forms["reset_gate"] == "after"
    d_in, d_hid = np.empty((2, steps, n, 3 * units))
    d_h = d_scores @ w["fc.weight"]
    gates, last = w["gru.weight_hh"][: 2 * units], w["gru.weight_hh"][2 * units :]
    for t in reversed(range(steps)):
        h, r, z, new = tape.h[t], tape.r[t], tape.z[t], tape.n[t]
        d_new = d_h * (1 - z) * (1 - new**2)
        if after:
            d_product = d_new * r
            d_r, d_h_new = d_new * tape.product[t], d_product @ last
        else:
            d_product = d_new
            d_reset = d_product @ last  # of r h
            d_r, d_h_new = d_reset * h, d_reset * r
        d_gates = np.concatenate([d_r * r * (1 - r), d_h * (h - new) * z * (1 - z)], axis=1)
        d_in[t] = np.concatenate([d_gates, d_new], axis=1)
        d_hid[t] = np.concatenate([d_gates, d_product], axis=1)
        d_h = d_h * z + d_gates @ gates + d_h_new

    def rows(array: Array) -> Array:
        return array.reshape(steps * n, -1)

    h, d_in, d_hid = tape.h[:-1], rows(d_in), rows(d_hid)
    into_new = h if after else tape.r * h
    words, d_embedded, vocabulary = tape.words.reshape(-1), d_in @ w["gru.weight_ih"], len(w["embedding"])
    squared_apart = _counts_copies(forms)
    return {
        **({"embedding" + SQUARES: _sum_of_rows(words, d_embedded**2, vocabulary)} if squared_apart else {}),
        "embedding": _sum_of_rows(words, d_embedded, vocabulary),
        "gru.weight_ih": d_in.T @ rows(tape.embedded),
        "gru.weight_hh": np.concatenate([d_hid[:, : 2 * units].T @ rows(h), d_hid[:, 2 * units :].T @ rows(into_new)]),
        "gru.bias_ih": d_in.sum(axis=0),
        "gru.bias_hh": d_hid.sum(axis=0) * _exists(RECURRENT, forms),
        "fc.weight": d_scores.T @ tape.h[-1],
        "fc.bias": d_scores.sum(axis=0),
    }


def _sum_of_rows(words: Array, rows: Array, vocabulary: int) -> Array:
    """Sum the rows (m, 125) of equal words (m,) -> (vocabulary, 125); np.add.at takes seconds."""
    order = np.argsort(words, kind="stable")
    present, starts = np.unique(words[order], return_index=True)
    total = np.zeros((vocabulary, rows.shape[1]))
    total[present] = np.add.reduceat(rows[order], starts)
    return total


def _exists(name: str, forms: Forms) -> Array:
    if name != RECURRENT:
        return np.ones((), np.float32)
    return np.repeat(np.array(RECURRENT_GATES[forms["biases"]], np.float32), params.units)


def _counts_copies(forms: Forms) -> bool:
    return forms["repeated_words"] == "squared apart"


def _fit(weights: Weights, giver: Forms, taker: Forms) -> Fitted:
    """Add the recurrent bias of a gate to its input bias if the taker has only that one: a gate adds the two.

    This does not hold for the new gate, whose reset gate multiplies the recurrent bias, unless it is applied before the
    recurrent product.
    """
    recurrent = weights[RECURRENT]
    gates = np.repeat(np.array([True, True, taker["reset_gate"] == "before"]), len(recurrent) // 3)
    exists, nothing = _exists(RECURRENT, taker).astype(bool), np.zeros_like(recurrent)
    fitted = {
        **weights,
        "gru.bias_ih": weights["gru.bias_ih"] + np.where(gates & ~exists, recurrent, nothing),
        RECURRENT: np.where(exists, recurrent, nothing),
    }
    residual = np.where(exists | gates, nothing, recurrent)
    return Fitted(fitted, residual, _mismatch_reason(giver["reset_gate"], taker["reset_gate"], residual))


def _mismatch_reason(giver: str, taker: str, residual: Array) -> str | None:
    if giver != taker:
        return f"its reset gate comes {taker} the recurrent product, the giver's {giver} it"
    return "its new gate has no recurrent bias" if residual.any() else None


def _optimizer(forms: Forms) -> Adam:
    return Adam(params.learning_rate, params.beta1, params.beta2, params.epsilon, forms["epsilon"])


model = Model(
    forms={
        "reset_gate": ("after", "before"),
        "biases": tuple(RECURRENT_GATES),
        "epsilon": Adam.FORMS,
        "repeated_words": ("summed", "squared apart"),
    },
    part=64,
    sample=lambda: np.zeros((1, params.max_length), int),
    forward=_forward,
    backward=_backward,
    optimizer=_optimizer,
    exists=_exists,
    fit=_fit,
    counts_copies=_counts_copies,
)
