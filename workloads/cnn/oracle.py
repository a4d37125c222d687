"""The CNN in float64 NumPy, from the formulas: forward, gradients, and the forms in which frameworks differ.

- `max_pool`: of inputs that tie for the maximum the "first" in row-major order gets the gradient, or "all" do;
- `momentum`: with the "rate outside" the velocity, v ← µ v + g and w ← w - η v, as in Sutskever et al. 2013, or with
  the "rate inside" it, v ← µ v + η g and w ← w - v. They differ once the learning rate η changes.

Images are channels-last here, (n, height, width, channels), so that a pixel is contiguous in memory.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rosetta_host.certificate import oracle
from rosetta_host.certificate.optimizers import SGD, Array, Gradients, Weights
from rosetta_host.certificate.oracle import Forms, Model
from workloads.cnn.data import IMAGE
from workloads.cnn.hyperparameters import params

NAME = "cnn"
TIE = 1e-12  # activations near 1 that are closer than this differ by float64's rounding alone


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
    """The gradient to the input of a convolution: correlate with the kernel rotated by 180°."""
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


def _forward(w: Weights, x: Array, forms: Forms) -> SimpleNamespace:
    """Images (n, 3, 32, 32) -> what `_backward` needs of each layer, and the scores (n, classes)."""
    tape = SimpleNamespace(images=np.asarray(x, w["fc2.weight"].dtype).transpose(0, 2, 3, 1), layers=[])

    def layer(kind: str, output: Array, name: str = "") -> Array:
        oracle.note(tape, kind, np.moveaxis(output, -1, 1), name)
        return output

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


def _backward(w: Weights, tape: SimpleNamespace, d_scores: Array, forms: Forms) -> Gradients:
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


def hidden(weights: Weights, x: Array, dtype: str = "float64") -> Array:
    """fc1 after ReLU, (n, 512): with the softmax it makes up each sample's gradient of fc2."""
    weights = oracle.typed(NAME, weights, dtype)
    return np.concatenate([_forward(weights, x[part], {}).hidden for part in oracle.parts(NAME, x)])


def ties(weights: Weights, x: Array) -> Array:
    """Whether an image has a window of either max pooling whose maximum is positive and not unique, bool (n,).

    A framework chooses which of the tied inputs gets the gradient. At 0 or below, ReLU passes none to any.
    """

    def tied(windows: Array) -> Array:
        highest = windows.max(axis=3)
        several: Array = (_highest(windows).sum(axis=3) > 1) & (highest > TIE)
        return np.asarray(several.any(axis=(1, 2, 3)))

    weights, tied_images = oracle.typed(NAME, weights), []
    for part in oracle.parts(NAME, x):
        tape = _forward(weights, x[part], {})
        tied_images.append(tied(tape.windows2) | tied(tape.windows4))
    return np.concatenate(tied_images)


def _optimizer(forms: Forms) -> SGD:
    return SGD(params.learning_rate, params.momentum, forms["momentum"])


model = Model(
    forms={"max_pool": ("first", "all"), "momentum": SGD.FORMS},
    part=8,
    sample=lambda: np.zeros((1, *IMAGE)),
    forward=_forward,
    backward=_backward,
    optimizer=_optimizer,
)
