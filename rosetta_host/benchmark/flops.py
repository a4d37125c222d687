"""How much arithmetic a workload is, and what a GPU can do at most: a rate is held against what the machine can do."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from rosetta_common import params, weights

POSITIONS = {"conv1": 32 * 32, "conv2": 32 * 32, "conv3": 16 * 16, "conv4": 16 * 16}  # where each kernel is applied


class Peak(NamedTuple):
    """The float32 rate that a GPU's maker states, in FLOP/s, without its TF32 mode; and where that is stated."""

    rate: float
    source: str


# The name that the driver gives a GPU -> its peak.
PEAKS = {"NVIDIA H100 80GB HBM3": Peak(67e12, "NVIDIA H100 Tensor Core GPU data sheet, H100 SXM, FP32")}


def sample_flop(workload: str) -> int:
    """Floating-point operations of one sample in a training step of "cnn" or "gru": multiplications and additions.

    Counted are the matrix products and convolutions of the forward pass, and of the gradients to the weights and to
    each layer's input. Left out are what is done once for each number, such as pools, activations, gates, the look-up
    in the embedding, and the update.
    """
    return _image_flop() if workload == "cnn" else _review_flop()


def _image_flop() -> int:
    """The first layer's input is the image, which needs no gradient."""
    shapes = weights.shapes("cnn")
    forward = {
        name: 2 * prod(shape) * POSITIONS.get(name.partition(".")[0], 1)
        for name, shape in shapes.items()
        if name.endswith(".weight")
    }
    return 3 * sum(forward.values()) - forward["conv1.weight"]


def _review_flop() -> int:
    """Each word passes both products of the GRU; the state before the first word is zero, which needs no gradient."""
    shapes = weights.shapes("gru")
    once = {name: 2 * prod(shapes[name]) for name in ("gru.weight_ih", "gru.weight_hh", "fc.weight")}
    words = params.gru.max_length * (once["gru.weight_ih"] + once["gru.weight_hh"])
    return 3 * (words + once["fc.weight"]) - once["gru.weight_hh"]
