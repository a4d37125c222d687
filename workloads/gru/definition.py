"""The definition of the GRU: its names, the source of its data, its floating-point operations, its mutants."""

from math import prod

from rosetta_host.catalog.workloads import Source, Workload
from workloads.gru import weights
from workloads.gru.hyperparameters import params

LAYOUT = "imdb.npz"

# The range of the published runs and of the original notebooks' results, widened on both sides by its own width,
# because a copy of the data, a seed and a library's arithmetic move the accuracy; in whole percent, rounded outward.
ACCURACIES = {"epoch": (0.82, 0.89), "full": (0.80, 0.92)}
# SHA-256 of the arrays, as `rosetta_host.datasets.dataset.describe` computes it.
COPIES = {
    "unofficial copy": "f94eb4e23f4b7d1dc15ac87124a4d0e12ad6a9cae773dfea0d4ee892f418241f",
    "embedded sample": "9af4c06b5536c6c248c782f5ab8b72329d09b5be380053ffd32093cb5a95bd88",
}


def _flop() -> int:
    """Both products of the GRU for each word. The state before the first word is zero and needs no gradient."""
    shapes = weights.shapes()
    once = {name: 2 * prod(shapes[name]) for name in ("gru.weight_ih", "gru.weight_hh", "fc.weight")}
    words = params.max_length * (once["gru.weight_ih"] + once["gru.weight_hh"])
    return 3 * (words + once["fc.weight"]) - once["gru.weight_hh"]


workload = Workload(
    title="GRU on IMDB",
    network="the GRU",
    samples="reviews",
    source=Source(
        name="IMDB",
        file="imdb.npz",
        url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz",
        sha256="69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
        layout=LAYOUT,
        citation="Andrew L. Maas and others, Learning Word Vectors for Sentiment Analysis, ACL 2011; here as word "
        "ranks. https://ai.stanford.edu/~amaas/data/sentiment/",
        license="It has no explicit license: its authors published it for research and ask to be cited as here.",
        train=25_000,
        test=25_000,
    ),
    flop=_flop,
    accuracies=ACCURACIES,
    copies=COPIES,
    mutants={
        "beta1": "Adam's β₁ a thousandth too large",
        "other_epsilon": "Adam's ε on the other side of the bias correction",
        "reset_before": "the reset gate on the other side of the recurrent product",
        "zero_initial_weights": "initial weights of zero",
    },
    form_of={"reset_before": ("reset_gate", "before")},
    layers={"words": "a review’s words", "last word": "the last word’s output"},
    recurrent=frozenset({"GRU"}),
    scale="A column is one word and as high as its vector. A bar is as long as its vector.",
)
