"""The oracle: both models, their gradients and their optimizers in float64 NumPy, written from the formulas.

The certificate holds every framework against it. Weights go in and gradients come out under the
canonical names and layouts of `rosetta_common.weights`; dropout is off. Nothing here comes from a
framework, and a slip would have to survive finite differences and PyTorch's float64 to go unseen.

`forms` says where a framework differs by design; what it leaves out takes the first form of `FORMS`:
- CNN, `max_pool`: of inputs that tie for the maximum the "first" in row-major order gets the gradient, or "all" do;
- CNN, `momentum`: with the "rate outside" the velocity, v ← µ v + g and w ← w - η v, as in Sutskever et al. 2013, or
  with the "rate inside" it, v ← µ v + η g and w ← w - v. They part where the learning rate η changes;
- GRU, `reset_gate`: applied "after" the recurrent product, as cuDNN does, n = tanh(W_in x + b_in + r (W_hn h + b_hn)),
  or "before" it, as Cho et al. 2014 wrote it, n = tanh(W_in x + b_in + W_hn (r h) + b_hn);
- GRU, `biases`: "two", or "folded": r and z have one bias only, that of gru.bias_ih, or "no b_hn": nor does n have a
  recurrent one. A bias that the framework does not have is a constant here: its value counts, its gradient is 0.
  The certificate sets it to 0, see `exists`;
- GRU, `epsilon`: Adam's ε added to the "corrected" √v̂ or to the "uncorrected" √v (Kingma & Ba 2015, end of section 2);
- GRU, `repeated_words`: a word that occurs several times in a mini-batch has a gradient for each occurrence. They are
  "summed" before Adam squares them, as v's formula says, or "squared apart": v gets the sum of their squares. A
  framework computes the latter whose embedding has a gradient of one row an occurrence, which Adam squares row by row.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from rosetta_common import params
from rosetta_common.weights import check

Array = npt.NDArray[Any]
Weights = Mapping[str, Array]
Gradients = dict[str, Array]
Forms = Mapping[str, str]

FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "cnn": {"max_pool": ("first", "all"), "momentum": ("rate outside", "rate inside")},
    "gru": {
        "reset_gate": ("after", "before"),
        "biases": ("two", "folded", "no b_hn"),
        "epsilon": ("corrected", "uncorrected"),
        "repeated_words": ("summed", "squared apart"),
    },
}
SQUARES = "embedding: squares"  # beside the gradients where repeated words are squared apart: what v gets instead of g²
PART = {"cnn": 8, "gru": 64}  # samples computed at once: eight images' patches stay in the processor's cache
TIE = 1e-12  # activations near 1 that are closer than this differ by float64's rounding alone


class Layer(NamedTuple):
    """One layer as a sample passed it.

    kind: what it does. name: of its weights, before the dot of the canonical names; "" without weights. shape: of what
    it gives for one sample, channels first or time first. dtype: of that. parameters: how many are the layer's own.
    """

    kind: str
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    parameters: int


def scores(workload: str, weights: Weights, x: Array, forms: Forms | None = None) -> Array:
    """Logits, float64 (n, classes). x: CNN (n, 3, 32, 32) in [0, 1]; GRU integer features (n, 150)."""
    forms = settle(workload, forms)
    weights = _typed(workload, weights)
    forward, _ = MODELS[workload]
    return np.concatenate([forward(weights, x[part], forms).scores for part in _parts(workload, x)])


def layers(workload: str, weights: Weights, x: Array, forms: Forms | None = None) -> list[Layer]:
    """What each layer gives, from the input to the scores, seen while samples pass. Takes what `scores` takes."""
    forms = settle(workload, forms)
    weights = _typed(workload, weights)
    forward, _ = MODELS[workload]

    def parameters(layer: str) -> int:
        own = {name: weight for name, weight in weights.items() if name.partition(".")[0] == layer}
        return sum(int(np.sum(exists(workload, name, forms) * np.ones(w.shape))) for name, w in own.items())

    noted = forward(weights, x, forms).layers
    return [Layer(kind, name, shape, dtype, parameters(name)) for kind, name, shape, dtype in noted]


def gradients(
    workload: str, weights: Weights, x: Array, y: Array, forms: Forms | None = None, dtype: str = "float64"
) -> tuple[float, Gradients]:
    """The mean softmax cross-entropy over the batch, and its gradient: name -> float64 array. y: integer (n,).

    Where repeated words are "squared apart", `SQUARES` stands beside the gradients, for Adam.
    dtype: "float32" takes half the time, where nothing is judged by the result (CNN alone).
    """
    forms = settle(workload, forms)
    weights = _typed(workload, weights, dtype)
    forward, backward = MODELS[workload]
    loss, total = 0.0, {name: np.zeros(weight.shape) for name, weight in weights.items()}
    if forms.get("repeated_words") == "squared apart":
        total[SQUARES] = np.zeros(weights["embedding"].shape)
    for part in _parts(workload, x):
        tape = forward(weights, x[part], forms)
        loss += float(losses(tape.scores, y[part]).sum()) / len(x)
        d_scores = (softmax(tape.scores) - np.eye(tape.scores.shape[1], dtype=dtype)[y[part]]) / len(x)
        for name, gradient in backward(weights, tape, d_scores, forms).items():
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


def hidden(weights: Weights, x: Array, dtype: str = "float64") -> Array:
    """The CNN's fc1 after ReLU, (n, 512): with the softmax it makes up each sample's gradient of fc2."""
    weights = _typed("cnn", weights, dtype)
    return np.concatenate([_cnn_forward(weights, x[part], {}).hidden for part in _parts("cnn", x)])


def ties(weights: Weights, x: Array) -> Array:
    """Whether an image has a window of either max pooling whose maximum is positive and not unique, bool (n,).

    Which of the tied inputs gets the gradient is a framework's choice; at 0 or below, ReLU gives none to any.
    """

    def tied(windows: Array) -> Array:
        highest = windows.max(axis=3)
        found: Array = (_highest(windows).sum(axis=3) > 1) & (highest > TIE)
        return np.asarray(found.any(axis=(1, 2, 3)))

    weights, found = _typed("cnn", weights), []
    for part in _parts("cnn", x):
        tape = _cnn_forward(weights, x[part], {})
        found.append(tied(tape.windows2) | tied(tape.windows4))
    return np.concatenate(found)


def settle(workload: str, forms: Forms | None = None) -> dict[str, str]:
    """All forms of a workload, those of `forms` over the defaults. Raises ValueError for one that does not exist."""
    if workload not in FORMS:
        raise ValueError(f'there is no workload "{workload}": it is "cnn" or "gru".')
    known, chosen = FORMS[workload], dict(forms or {})
    for name, value in chosen.items():
        if name not in known:
            raise ValueError(f'the {workload} has no form "{name}": it has {", ".join(known)}.')
        if value not in known[name]:
            choices = '" or "'.join(known[name])
            raise ValueError(f'{name} is "{choices}", not "{value}".')
    return {name: chosen.get(name, values[0]) for name, values in known.items()}


def exists(workload: str, name: str, forms: Forms | None = None) -> Array:
    """Which entries of a weight are parameters of their own under these forms: float32 1 or 0, () or (300,)."""
    if name != "gru.bias_hh":
        return np.ones((), np.float32)
    biases = {"two": [1, 1, 1], "folded": [0, 0, 1], "no b_hn": [0, 0, 0]}[settle(workload, forms)["biases"]]
    return np.repeat(np.array(biases, np.float32), params.gru.units)


def _typed(workload: str, weights: Weights, dtype: str = "float64") -> Gradients:
    check(workload, weights)
    return {name: np.asarray(weight, dtype) for name, weight in weights.items()}


def _parts(workload: str, x: Array) -> list[slice]:
    return [slice(start, start + PART[workload]) for start in range(0, len(x), PART[workload])]


def _note(tape: SimpleNamespace, kind: str, given: Array, name: str = "") -> None:
    """Note what a layer gave, samples first: (n, ...)."""
    tape.layers.append((kind, name, given.shape[1:], given.dtype))


# The CNN. Images are channels-last here, (n, height, width, channels), so that a pixel is one run of memory.


def _relu(x: Array) -> Array:
    return np.maximum(x, 0.0)


def _patches(x: Array) -> Array:
    """Each pixel's 3x3 neighborhood, zeros beyond the border: (n, h, w, c) -> (n·h·w, 9·c)."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = sliding_window_view(padded, (3, 3), axis=(1, 2))  # (n, h, w, c, 3, 3)
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 9 * x.shape[3])


def _convolve(x: Array, kernel: Array, bias: Array | float = 0.0) -> Array:
    """Correlate (n, h, w, in) with a canonical kernel (out, in, 3, 3) -> (n, h, w, out)."""
    matrix = kernel.transpose(2, 3, 1, 0).reshape(-1, len(kernel))
    product: Array = _patches(x) @ matrix
    product += bias
    return product.reshape(*x.shape[:3], len(kernel))


def _kernel_gradient(x: Array, d_out: Array) -> Array:
    """(n, h, w, in) and (n, h, w, out) -> (out, in, 3, 3)."""
    matrix: Array = d_out.reshape(-1, d_out.shape[3]).T @ _patches(x)
    return matrix.reshape(-1, 3, 3, x.shape[3]).transpose(0, 3, 1, 2)


def _input_gradient(d_out: Array, kernel: Array) -> Array:
    """What a pixel gave to each neighbor comes back from it: correlate with the kernel turned by half a circle."""
    return _convolve(d_out, kernel[:, :, ::-1, ::-1].swapaxes(0, 1))


def _windows(x: Array) -> Array:
    """The 2x2 windows of a max pooling, in row-major order: (n, h, w, c) -> (n, h/2, w/2, 4, c)."""
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).swapaxes(2, 3).reshape(n, h // 2, w // 2, 4, c)


def _highest(windows: Array) -> Array:
    """Which of a window's four inputs equal its maximum: bool (n, h/2, w/2, 4, c)."""
    return windows >= windows.max(axis=3, keepdims=True) - TIE


def _pool_gradient(windows: Array, d_out: Array, form: str) -> Array:
    """(n, h/2, w/2, 4, c) and (n, h/2, w/2, c) -> (n, h, w, c)."""
    paid = _highest(windows)
    if form == "first":
        paid &= np.cumsum(paid, axis=3, dtype=np.int8) == 1
    n, h, w, _, c = windows.shape
    d_windows: Array = paid * d_out[:, :, :, None]
    return d_windows.reshape(n, h, w, 2, 2, c).swapaxes(2, 3).reshape(n, 2 * h, 2 * w, c)


def _flatten(x: Array) -> Array:
    """(n, h, w, c) -> (n, c·h·w), the canonical channel-first order."""
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


def _cnn_forward(w: Weights, x: Array, forms: Forms) -> SimpleNamespace:
    """Images (n, 3, 32, 32) -> what `_cnn_backward` needs of each layer, and the scores (n, classes)."""
    tape = SimpleNamespace(images=np.asarray(x, w["fc2.weight"].dtype).transpose(0, 2, 3, 1), layers=[])

    def layer(kind: str, given: Array, name: str = "") -> Array:
        _note(tape, kind, np.moveaxis(given, -1, 1), name)
        return given

    def convolution(name: str, x: Array) -> Array:
        return layer("convolution", _convolve(x, w[name + ".weight"], w[name + ".bias"]), name)

    def dense(name: str, x: Array) -> Array:
        return layer("dense", x @ w[name + ".weight"].T + w[name + ".bias"], name)

    def relu(x: Array) -> Array:
        return layer("ReLU", _relu(x))

    def pool(windows: Array) -> Array:
        return layer("max pooling", windows.max(axis=3))

    def dropout(x: Array) -> Array:
        return layer("dropout", x)  # it is off

    layer("images", tape.images)
    tape.relu1 = relu(convolution("conv1", tape.images))
    tape.windows2 = _windows(convolution("conv2", tape.relu1))
    tape.relu2 = dropout(relu(pool(tape.windows2)))
    tape.relu3 = relu(convolution("conv3", tape.relu2))
    tape.windows4 = _windows(convolution("conv4", tape.relu3))
    tape.relu4 = dropout(relu(pool(tape.windows4)))
    tape.flat = layer("flatten", _flatten(tape.relu4))
    tape.hidden = dropout(relu(dense("fc1", tape.flat)))
    tape.scores = dense("fc2", tape.hidden)
    return tape


def _cnn_backward(w: Weights, tape: SimpleNamespace, d_scores: Array, forms: Forms) -> Gradients:
    """The gradient of each weight, from the last layer to the first. A ReLU's slope at 0 is 0."""
    gradient = {"fc2.weight": d_scores.T @ tape.hidden, "fc2.bias": d_scores.sum(axis=0)}
    d = (d_scores @ w["fc2.weight"]) * (tape.hidden > 0)
    gradient.update({"fc1.weight": d.T @ tape.flat, "fc1.bias": d.sum(axis=0)})
    n, h, width, c = tape.relu4.shape
    d = (d @ w["fc1.weight"]).reshape(n, c, h, width).transpose(0, 2, 3, 1)

    def convolution(name: str, into: Array, d: Array) -> None:
        gradient[name + ".weight"] = _kernel_gradient(into, d)
        gradient[name + ".bias"] = d.sum(axis=(0, 1, 2))

    d = _pool_gradient(tape.windows4, d * (tape.relu4 > 0), forms["max_pool"])
    convolution("conv4", tape.relu3, d)
    d = _input_gradient(d, w["conv4.weight"]) * (tape.relu3 > 0)
    convolution("conv3", tape.relu2, d)
    d = _input_gradient(d, w["conv3.weight"]) * (tape.relu2 > 0)
    d = _pool_gradient(tape.windows2, d, forms["max_pool"])
    convolution("conv2", tape.relu1, d)
    d = _input_gradient(d, w["conv2.weight"]) * (tape.relu1 > 0)
    convolution("conv1", tape.images, d)
    return gradient


# The GRU. Time comes first here, (150, n, ...), so that a step is one run of memory.


def _sigmoid(x: Array) -> Array:
    return np.tanh(0.5 * x) * 0.5 + 0.5  # no overflow on either side


def _gru_forward(w: Weights, x: Array, forms: Forms) -> SimpleNamespace:
    """Features (n, 150) -> what `_gru_backward` needs of each step, and the scores (n, classes)."""
    words = np.asarray(x).T
    units, (steps, n) = params.gru.units, words.shape
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
    _note(tape, "words", tape.words.swapaxes(0, 1))
    _note(tape, "embedding", tape.embedded.swapaxes(0, 1), "embedding")
    _note(tape, "GRU", tape.h[1:].swapaxes(0, 1), "gru")
    _note(tape, "last word", tape.h[-1])
    _note(tape, "dense", tape.scores, "fc")
    return tape


def _gru_backward(w: Weights, tape: SimpleNamespace, d_scores: Array, forms: Forms) -> Gradients:
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
    apart = forms["repeated_words"] == "squared apart"
    return {
        **({SQUARES: _sum_of_rows(words, d_embedded**2, vocabulary)} if apart else {}),
        "embedding": _sum_of_rows(words, d_embedded, vocabulary),
        "gru.weight_ih": d_in.T @ rows(tape.embedded),
        "gru.weight_hh": np.concatenate([d_hid[:, : 2 * units].T @ rows(h), d_hid[:, 2 * units :].T @ rows(into_new)]),
        "gru.bias_ih": d_in.sum(axis=0),
        "gru.bias_hh": d_hid.sum(axis=0) * exists("gru", "gru.bias_hh", forms),
        "fc.weight": d_scores.T @ tape.h[-1],
        "fc.bias": d_scores.sum(axis=0),
    }


def _sum_of_rows(words: Array, rows: Array, vocabulary: int) -> Array:
    """Sum the rows (m, 125) of equal words (m,) -> (vocabulary, 125); np.add.at would take seconds."""
    order = np.argsort(words, kind="stable")
    present, starts = np.unique(words[order], return_index=True)
    total = np.zeros((vocabulary, rows.shape[1]))
    total[present] = np.add.reduceat(rows[order], starts)
    return total


MODELS: dict[str, tuple[Callable[..., SimpleNamespace], Callable[..., Gradients]]] = {
    "cnn": (_cnn_forward, _cnn_backward),
    "gru": (_gru_forward, _gru_backward),
}


# The optimizers. They predict how far the weights move; the certificate sets that against how far they moved.


class SGD:
    """form "rate outside": v = µ v + g, the weights move by -lr v; "rate inside": v = µ v + lr g, they move by -v.

    `learning_rate` may be set between two steps: from there on the forms differ.
    """

    def __init__(self, learning_rate: float, momentum: float, form: str = "rate outside") -> None:
        settle("cnn", {"momentum": form})
        self.learning_rate, self.momentum, self.form = learning_rate, momentum, form
        self.velocity: Gradients | None = None
        self._outside = 1.0  # the last step moved the weights by minus this times the velocity

    def movement(self, gradients: Weights) -> Gradients:
        """How far the weights move in a step with these gradients: name -> float64 array."""
        inside, self._outside = self.learning_rate, 1.0
        if self.form == "rate outside":
            inside, self._outside = 1.0, self.learning_rate
        before = self.velocity or {}
        self.velocity = {name: self.momentum * before.get(name, 0.0) + inside * g for name, g in gradients.items()}
        return {name: -self._outside * velocity for name, velocity in self.velocity.items()}

    def resynchronize(self, movement: Weights) -> None:
        """Take the velocity from a framework's own last movement, so that its rounding does not run on."""
        self.velocity = {name: np.asarray(moved, np.float64) / -self._outside for name, moved in movement.items()}


class Adam:
    """Kingma & Ba 2015. form "corrected": lr m̂ / (√v̂ + ε); "uncorrected": lr √(1-β2ᵗ)/(1-β1ᵗ) m / (√v + ε)."""

    def __init__(
        self, learning_rate: float, beta1: float, beta2: float, epsilon: float, form: str = "corrected"
    ) -> None:
        settle("gru", {"epsilon": form})
        self.learning_rate, self.beta1, self.beta2, self.epsilon, self.form = learning_rate, beta1, beta2, epsilon, form
        self.m: Gradients = {}
        self.v: Gradients = {}
        self.t = 0

    def movement(self, gradients: Weights) -> Gradients:
        """How far the weights move. `SQUARES` among the gradients is what the embedding's v gets instead of g²."""
        self.t += 1
        squares = {name: gradient**2 for name, gradient in gradients.items() if name != SQUARES}
        if SQUARES in gradients:
            squares["embedding"] = gradients[SQUARES]
        return {name: self._move(name, gradients[name], square) for name, square in squares.items()}

    def _move(self, name: str, gradient: Array, square: Array) -> Array:
        m = self.m[name] = self.beta1 * self.m.get(name, 0.0) + (1 - self.beta1) * gradient
        v = self.v[name] = self.beta2 * self.v.get(name, 0.0) + (1 - self.beta2) * square
        correct_m, correct_v = 1 - self.beta1**self.t, 1 - self.beta2**self.t
        # √v + ε √(1-β2ᵗ), over √(1-β2ᵗ), is √v̂ + ε: the two forms differ by that factor of ε alone.
        epsilon = self.epsilon * (np.sqrt(correct_v) if self.form == "corrected" else 1.0)
        moved: Array = m / (np.sqrt(v) + epsilon)
        moved *= -self.learning_rate * np.sqrt(correct_v) / correct_m
        return moved

    def resynchronize(self, movement: Weights) -> None:
        """Nothing: m and v cannot be had from a movement, they stay the oracle's own."""


def optimizer(workload: str, forms: Forms | None = None) -> SGD | Adam:
    """The workload's optimizer with the rates of `rosetta_common.params`."""
    forms = settle(workload, forms)
    if workload == "cnn":
        return SGD(params.cnn.learning_rate, params.cnn.momentum, forms["momentum"])
    gru = params.gru
    return Adam(gru.learning_rate, gru.beta1, gru.beta2, gru.epsilon, forms["epsilon"])
