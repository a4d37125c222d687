"""What each function of a defaults.py is given, and how its answers are inferred from what it returns.

Nothing is taken from documentation: an answer is named only where the arrays agree with it, else it is "unknown".
`CALLS` are the calls; a judge a question turns the results into an Answer for each facet.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rosetta_host.defaults import infer_layers, infer_optimizers
from rosetta_host.defaults.calls import (
    CLOSE,
    RATE,
    Arrays,
    Call,
    Judged,
    Result,
    array,
    close,
    number,
    sigmoid,
    unknown,
)
from rosetta_host.defaults.distributions import distribution
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Answer, Statement

MOMENTUM = 0.9
HUGE = 1e6  # a gradient that any clipping would clip
STEPS = 10
RATES = (RATE,) * STEPS
CHANGED_RATES = (RATE,) * (STEPS // 2) + (RATE / 10,) * (STEPS // 2)  # tell a rate in the velocity from one outside it

LABELS = {
    "int64": "class indices, int64",
    "int32": "class indices, int32",
    "uint8": "class indices, uint8",
    "float32": "class indices, float32",
    "column": "a column of them",
    "one_hot": "one-hot rows",
}
CALLS = [
    Call("convolution", "convolution", (array("images"), (3, 3))),
    Call("convolution-number", "convolution", (array("images"), 3)),
    Call("dense", "dense", (array("rows"),)),
    Call("dense-float64", "dense", (array("rows_float64"),)),
    Call("embedding", "embedding", (array("indices"),)),
    Call("gru", "gru", (array("series"),)),
    Call("max_pool", "max_pool", (array("planes"),)),
    Call("momentum", "momentum", (array("weight"), array("gradients"), RATES, MOMENTUM)),
    Call("momentum-changed", "momentum", (array("weight"), array("gradients"), CHANGED_RATES, MOMENTUM)),
    Call("momentum-odd", "momentum", (array("weight"), array("odd_gradients"), RATES[:1], MOMENTUM)),
    Call("adam", "adam", (array("zeros"), array("adam_gradients"), RATE)),
    *(Call(f"cross_entropy-{kind}", "cross_entropy", (array("scores"), array(f"labels_{kind}"))) for kind in LABELS),
    Call("dropout", "dropout", (array("ones"),)),
    Call("loader", "loader", (array("numbered"), 10)),
    Call("shuffled_loader", "shuffled_loader", (array("many_numbered"), 10)),
    Call("padding", "padding", (((1, 2), (3, 4, 5, 6, 7, 8)), 4)),
    Call("input_gradient", "input_gradient", (array("image"),)),
    *infer_layers.CALLS,
    *infer_optimizers.CALLS,
]


def given() -> Arrays:
    """All arrays that the calls name."""
    rng = np.random.default_rng(0)
    labels = _labels()
    scores = rng.uniform(0.05, 1, (6, 4))
    rows = rng.normal(size=(4, 640))
    planes = np.stack([rng.permutation(49).reshape(7, 7), np.zeros((7, 7))])[None]
    return {
        "images": rng.normal(size=(2, 64, 9, 10)).astype(np.float32),
        "image": rng.normal(size=(1, 3, 8, 8)).astype(np.float32),
        "rows": rows.astype(np.float32),
        "rows_float64": rows,
        "indices": np.array([0, 1, 500, 999, 7, 7, 42]),
        "series": (2 * rng.normal(size=(5, 7, 48))).astype(np.float32),
        "planes": planes.astype(np.float32),
        "weight": rng.normal(size=4).astype(np.float32),
        "gradients": rng.normal(size=(STEPS, 4)).astype(np.float32),
        "odd_gradients": np.array([[np.nan, np.inf, HUGE, 1]], np.float32),
        "zeros": np.zeros(4, np.float32),
        "adam_gradients": _adam_gradients(),
        "scores": (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32),
        **{f"labels_{kind}": labels[kind].astype(kind) for kind in ("int64", "int32", "uint8", "float32")},
        "labels_column": labels["column"][:, None],
        "labels_one_hot": np.eye(4, dtype=np.float32)[labels["one_hot"]],
        "ones": np.ones((100, 100), np.float32),
        "numbered": np.arange(103, dtype=np.float32)[:, None],
        "many_numbered": np.arange(1030, dtype=np.float32)[:, None],
        **infer_layers.given(),
        **infer_optimizers.given(),
    }


def _labels() -> Arrays:
    """For each kind of labels the class indices that it stands for, in an order of its own.

    MLX answers float labels with what happens to be in memory. In the same order for all kinds, that may be the loss of
    the call before, and float labels would seem to be taken.
    """
    return {kind: np.roll([0, 3, 1, 2, 2, 0], turns) for turns, kind in enumerate(LABELS)}


def _adam_gradients() -> np.ndarray:
    """One column a parameter of Adam: always 1 (its rate), 1 and −1 (β₁), 1 and 0 (β₂), always of ε's order (ε)."""
    gradients = np.zeros((STEPS, 4))
    gradients[:, 0], gradients[:, 3] = 1, 1e-7
    gradients[0, 1:3] = 1
    gradients[1, 1] = -1
    return gradients.astype(np.float32)


ACTIVATIONS: dict[Code, Callable[[np.ndarray], np.ndarray]] = {
    Code.NONE: lambda z: z,
    Code.RELU: lambda z: np.maximum(z, 0),
    Code.TANH: np.tanh,
    Code.SIGMOID: sigmoid,
}


def _convolved(x: np.ndarray, weight: np.ndarray, padding: int, stride: int) -> np.ndarray:
    """Correlation of x (n, in, rows, columns) with weight (out, in, 3, 3), in float64."""
    padded = np.pad(x.astype(np.float64), [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows[:, :, ::stride, ::stride], weight.astype(np.float64), optimize=True)


def _convolution(results: dict[str, Result], arrays: Arrays) -> Judged:
    pair, single = results["convolution"], results["convolution-number"]
    returned = (single if pair.refusal else pair).arrays
    weight = returned["weight"]
    yield "weights", distribution(weight, fan_in=64 * 9, fan_out=96 * 9)
    yield "bias", _bias(returned.get("bias"), 64 * 9, 96 * 9)
    yield from _form(returned, arrays["images"])
    where = [axis for axis, length in enumerate(returned["native"]) if length == len(weight)]
    places: dict[tuple[int, ...], Code] = {(1,): Code.CHANNELS_FIRST, (3,): Code.CHANNELS_LAST}
    yield "channels", Answer(places[tuple(where)]) if tuple(where) in places else unknown(f"shape {returned['native']}")
    yield "number", _kernel(single)
    yield "pair", _kernel(pair)


def _kernel(result: Result) -> Answer:
    if result.refusal:
        return Answer(Code.REFUSED, reason=result.refusal)
    return Answer(Code.KERNEL, items=tuple(map(str, result.arrays["weight"].shape[2:])))


def _bias(bias: np.ndarray | None, fan_in: int, fan_out: int) -> Answer:
    return Answer(Code.NONE) if bias is None else distribution(bias, fan_in, fan_out)


def _form(returned: Arrays, x: np.ndarray) -> Judged:
    """Padding, stride, direction and activation of the convolution that gave this output."""
    bias = returned.get("bias", np.zeros(96))[:, None, None]
    ways = itertools.product((Code.NONE, Code.SAME_SIZE), (1, 2, 3), (False, True), ACTIVATIONS)
    for padding, stride, flip, activation in ways:
        weight = returned["weight"][..., ::-1, ::-1] if flip else returned["weight"]
        z = _convolved(x, weight, int(padding != Code.NONE), stride) + bias
        if close(ACTIVATIONS[activation](z), returned["output"]):
            yield "padding", Answer(padding)
            yield "stride", Answer(Code.NUMBER, stride)
            yield "flip", Answer(Code.CONVOLUTION if flip else Code.CORRELATION)
            yield "activation", Answer(activation)
            return
    for facet in ("padding", "stride", "flip", "activation"):
        yield facet, unknown(f"no convolution that was tried gives this output of shape {returned['output'].shape}")


def _dense(results: dict[str, Result], arrays: Arrays) -> Judged:
    returned = results["dense"].arrays
    yield "weights", distribution(returned["weight"], fan_in=640, fan_out=320)
    yield "bias", _bias(returned.get("bias"), 640, 320)
    z = arrays["rows"] @ returned["weight"].T + returned.get("bias", 0)
    fitting = [name for name, function in ACTIVATIONS.items() if close(function(z), returned["output"])]
    yield "activation", Answer(fitting[0]) if fitting else unknown("no activation that was tried gives this output")
    double = results["dense-float64"]
    if double.refusal:
        yield "float64", Answer(Code.REFUSED, reason=double.refusal)
    else:
        yield "float64", Answer(Code.DTYPE, items=(str(double.arrays["output"].dtype),))


def _embedding(results: dict[str, Result], arrays: Arrays) -> Judged:
    returned = results["embedding"].arrays
    if not close(returned["weight"][arrays["indices"]], returned["output"]):
        yield "weights", unknown("the output is not made of the rows of the weight")
    else:
        yield "weights", distribution(returned["weight"], fan_in=1000, fan_out=64)


GATES: dict[Code, Callable[[np.ndarray], np.ndarray]] = {
    Code.SIGMOID: ACTIVATIONS[Code.SIGMOID],
    Code.HARD_SIGMOID_FIFTH: lambda z: np.clip(0.2 * z + 0.5, 0, 1),
    Code.HARD_SIGMOID_SIXTH: lambda z: np.clip(z / 6 + 0.5, 0, 1),
}


def _states(returned: Arrays, x: np.ndarray, before: bool, gate: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """All states (n, time, units) of a GRU from zero, in float64, reset gate before or after the recurrent product.

    A recurrent bias of less than three gates is that of the last ones.
    """
    units = returned["weight_hh"].shape[1]
    nothing = np.zeros(3 * units)
    recurrent_bias = returned.get("bias_hh", nothing)
    recurrent_bias = np.pad(recurrent_bias, (3 * units - len(recurrent_bias), 0))
    inputs = x @ returned["weight_ih"].T.astype(np.float64) + returned.get("bias_ih", nothing)
    weights, bias = np.split(returned["weight_hh"].astype(np.float64), 3), np.split(recurrent_bias, 3)
    h, states = np.zeros((len(x), units)), []
    for xr, xz, xn in (np.split(step, 3, axis=1) for step in inputs.swapaxes(0, 1)):
        r, z = (gate(part + h @ w.T + b) for part, w, b in zip((xr, xz), weights, bias, strict=False))
        recurrent = (r * h) @ weights[2].T + bias[2] if before else r * (h @ weights[2].T + bias[2])
        n = np.tanh(xn + recurrent)
        h = z * n + (1 - z) * h if "complement" in returned else (1 - z) * n + z * h
        states.append(h)
    return np.stack(states, axis=1)


BIASES = (Code.NONE, Code.ONE_BIAS, Code.TWO_BIASES)


def _gru(results: dict[str, Result], arrays: Arrays) -> Judged:
    returned = results["gru"].arrays
    for facet, name, fan_in in (("input_weights", "weight_ih", 48), ("recurrent_weights", "weight_hh", 32)):
        yield facet, _gates_distribution(returned[name], fan_in)
    biases = [returned[name] for name in ("bias_ih", "bias_hh") if name in returned]
    yield "bias", distribution(np.concatenate(biases), 32, 32) if biases else Answer(Code.NONE)
    folded = len(biases) == 2 and len(biases[1]) == returned["weight_hh"].shape[1]
    yield "biases", Answer(Code.ONE_BIAS_AND_NEW_STATE if folded else BIASES[len(biases)])
    output = returned["output"]
    yield "output", Answer(Code.LAST_STATE if output.ndim == 2 else Code.EVERY_STATE)
    fits = []
    for before, gate in itertools.product((False, True), GATES):
        states = _states(returned, arrays["series"], before, GATES[gate])
        expected = states[:, -1] if output.ndim == 2 else states
        fits.append(
            (float(np.abs(expected - output).max()) if expected.shape == output.shape else np.inf, before, gate)
        )
    (best, before, gate), (second, *_) = sorted(fits)[:2]
    if best < CLOSE and best < second / 3:  # MindSpore's tanh is off by up to 1e-4
        yield "reset_gate", Answer(Code.BEFORE_PRODUCT if before else Code.AFTER_PRODUCT, figures={"difference": best})
        yield "gate", Answer(gate)
    else:
        for facet in ("reset_gate", "gate"):
            yield facet, unknown("no GRU that was tried gives this output, and no other", best=best, second=second)


def _gates_distribution(weight: np.ndarray, fan_in: int) -> Answer:
    """The distribution of three gates' weights: by the fans of one, of all three in one matrix, or of two and one."""
    one_gate, all_three = distribution(weight, fan_in, 32), distribution(weight, fan_in, 96)
    if all_three.items and not one_gate.items:
        return Answer(Code.ALL_GATES_AS_ONE_MATRIX, parts=(all_three.statement,), figures=all_three.figures)
    if one_gate.code == Code.UNKNOWN:  # CNTK keeps the two gates in one matrix and the new state in another
        gates, new = distribution(weight[:64], fan_in, 64), distribution(weight[64:], fan_in, 32)
        if Code.UNKNOWN not in (gates.code, new.code):
            parts = (gates.statement, new.statement)
            return Answer(Code.GATES_AND_NEW_STATE, parts=parts, figures=gates.figures)
    return one_gate


def _max_pool(results: dict[str, Result], arrays: Arrays) -> Judged:
    returned, x = results["max_pool"].arrays, arrays["planes"]
    rows = returned["output"].shape[2]
    edges = {3: (2, Code.DROPPED), 4: (2, Code.POOLED_ALONE), 6: (1, Code.POOLED_WITH_SIXTH)}
    stride, edge = edges.get(rows, (0, Code.UNKNOWN))
    if not stride or not close(returned["output"], _pooled(x, stride, rows)):
        yield from (
            (facet, unknown(f"output of shape {returned['output'].shape}")) for facet in ("stride", "edge", "ties")
        )
        return
    yield "stride", Answer(Code.NUMBER, stride)
    yield "edge", Answer(edge)
    yield "ties", _ties(returned["gradient"][0, 1], rows * rows)


def _pooled(x: np.ndarray, stride: int, rows: int) -> np.ndarray:
    """Max pooling of windows of 2 × 2 that may hang over the lower and the right edge."""
    padded = np.pad(x, [(0, 0), (0, 0), (0, 1), (0, 1)], constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2, 2), axis=(2, 3)).max(axis=(4, 5))
    return windows[:, :, ::stride, ::stride][:, :, :rows, :rows]


def _ties(gradient: np.ndarray, windows: int) -> Answer:
    """Who is paid where all values of a window are equal; gradient (7, 7) of the sum over all windows."""
    paid = float(gradient.sum()) / windows
    figures: dict[str, float | None] = {"gradient a window": paid}
    if paid > 1.01:
        return Answer(Code.EACH_TIED, figures=figures)
    if np.abs(gradient - np.round(gradient)).max() > 0.01:
        return Answer(Code.SHARED_BY_TIED, figures=figures)
    return Answer(Code.FIRST_TIED if gradient[0, 0] else Code.OTHER_TIED, figures=figures)


OUTSIDE, INSIDE, CONSTANT = "rate_outside", "rate_inside", "constant_rate"
# A kind of momentum, and where the learning rate stands; the code of an answer is both.
KINDS = [*itertools.product(("classical", "nesterov", "unit_gain", "dampened"), (OUTSIDE, INSIDE))]


def stepped(
    weight: np.ndarray, gradients: np.ndarray, rates: Sequence[float], momentum: float, kind: str, place: str
) -> np.ndarray:
    """The weight after each step of SGD of this kind of momentum, the rate in this place: float64 (steps, size).

    weight: (size,). gradients: (steps, size). rates: the learning rate of each step.
    """
    w, v, seen = weight.astype(np.float64), np.zeros(len(weight)), []
    for step, (g, rate) in enumerate(zip(gradients.astype(np.float64), rates, strict=True)):
        inside, outside = (rate, 1.0) if place == INSIDE else (1.0, rate)
        share = 1 - momentum if kind == "unit_gain" or (kind == "dampened" and step) else 1.0
        v = momentum * v + inside * share * g
        w = w - outside * (inside * g + momentum * v if kind == "nesterov" else v)
        seen.append(w)
    return np.stack(seen)


def _fitting(result: Result, arrays: Arrays, rates: Sequence[float]) -> list[tuple[str, str]]:
    """The kinds and places that give these steps; at a constant rate both places do."""
    weight, gradients, seen = arrays["weight"], arrays["gradients"], _listed(result.arrays)
    return [k for k in KINDS if close(stepped(weight, gradients, rates, MOMENTUM, *k), seen)]


def _kind(constant: list[tuple[str, str]], changed: list[tuple[str, str]], refusal: str | None) -> Answer:
    """The kind of momentum, and where the rate stands as far as it may change."""
    if not constant:
        return unknown("no formula that was tried gives these steps")
    if refusal:
        return Answer(Code(f"{constant[0][0]}_{CONSTANT}"), reason=refusal)
    both = [kind for kind in changed if kind in constant]
    if not both:
        return unknown("no formula that was tried gives the steps of a changed rate")
    return Answer(Code("_".join(both[0])))


def _momentum(results: dict[str, Result], arrays: Arrays) -> Judged:
    constant, changed = _fitting(results["momentum"], arrays, RATES), results["momentum-changed"]
    fitting = [] if changed.refusal else _fitting(changed, arrays, CHANGED_RATES)
    yield "kind", _kind(constant, fitting, changed.refusal)
    odd = results["momentum-odd"]
    if odd.refusal:
        yield from ((facet, Answer(Code.REFUSED, reason=odd.refusal)) for facet in ("not_finite", "clipping"))
        return
    after, before = _listed(odd.arrays)[0], arrays["weight"]
    lost = ~np.isfinite(after[:2])
    yield "not_finite", Answer((Code.SURVIVES, Code.ONE_PASSES, Code.PASS)[int(lost.sum())])
    kind = constant[0] if constant else ("classical", OUTSIDE)
    expected = stepped(before, arrays["odd_gradients"], RATES[:1], MOMENTUM, *kind)[0, 2] - before[2]
    moved = float(after[2] - before[2])
    same = abs(moved / expected - 1) < 0.01
    clipped = Answer(Code.CLIPPED, float(f"{moved:.3g}"), figures={"moved": moved})
    yield "clipping", Answer(Code.TAKEN_AS_IT_IS, figures={"moved": moved}) if same else clipped


def _listed(arrays: Arrays) -> np.ndarray:
    """Arrays that a function returned as a list, on top of one another."""
    return np.stack([arrays[str(number)] for number in range(len(arrays))])


def _adam(results: dict[str, Result], arrays: Arrays) -> Judged:
    """Each parameter by itself, from a column of gradients that shows it alone; see `_adam_gradients`."""
    seen = _listed(results["adam"].arrays).astype(np.float64)
    moved = -np.diff(np.concatenate([np.zeros((1, 4)), seen]), axis=0)
    gradient = float(arrays["adam_gradients"][0, 3])
    for correction, off in _corrections().items():
        steps = moved / off[:, None]  # as they were with the right correction, which is that of all columns
        if np.allclose(steps[:, 0], steps[0, 0], rtol=1e-3):  # a corrected mean of what is constant is that itself
            rate = float(steps[0, 0])
            yield from _corrected(steps / rate, rate, gradient)
            yield "correction", Answer(correction)
            return
    first, last = float(moved[0, 0]), float(moved[-1, 0])
    for facet in ("learning_rate", "beta1", "beta2", "epsilon", "epsilon_place", "correction"):
        yield facet, unknown("a constant gradient moves it as no correction that was tried", first=first, last=last)


def _corrections(beta1: float = 0.9, beta2: float = 0.999) -> dict[Code, np.ndarray]:
    """How Adam's means may be corrected -> by what its steps are then longer than they should be."""
    t = np.arange(1, STEPS + 1)
    right, late = (np.sqrt(1 - beta2**n) / (1 - beta1**n) for n in (t, t + 1))
    return {
        Code.FROM_FIRST_STEP: np.ones(STEPS),
        Code.A_STEP_LATE: late / right,  # Caffe2: its counter starts at one
        Code.NOT_CORRECTED: 1 / right,  # MLX
    }


def _corrected(steps: np.ndarray, rate: float, gradient: float) -> Judged:
    """The facets of an Adam that corrects its means, from its steps (steps, 4) as shares of its rate."""
    turned = steps[1, 1]
    beta1 = (1 + turned) / (1 - turned)
    root = beta1 / (1 + beta1) / (steps[1, 2] / steps[0, 2])
    beta2 = root**2 / (1 - root**2)
    yield "learning_rate", number(rate, 3, measured=rate)
    yield "beta1", number(beta1, 3, measured=float(beta1))
    # CNTK's is 1 − 1/720000, which steps in float32 cannot tell from others so near to 1.
    measured = float(beta2)
    near = Answer(Code.NEARLY_ONE, figures={"measured": measured})
    yield "beta2", number(measured, 4, measured=measured) if beta2 < 0.9999 else near
    yield from _epsilon(steps[:, 3], gradient, float(beta2))


def _epsilon(steps: np.ndarray, gradient: float, beta2: float) -> Judged:
    """ε from steps (as shares of the rate) of a constant small gradient: beside the corrected root, or the raw one."""
    first, last = gradient * (1 / steps[0] - 1), gradient * (1 / steps[-1] - 1)
    shrinks = np.sqrt((1 - beta2) / (1 - beta2 ** len(steps)))  # last over first, if it stands beside the raw root
    figures: dict[str, float | None] = {"first step": float(first), "last step": float(last)}
    if abs(last / first - 1) < 0.05:
        yield "epsilon", Answer(Code.NUMBER, float(f"{first:.1g}"), figures=figures)
        yield "epsilon_place", Answer(Code.CORRECTED_ROOT)
    elif abs(last / first / shrinks - 1) < 0.05:
        yield "epsilon", Answer(Code.NUMBER, float(f"{first * np.sqrt(1 - beta2):.1g}"), figures=figures)
        yield "epsilon_place", Answer(Code.RAW_ROOT)
    else:
        for facet in ("epsilon", "epsilon_place"):
            reason = "it is neither constant nor shrinks as the correction does"
            yield facet, Answer(Code.UNKNOWN, figures=figures, reason=reason)


def _losses(scores: np.ndarray, labels: np.ndarray) -> dict[tuple[Code, Code], np.ndarray]:
    """The loss by each way to compute it; where the softmax is and what becomes of the batch -> its value."""
    rows = np.arange(len(labels))
    log_soft_max = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    ways = {Code.IN_LOSS: -log_soft_max[rows, labels], Code.IN_NETWORK: -np.log(scores)[rows, labels]}
    reduced = {}
    for place, losses in ways.items():
        reduced[place, Code.MEAN] = losses.mean()
        reduced[place, Code.SUM] = losses.sum()
        reduced[place, Code.LOSS_PER_SAMPLE] = losses
    return reduced


def _cross_entropy(results: dict[str, Result], arrays: Arrays) -> Judged:
    scores = arrays["scores"].astype(np.float64)
    fits: dict[str, tuple[Code, Code]] = {}
    for kind, labels in _labels().items():
        returned = np.squeeze(next(iter(results[f"cross_entropy-{kind}"].arrays.values()), np.full(1, np.nan)))
        right = [way for way, losses in _losses(scores, labels).items() if close(returned, losses)]
        fits |= {kind: right[0]} if right else {}
    places = {fit[0] for fit in fits.values()}
    batches = list(dict.fromkeys(fit[1] for fit in fits.values()))
    yield "soft_max", Answer(places.pop()) if len(places) == 1 else unknown("no loss that was tried is this one")
    yield "reduction", _either(batches) if batches else unknown("no loss that was tried is this one")
    others = {kind: results[f"cross_entropy-{kind}"] for kind in LABELS if kind not in fits}
    reasons = [f"{LABELS[kind]}: {other.refusal or 'taken, and misread'}" for kind, other in others.items()]
    yield "labels", Answer(Code.LABELS if fits else Code.NONE, items=tuple(fits), reason="; ".join(reasons) or None)


def _either(codes: list[Code]) -> Answer:
    """An answer that depends on the kind of labels: all that occur."""
    return Answer(codes[0]) if len(codes) == 1 else Answer(Code.EITHER, parts=tuple(map(Statement, codes)))


def _dropout(results: dict[str, Result], arrays: Arrays) -> Judged:
    returned = results["dropout"].arrays
    kept = sorted({float(value) for value in np.round(np.unique(returned["training"]), 3)} - {0.0})
    share = {"share dropped": float(np.mean(returned["training"] == 0))}
    code = {2.0: Code.KEPT_DOUBLED, 1.0: Code.KEPT_UNCHANGED}.get(kept[0]) if len(kept) == 1 else None
    other = Answer(Code.KEPT_BECOMES, items=tuple(f"{value:g}" for value in kept), figures=share)
    yield "scaling", Answer(code, figures=share) if code else other
    if "unsaid" in returned:
        zeros = float(np.mean(returned["unsaid"] == 0))
        yield "unsaid", Answer(Code.DROPS if zeros > 0.1 else Code.DOES_NOT_DROP, figures={"share dropped": zeros})


def _loader(results: dict[str, Result], arrays: Arrays) -> Judged:
    batches = [batch.ravel() for batch in results["loader"].arrays.values()]
    seen, count = np.concatenate(batches), len(arrays["numbered"])
    whole = [batch for batch in batches if len(batch) == 10]
    in_order = np.array_equal(np.concatenate(whole[:10]), np.arange(100)) if len(whole) >= 10 else False
    yield "order", Answer(Code.IN_ORDER if in_order else Code.SHUFFLED)
    rest = count % 10
    if len(batches[-1]) == rest and len(seen) == count:
        yield "last_batch", Answer(Code.SMALLER_BATCH)
    elif len(seen) == count - rest:
        yield "last_batch", Answer(Code.BATCH_DROPPED)
    elif len(seen) > count and len(batches[-1]) == 10:
        again = np.array_equal(seen[count:], np.arange(len(seen) - count)) if in_order else False
        yield "last_batch", Answer(Code.FILLED_WITH_FIRST if again else Code.FILLED)
    else:
        yield "last_batch", unknown(f"{len(seen)} of {count} samples in {len(batches)} batches")


def _shuffled_loader(results: dict[str, Result], arrays: Arrays) -> Judged:
    order = np.concatenate([batch.ravel() for batch in results["shuffled_loader"].arrays.values()]).astype(int)
    order = order[: len(arrays["many_numbered"])]
    if np.array_equal(order, np.arange(len(order))):
        yield "unit", Answer(Code.NOTHING)
        return
    if len(set(order.tolist())) < len(order):
        yield "unit", Answer(Code.SAMPLES_TWICE)
        return
    together = float(np.mean(np.diff(order) == 1))  # 0.9 where batches of ten stay whole
    apart = float(np.mean(np.abs(order - np.arange(len(order)))) / len(order))  # a third where it is thorough
    figures: dict[str, float | None] = {"neighbors that stay": together, "mean move": apart}
    if together > 0.5:
        yield "unit", Answer(Code.WHOLE_BATCHES, figures=figures)
    else:
        yield "unit", Answer(Code.SAMPLES if apart > 0.25 else Code.SAMPLES_NEARBY, figures=figures)


def _padding(results: dict[str, Result], arrays: Arrays) -> Judged:
    rows = next(iter(results["padding"].arrays.values())).tolist()
    short, long = rows[0], rows[1] if len(rows) > 1 else None
    side = Code.BEHIND if short[:2] == [1, 2] else Code.IN_FRONT if short[2:] == [1, 2] else None
    padding = set(short[2:] if side == Code.BEHIND else short[:2])
    yield "side", Answer(side) if side and len(padding) == 1 else unknown(f"{short}")
    yield "value", Answer(Code.NUMBER, float(padding.pop())) if len(padding) == 1 else unknown(f"{short}")
    cuts = {None: Code.TOO_LONG_LEFT_OUT, (5, 6, 7, 8): Code.IN_FRONT, (3, 4, 5, 6): Code.BEHIND}
    cut = cuts.get(tuple(long) if long else None)
    yield "cut", Answer(cut) if cut else unknown(f"{long}")


def _input_gradient(results: dict[str, Result], arrays: Arrays) -> Judged:
    there = any(gradient.size for gradient in results["input_gradient"].arrays.values())
    yield "unasked", Answer(Code.COMPUTED if there else Code.LEFT_OUT)


JUDGES: Mapping[str, Callable[[dict[str, Result], Arrays], Judged]] = {
    "convolution": _convolution,
    "dense": _dense,
    "embedding": _embedding,
    "gru": _gru,
    "max_pool": _max_pool,
    "momentum": _momentum,
    "adam": _adam,
    "cross_entropy": _cross_entropy,
    "dropout": _dropout,
    "loader": _loader,
    "shuffled_loader": _shuffled_loader,
    "padding": _padding,
    "input_gradient": _input_gradient,
    **infer_layers.JUDGES,
    **infer_optimizers.JUDGES,
}
