"""How much arithmetic a workload is, so that a rate can be held against what the machine can do."""

from __future__ import annotations

from math import prod

from rosetta_common import weights

POSITIONS = {"conv1": 32 * 32, "conv2": 32 * 32, "conv3": 16 * 16, "conv4": 16 * 16}  # where each kernel is applied


def image_flop() -> int:
    """Floating-point operations of one image in a training step of the CNN: multiplications and additions.

    The forward pass, and the gradients to the weights and to each layer's input; the first layer's
    input is the image, which needs none. Pools, activations and the update are left out: below 1 %.
    """
    shapes = weights.shapes("cnn")
    forward = {
        name: 2 * prod(shape) * POSITIONS.get(name.partition(".")[0], 1)
        for name, shape in shapes.items()
        if name.endswith(".weight")
    }
    return 3 * sum(forward.values()) - forward["conv1.weight"]
