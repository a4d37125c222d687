"""The definition of the CNN: its names, the source of its data, its floating-point operations, its mutants."""

from math import prod

from rosetta_host.catalog.workloads import Source, Workload
from workloads.cnn import weights
from workloads.cnn.data import IMAGE

LAYOUT = "cifar-10-batches-py"
POSITIONS = {"conv1": 32 * 32, "conv2": 32 * 32, "conv3": 16 * 16, "conv4": 16 * 16}  # where each kernel is applied

# The range of the published runs and of the original notebooks' results, widened on both sides by its own width,
# because a copy of the data, a seed and a library's arithmetic move the accuracy; in whole percent, rounded outward.
ACCURACIES = {"epoch": (0.34, 0.57), "full": (0.69, 0.84)}
# SHA-256 of the arrays, as `rosetta_host.datasets.dataset.describe` computes it.
COPIES = {
    "unofficial copy": "f310269a21de0a67f0a1c9803e6fe8bf9aa6ba50bd0279eae181eab0fa73eb5b",
    "embedded sample": "4b71f5e95bcb2056fb02d2d9d03adb1c18142b57c7e355efc920d0512fc29aeb",
}


def _flop() -> int:
    """Three passes a layer, but two for the first: its input, the image, needs no gradient."""
    forward = {
        name: 2 * prod(shape) * POSITIONS.get(name.partition(".")[0], 1)
        for name, shape in weights.shapes().items()
        if name.endswith(".weight")
    }
    return 3 * sum(forward.values()) - forward["conv1.weight"]


def _sizes() -> dict[str, str | int]:
    """The shapes of an image, "3, 32, 32"; `flat` and `hidden`: the lengths before and after the first dense layer."""
    channels, *size = IMAGE
    hidden, flat = weights.shapes()["fc1.weight"]
    layouts = {"image": IMAGE, "image_last": (*size, channels)}
    return {"flat": flat, "hidden": hidden, **{name: ", ".join(map(str, shape)) for name, shape in layouts.items()}}


workload = Workload(
    title="CNN on CIFAR-10",
    network="the CNN",
    samples="images",
    source=Source(
        name="CIFAR-10",
        file="cifar-10-python.tar.gz",
        url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        layout=LAYOUT,
        citation="Alex Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical report, University "
        "of Toronto, 2009. https://www.cs.toronto.edu/~kriz/cifar.html",
        license="It has no explicit license: its authors published it for research and ask to be cited as here.",
        train=50_000,
        test=10_000,
    ),
    flop=_flop,
    accuracies=ACCURACIES,
    copies=COPIES,
    mutants={
        "momentum": "momentum a thousandth too large",
        "learning_rate": "a learning rate a thousandth too large",
        "nesterov": "Nesterov's momentum instead of the classical kind",
        "weight_decay": "a very small weight decay",
        "bias_left_out": "biases that are never trained",
        "label_smoothing": "labels smoothed by a thousandth",
        "loss_summed": "the loss summed over the batch, not averaged",
        "flipped_kernels": "kernels rotated by 180 degrees, on import and on export",
        "images_transposed": "images that lie on their side",
        "labels_shifted": "each image with its neighbor's label",
        "dropout_in_prediction": "dropout left on in prediction",
        "dropout_rates_swapped": "two dropout rates swapped",
        "batch_size_128": "batches of 128",
        "gradients_not_cleared": "gradients that accumulate from step to step",
        "learning_rate_decays": "a learning rate that falls after a while",
        "no_shuffle": "an epoch in the order of the data",
    },
    variant_mutants={
        "train_with_loader": {
            "loader_no_shuffle": "a loader that does not shuffle",
            "loader_batch_size_128": "a loader with batches of 128",
        }
    },
    sizes=_sizes,
    layers={"images": "an image"},
    scale="To scale: a box is as deep as its number of channels, and a bar as long as its vector.",
)
