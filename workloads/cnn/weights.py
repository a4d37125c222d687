"""The canonical weights of the CNN.

Convolution kernels are (out, in, 3, 3) in correlation order; `fc1.weight` is (512, 6400) over the channel-first
flatten.
"""

from workloads.cnn.hyperparameters import params

BOUNDS = {}  # all matrices and kernels start Glorot-uniform
# The columns of fc1.weight are a feature map laid flat: its axes, which the canonical shape does not show, and sizes.
AXES = {"fc1.weight": (("out", "channel", "height", "width"), (512, 100, 8, 8))}
GATES = {}  # no tensor holds several gates


def shapes():
    """Name -> shape of each canonical weight, in the order of the layers."""
    convolutions = [("conv1", 50, 3), ("conv2", 50, 50), ("conv3", 100, 50), ("conv4", 100, 100)]
    layers = [(name, (out, into, 3, 3)) for name, out, into in convolutions]
    layers += [("fc1", (512, 100 * 8 * 8)), ("fc2", (params.classes, 512))]
    return dict(pair for name, shape in layers for pair in ((name + ".weight", shape), (name + ".bias", shape[:1])))
