"""The questions about layers that no example uses: normalization, LSTM, activations, padded windows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from rosetta_host.defaults.calls import CLOSE, Arrays, Call, Judged, Result, array, close, number, sigmoid, unknown
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Answer

CALLS = [
    Call("lstm", "lstm", (array("series"),)),
    Call("batch_norm", "batch_norm", (array("batches"),)),
    Call("layer_norm", "layer_norm", (array("small_rows"),)),
    Call("gelu", "gelu", (array("line"),)),
    Call("leaky_relu", "leaky_relu", (array("line"),)),
    Call("average_pool", "average_pool", (array("square_of_ones"),)),
    Call("strided_convolution", "strided_convolution", (array("square"),)),
    Call("hard_sigmoid", "hard_sigmoid", (array("line"),)),
    Call("transposed_convolution", "transposed_convolution", (array("square"),)),
    Call("resize", "resize", (array("small_square"),)),
]
SPREAD = np.array([0.01, 0.03, 2])  # of the columns of the batches: two that show ε, and one that shows the divisor
GATES = "ifgo"  # input, forget, new state, output


def given() -> Arrays:
    """The arrays that these calls name, without those of `infer`."""
    rng = np.random.default_rng(1)
    return {
        "batches": (rng.normal(size=(2, 4, 3)) * SPREAD + [2, -1, 3]).astype(np.float32),
        "small_rows": (1e-3 * rng.normal(size=(4, 8))).astype(np.float32),
        "line": np.linspace(-4, 4, 81, dtype=np.float32),
        "square_of_ones": np.ones((1, 1, 4, 4), np.float32),
        "square": rng.normal(size=(1, 1, 6, 6)).astype(np.float32),
        "small_square": rng.normal(size=(1, 1, 3, 3)).astype(np.float32),
    }


class Form(NamedTuple):
    """What may differ between LSTMs. order: of the gates in the rows of a weight.

    added: to the forget gate, beside its bias. late: whether the output gate's peephole follows its sigmoid.
    """

    order: tuple[str, ...]
    added: float
    late: bool


def _lstm_states(returned: Arrays, x: np.ndarray, form: Form) -> tuple[np.ndarray, np.ndarray]:
    """All outputs and all cell states (n, time, units) of an LSTM from zero, in float64.

    `peepholes`, where there are any, are weights of the cell state in the gates i, f and o.
    """
    see_i, see_f, see_o = returned.get("peepholes", np.zeros((3, 1)))
    weight_ih, weight_hh = (returned[name].astype(np.float64) for name in ("weight_ih", "weight_hh"))
    inputs = x @ weight_ih.T + sum(_biases(returned), np.zeros(len(weight_ih)))
    h = c = np.zeros((len(x), weight_hh.shape[1]))
    outputs, cells = [], []
    for step in inputs.swapaxes(0, 1):
        gate = dict(zip(form.order, np.split(step + h @ weight_hh.T, 4, axis=1), strict=True))
        kept = sigmoid(gate["f"] + form.added + see_f * c) * c
        c = kept + sigmoid(gate["i"] + see_i * c) * np.tanh(gate["g"])
        h = (sigmoid(gate["o"]) + see_o * c if form.late else sigmoid(gate["o"] + see_o * c)) * np.tanh(c)
        outputs.append(h)
        cells.append(c)
    return np.stack(outputs, axis=1), np.stack(cells, axis=1)


def _biases(returned: Arrays) -> list[np.ndarray]:
    return [returned[name].astype(np.float64) for name in ("bias_ih", "bias_hh") if name in returned]


def _lstm(results: dict[str, Result], arrays: Arrays) -> Judged:
    returned = results["lstm"].arrays
    output, biases, has_peepholes = returned["output"], _biases(returned), "peepholes" in returned
    yield "biases", Answer((Code.NONE, Code.ONE_BIAS, Code.TWO_BIASES)[len(biases)])
    fits = []
    for form in map(Form._make, itertools.product(itertools.permutations(GATES), (0.0, 1.0), {False, has_peepholes})):
        hidden, cells = _lstm_states(returned, arrays["series"], form)
        given_back = {Code.LAST_STATE: hidden[:, -1], Code.LAST_CELL_STATE: cells[:, -1]}
        for code, expected in given_back.items() if output.ndim == 2 else [(Code.EVERY_STATE, hidden)]:
            fits.append((float(np.abs(expected - output).max()), form, code))
    (best, form, code), (second, *_) = sorted(fits)[:2]
    if best >= CLOSE or best >= second / 3:
        for facet in ("order", "forget_bias", "peepholes", "output"):
            yield facet, unknown("no LSTM that was tried gives this output", best=best, second=second)
        return
    yield "order", Answer(Code.GATES, items=form.order, figures={"difference": best})
    yield "forget_bias", _forget_bias(biases, form.order.index("f"), form.added)
    yield "peepholes", Answer((Code.PEEPHOLES_LATE if form.late else Code.PEEPHOLES) if has_peepholes else Code.NONE)
    yield "output", Answer(code)


def _forget_bias(biases: list[np.ndarray], place: int, added: float) -> Answer:
    """The sum of the forget gate's biases, if it is one number; what is random is too little for a distribution."""
    if added:
        return Answer(Code.ADDED_IN_FORMULA, added)
    total = sum(np.split(bias, 4)[place] for bias in biases) if biases else np.zeros(1)
    if np.ptp(total) == 0:
        return number(float(np.ravel(total)[0]), 3)
    return Answer(Code.RANDOM, figures={"mean": float(np.mean(total))})


def _batch_norm(results: dict[str, Result], arrays: Arrays) -> Judged:
    returned, x = results["batch_norm"].arrays, arrays["batches"].astype(np.float64)
    epsilon, place = _epsilon(returned["training"][0].astype(np.float64).T[:-1], x[0].T[:-1])
    yield "epsilon", epsilon
    yield "epsilon_place", place
    means = x.mean(axis=1)
    yield "training_uses", _used(returned["training"][1, :, -1], x[1, :, -1])
    share, start = _share(returned["mean"].astype(np.float64), means)
    if share is None:
        for facet in ("share", "running_variance"):
            yield facet, unknown("no running mean that was tried is this one")
        return
    yield "share", number(share, 2, measured=share)
    seen, variance = float(returned["variance"][0, -1]), float(x[0, :, -1].var())
    yield "running_variance", _divisor(seen, variance, share if start else 1.0, epsilon.value or 0.0)


def _used(output: np.ndarray, x: np.ndarray) -> Answer:
    """Which statistics normalize a batch in training; the second batch tells: its own, or the running ones."""
    own = (x - x.mean()) / x.std()
    return Answer(Code.OWN_STATISTICS if np.allclose(output, own, atol=1e-2) else Code.RUNNING_STATISTICS)


def _share(seen: np.ndarray, means: np.ndarray) -> tuple[float | None, bool]:
    """The share of a new batch in the running mean; and whether that starts at zero, not at the first batch's mean.

    seen, means: (2, columns), the running mean after each batch and the batches' own; in the last column, these differ.
    """
    first = seen[0] / means[0]
    share = float(first.mean())
    second = float((seen[1] - seen[0])[-1] / (means[1] - seen[0])[-1])
    if not (share > 0 and 0 < second < 1 and np.ptp(first) <= 0.01 * share):
        return None, True
    if abs(share - 1) > 0.01:  # the mean starts at zero
        return (share, True) if abs(second / share - 1) < 0.02 else (None, True)
    # A mean that is corrected for its start weighs the second batch by 1 / (1 + decay), which is more than a half.
    return (2 - 1 / second if second > 0.5 else second), False


def _divisor(seen: float, variance: float, share: float, epsilon: float) -> Answer:
    """What the running variance divides by: n, or n − 1. seen: after a batch of 4, whose variance with n is given."""
    factors = {
        Code.OVER_N: 1.0,
        Code.OVER_N_MINUS_1: 4 / 3,
        Code.OVER_N_MINUS_1_WITH_EPSILON: 4 / 3 * (1 + epsilon / variance),
    }
    for start in (1.0, 0.0):
        factor = (seen - (1 - share) * start) / share / variance
        for code, expected in factors.items():
            if abs(factor / expected - 1) < 0.01:
                return Answer(code, figures={"over that of the batch": factor})
    return unknown("no running variance that was tried is this one")


def _epsilon(normalized: np.ndarray, x: np.ndarray) -> tuple[Answer, Answer]:
    """ε of rows that are normalized, and its place: inside or outside the root of the variance."""
    variance, seen = x.var(axis=1), normalized.var(axis=1)
    excess = 1 / seen - 1
    ways = {
        Code.INSIDE_ROOT: variance * excess,
        Code.OUTSIDE_ROOT: np.sqrt(variance) * (1 / np.sqrt(seen) - 1),
    }
    place = min(ways, key=lambda code: float(np.ptp(ways[code]) / abs(ways[code].mean())))
    epsilons = ways[place]
    figures = {"least": float(epsilons.min()), "most": float(epsilons.max())}
    if not (excess > 1e-4).all() or np.ptp(epsilons) > 0.05 * epsilons.mean():
        nothing = unknown("these outputs are of no ε that float32 can show", **figures)
        return nothing, nothing
    return number(float(np.median(epsilons)), 1, **figures), Answer(place)


def _layer_norm(results: dict[str, Result], arrays: Arrays) -> Judged:
    output, x = (a.astype(np.float64) for a in (results["layer_norm"].arrays["output"], arrays["small_rows"]))
    epsilon, place = _epsilon(output, x)
    yield "epsilon", epsilon
    yield "epsilon_place", place


def _only(result: Result) -> np.ndarray:
    """The one array that a function returned."""
    return next(iter(result.arrays.values()))


FORMS: dict[Code, Callable[[np.ndarray], np.ndarray]] = {
    Code.WITH_ERF: lambda x: x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    Code.WITH_TANH: lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
}


def _gelu(results: dict[str, Result], arrays: Arrays) -> Judged:
    x = arrays["line"].astype(np.float64)
    differences = {code: float(np.abs(form(x) - _only(results["gelu"])).max()) for code, form in FORMS.items()}
    best = min(differences, key=lambda code: differences[code])
    if differences[best] > CLOSE / 4:  # the two forms differ by 5e-4
        yield "form", unknown("no GELU that was tried gives this output", difference=differences[best])
    else:
        yield "form", Answer(best, figures={"difference": differences[best]})


def _leaky_relu(results: dict[str, Result], arrays: Arrays) -> Judged:
    x, output = arrays["line"], _only(results["leaky_relu"])
    slope = float(np.median(output[x < 0] / x[x < 0]))
    fits = close(np.where(x < 0, slope * x, x), output)
    yield "slope", number(slope, 3) if fits else unknown("it is no line on each side of zero")


def _average_pool(results: dict[str, Result], arrays: Arrays) -> Judged:
    output = _only(results["average_pool"])
    codes = {4 / 9: Code.BORDER_COUNTED, 1.0: Code.BORDER_NOT_COUNTED}
    if output.shape != (1, 1, 4, 4):
        yield "border", unknown(f"output of shape {output.shape}")
        return
    fitting = [code for corner, code in codes.items() if abs(output[0, 0, 0, 0] - corner) < CLOSE]
    yield "border", Answer(fitting[0]) if fitting else unknown(f"the corner is {output[0, 0, 0, 0]:.3g}")


def _strided_convolution(results: dict[str, Result], arrays: Arrays) -> Judged:
    returned, x = results["strided_convolution"].arrays, arrays["square"]
    weight = returned["weight"][0, 0]
    for code, before in ((Code.PADDED_AT_END, 0), (Code.PADDED_ON_BOTH_SIDES, 1)):
        padded = np.pad(x[0, 0].astype(np.float64), (before, 1))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))[::2, ::2]
        for kernel in (weight, weight[::-1, ::-1]):  # a rotated kernel is a question of its own
            if close(np.einsum("rcij,ij->rc", windows, kernel)[:3, :3], returned["output"][0, 0]):
                yield "edge", Answer(code)
                return
    yield "edge", unknown(f"no padding that was tried gives this output of shape {returned['output'].shape}")


SIZES = {Code.WHOLE: slice(None), Code.FIRST_CUT: slice(1, None), Code.LAST_CUT: slice(-1)}
# Where the six pixels of a row lie among the three that are resized.
GRIDS = {
    Code.HALF_PIXELS: (np.arange(6) + 0.5) / 2 - 0.5,
    Code.ALIGNED_CORNERS: np.arange(6) * 2 / 5,
    Code.ALIGNED_FIRST: np.arange(6) / 2,
}
HARD_SIGMOIDS = {Code.HARD_SIGMOID_FIFTH: 1 / 5, Code.HARD_SIGMOID_SIXTH: 1 / 6}


def _hard_sigmoid(results: dict[str, Result], arrays: Arrays) -> Judged:
    x, output = arrays["line"].astype(np.float64), _only(results["hard_sigmoid"])
    fitting = [code for code, slope in HARD_SIGMOIDS.items() if close(np.clip(slope * x + 0.5, 0, 1), output)]
    yield "form", Answer(fitting[0]) if fitting else unknown("no hard sigmoid that was tried gives this output")


def _transposed_convolution(results: dict[str, Result], arrays: Arrays) -> Judged:
    returned, x = results["transposed_convolution"].arrays, arrays["square"][0, 0].astype(np.float64)
    output, weight = returned["output"][0, 0], returned["weight"][0, 0].astype(np.float64)
    for code, kernel in ((Code.NOT_ROTATED, weight), (Code.ROTATED, weight[::-1, ::-1])):
        whole = np.zeros((13, 13))
        for row, column in np.ndindex(x.shape):
            whole[2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += x[row, column] * kernel
        for size, part in SIZES.items():
            if close(whole[part, part], output):
                yield "size", Answer(size)
                yield "kernel", Answer(code)
                return
    for facet in ("size", "kernel"):
        yield facet, unknown(f"none that was tried gives this output of shape {output.shape}")


def _resize(results: dict[str, Result], arrays: Arrays) -> Judged:
    output, x = _only(results["resize"]), arrays["small_square"][0, 0].astype(np.float64)
    for code, places in GRIDS.items():
        along = np.stack([np.interp(places, np.arange(3), column) for column in x.T], axis=1)
        if close(np.stack([np.interp(places, np.arange(3), row) for row in along])[None, None], output):
            yield "grid", Answer(code)
            return
    yield "grid", unknown(f"no grid that was tried gives this output of shape {output.shape}")


JUDGES: Mapping[str, Callable[[dict[str, Result], Arrays], Judged]] = {
    "lstm": _lstm,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "gelu": _gelu,
    "leaky_relu": _leaky_relu,
    "average_pool": _average_pool,
    "strided_convolution": _strided_convolution,
    "hard_sigmoid": _hard_sigmoid,
    "transposed_convolution": _transposed_convolution,
    "resize": _resize,
}
