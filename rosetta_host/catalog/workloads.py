"""The one list of workloads: the packages below workloads/, and the `definition` of each.

A package has further modules for the host, each read by the package here that needs it: `oracle`, `protocol` and
`limits` by `rosetta_host.certificate`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
WORKLOADS = ROOT / "workloads"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A data set as its publisher offers it.

    file: the name of the published file. layout: the file or folder that is read, once `file` is unpacked.
    license: in a sentence. train, test: the number of samples that the publisher states.
    """

    name: str
    file: str
    url: str
    sha256: str
    layout: str
    citation: str
    license: str
    train: int
    test: int


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The definition of a workload.

    title: its name in tables, "CNN on CIFAR-10". network: its name in a sentence, "the CNN". samples: what a sample is,
    in the plural; rates are in samples per second. flop: the floating-point operations of a sample in a training step,
    multiplications and additions. Counted are the matrix products and convolutions of the forward pass, and of the
    gradients to the weights and to the input of each layer. Not counted are operations that run once for each number,
    such as pooling, activations, gates, the look-up in an embedding, and the update.
    mutants: name -> the deliberate error, in words, that every example has to offer. variant_mutants: variant of
    `train` -> those that an example with the variant has to offer too. form_of: mutant -> the form that it computes and
    its value, which is no error of a framework that declares it. sizes: name -> further facts of the network that
    the site's text may name. layers: kind of a layer of the oracle -> its name in the figure of the network, where that
    is another. recurrent: the kinds of layers whose output at one step is an input of the next. scale: what the figure
    is to scale of.

    A record is refused unless it agrees with these. accuracies: preset -> the lowest and the highest accuracy of a
    correct run, fractions of 1. copies: the standing of a copy of the data -> the digest of its arrays, as records
    state both. since: the time, as records write it, from which on the network, its data and its hyperparameters are
    as they are now; a record of an older network is not compared with them.
    """

    title: str
    network: str
    samples: str
    source: Source
    flop: Callable[[], int]
    mutants: dict[str, str]
    variant_mutants: dict[str, dict[str, str]] = field(default_factory=dict)
    form_of: dict[str, tuple[str, str]] = field(default_factory=dict)
    sizes: Callable[[], dict[str, str | int]] = dict
    layers: dict[str, str] = field(default_factory=dict)
    recurrent: frozenset[str] = frozenset()
    scale: str = "A bar is as long as its vector."
    accuracies: dict[str, tuple[float, float]] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    since: str = ""

    @property
    def short(self) -> str:
        """The name of the network without its article, for a column or a list: "CNN"."""
        return self.network.removeprefix("the ")


@functools.cache
def names() -> tuple[str, ...]:
    """The names of all workloads, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in WORKLOADS.glob("*/__init__.py")))


def module(name: str, part: str) -> ModuleType:
    """A module of a workload's package. Raises ValueError for a workload that does not exist."""
    if name not in names():
        stated = '" or "'.join(names())
        raise ValueError(f'there is no workload "{name}": it is "{stated}".')
    return importlib.import_module(f"workloads.{name}.{part}")


def get(name: str) -> Workload:
    """The definition of this workload."""
    workload: Workload = module(name, "definition").workload
    return workload


def required(name: str, variants: Iterable[str] = ()) -> dict[str, str]:
    """The mutants that an example of this workload with these variants must offer: name -> description."""
    workload = get(name)
    of_variants = (workload.variant_mutants.get(variant, {}) for variant in variants)
    return workload.mutants | {mutant: words for mutants in of_variants for mutant, words in mutants.items()}


def sample(name: str) -> Path:
    """The folder of the embedded sample, laid out as the data set is."""
    return WORKLOADS / name / "sample"
