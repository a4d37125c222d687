"""What a certificate and a transfer ask of an example: fixed data, and programs that `rosetta_common.trace` runs.

Two data sets for each workload. "steps" holds five batches of 64 real samples and 100 others to predict. "probe" holds
samples from which the weights after an epoch show which samples each step saw and which units dropout silenced. The
framework loads both as one data set, the probe after the steps, through the example's own `load_data()`. The parts that
depend on the workload are in `workloads/<name>/protocol.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from rosetta_common import run, weights
from rosetta_host.catalog import workloads
from rosetta_host.certificate import oracle
from rosetta_host.datasets import dataset

if TYPE_CHECKING:
    from rosetta_host.certificate.steps import ExampleLimits, Trace
    from rosetta_host.records.store import Check

BATCH = 64
BATCHES = 5  # of "steps"
STEPPED = ("scores", "steps", "loop")  # the parts of a certificate that single batches and epochs show
# Single steps before and after an epoch. In float32 the median of five counts, because rounding can flip a decision at
# a number that is nearly zero, such as a ReLU's. In float64 two steps are enough: the first, and one with momentum.
STEPS = {"float32": BATCHES, "float64": 2}
STEPS_AFTER = {"float32": 2, "float64": 1}
CHANGED = 0.1  # the factor of the learning rate in the schedule: the forms of momentum then differ by most of a step
PREDICTED = 100
PROBE = BATCHES * BATCH  # where "probe" begins
COPIES = 202  # of one sample: three full batches and a rest, all of the same gradient

Arrays = dict[str, np.ndarray]


class Samples(msgspec.Struct, eq=False):
    """A data set, stored or encoded for the oracle: samples to train on and to predict, labels (n,)."""

    x_train: Any
    x_test: Any
    y_train: np.ndarray
    y_test: np.ndarray

    def encoded(self, workload: str, dtype: str) -> Samples:
        """The data set as the oracle takes it, with values that `dtype` can hold."""
        encode = of(workload).encode
        return Samples(encode(self.x_train, dtype), encode(self.x_test, dtype), self.y_train, self.y_test)


class Dropout(NamedTuple):
    """How the certificate checks a workload's dropout.

    steps: the steps of a program that runs with dropout on. judge: the checks of its trace; also takes the scores at
    the canonical weights and the limits.
    """

    steps: Callable[[], list[list[Any]]]
    judge: Callable[[Trace, np.ndarray, ExampleLimits], Iterator[Check]]


class WorkloadProtocol(msgspec.Struct, frozen=True, kw_only=True):
    """What a certificate asks of one workload.

    encode: stored samples and a dtype -> what the oracle takes. write: lay a data set out in a folder as the official
    download does. probe: the embedded sample -> the data set "probe", which begins with twice `shuffled` samples.
    shuffled: the samples of an epoch of the shuffle's check. visits: the trace, the encoded probe and the sizes of an
    epoch's batches -> the step, from 1, in which each sample was seen, 0 = never (shuffled,): in the first epoch of one
    seed, in the first and in the second of another. weights: others than the canonical ones that its programs import.
    """

    encode: Callable[[Any, str], np.ndarray]
    write: Callable[[Path, Samples], None]
    probe: Callable[[Samples], Samples]
    shuffled: int
    visits: Callable[[Trace, Samples, list[int]], Iterator[np.ndarray]]
    weights: Callable[[], dict[str, Arrays]] = dict
    dropout: Dropout | None = None


def of(workload: str) -> WorkloadProtocol:
    """What a certificate asks of this workload."""
    protocol: WorkloadProtocol = workloads.module(workload, "protocol").protocol
    return protocol


@functools.cache
def sample(workload: str) -> Samples:
    """The embedded sample."""
    with dataset.reading(workloads.sample(workload)):
        x_train, x_test, y_train, y_test = dataset.read(workload)
    return Samples(x_train, x_test, y_train, y_test)


def steps_samples(workload: str) -> Samples:
    """The data set "steps": 320 samples to train on, 100 to predict."""
    embedded = sample(workload)
    train, test = slice(BATCHES * BATCH), slice(PREDICTED)
    return Samples(embedded.x_train[train], embedded.x_test[test], embedded.y_train[train], embedded.y_test[test])


@functools.cache
def encoded_steps(workload: str, dtype: str) -> Samples:
    """The data set "steps" as the oracle takes it: one object, by which `steps.at_start` caches its results."""
    return steps_samples(workload).encoded(workload, dtype)


def probe_samples(workload: str) -> Samples:
    """The data set "probe"."""
    return of(workload).probe(sample(workload))


def certificate_samples(workload: str) -> Samples:
    """The data set of a certificate: "steps" and then "probe" to train on, and their common samples to predict."""
    steps, probe = steps_samples(workload), probe_samples(workload)
    together = [*steps.x_train, *probe.x_train]
    x_train = np.array(together) if isinstance(together[0], np.ndarray) else together
    return Samples(x_train, steps.x_test, np.concatenate([steps.y_train, probe.y_train]), steps.y_test)


def write_samples(workload: str, folder: Path, samples: Samples) -> None:
    """Write a data set to `folder` in the layout of the official download."""
    of(workload).write(folder, samples)


def canonical_weights(workload: str, forms: Mapping[str, str] | None = None) -> Arrays:
    """The weights that an example imports. A bias that its declared form lacks is 0."""
    canonical = weights.canonical(workload)
    return {name: value * oracle.exists(workload, name, forms) for name, value in canonical.items()}


def imported_weights(workload: str, forms: Mapping[str, str] | None = None) -> dict[str, Arrays]:
    """The weights that the programs of a certificate import, by name."""
    return {"canonical": canonical_weights(workload, forms), **of(workload).weights()}


def _program(workload: str, dtype: str, verb: str, steps: list[list[Any]], dropout: bool = False) -> dict[str, Any]:
    settings: dict[str, Any] = {"dtype": dtype}
    if rates := getattr(run.settings_of(workload), "dropout", None):
        settings["dropout"] = list(rates) if dropout else [0] * len(rates)
    return {"settings": settings, "train": verb, "steps": steps}


def indices(start: int, count: int) -> list[int]:
    """The indices of `count` samples from `start` on, for a step of a program."""
    return list(range(start, start + count))


def changed_rate(workload: str) -> float:
    """The learning rate that a certificate sets after the epoch, to see on which side of the momentum it is."""
    return float(CHANGED * run.settings_of(workload).learning_rate)


def _steps(workload: str, dtype: str, parts: Collection[str]) -> list[list[Any]]:
    """Predict, some single steps, predict and evaluate; an epoch of copies of one sample, and single steps again.

    If "rate" is among the parts, take one more step with a changed learning rate. At the end import the first weights
    again and predict: a compiled graph must not keep the weights that it was built with.
    """
    steps: list[list[Any]] = [["import", "canonical"], ["export", "w0"]]
    if "scores" in parts:
        steps += [["predict", "before"]]
    if "steps" in parts:
        for k in range(STEPS[dtype]):
            steps += [["train", indices(k * BATCH, BATCH), f"step{k + 1}"]]
            steps += [["reading", f"step{k + 1}"]] if dtype == "float32" else []
            steps += [["export", f"w{k + 1}"]]
    steps += [["export", "halfway"]]
    if "scores" in parts:
        steps += [["predict", "after"], ["evaluate", "after"]]
    if "loop" in parts:
        steps += [["train", [0] * COPIES, "loop"], ["export", "loop"]]
        for k in range(STEPS_AFTER[dtype]):
            steps += [["train", indices(k * BATCH, BATCH), f"again{k + 1}"], ["export", f"again{k + 1}"]]
        if "rate" in parts:
            batch = indices(STEPS_AFTER[dtype] * BATCH, BATCH)
            steps += [["rate", changed_rate(workload)], ["train", batch, "changed"], ["export", "changed"]]
    if "scores" in parts:
        steps += [["import", "canonical"], ["predict", "back"]]
    return steps


def _start(workload: str) -> list[list[Any]]:
    """Initial weights for another seed and for the first seed again, and epochs whose order the weights show.

    Uses as few models as possible: some frameworks take half a minute to compile each.
    """
    count = of(workload).shuffled
    first, second = indices(PROBE, count), indices(PROBE + count, count)
    steps: list[list[Any]] = [["init", 1], ["export", "start1"]]
    steps += [["import", "canonical"], ["train", first, "other"], ["export", "other"]]
    steps += [["init", 0], ["export", "start0again"]]
    steps += [["import", "canonical"], ["train", first, "first"], ["export", "first"]]
    steps += [["train", second, "second"], ["export", "second"]]
    return steps


def steps_program(workload: str, dtype: str, verb: str, parts: Collection[str]) -> dict[str, Any]:
    """The program for those of the parts `STEPPED` that are among `parts`.

    With "rate" beside "loop", the learning rate changes after the loop.
    """
    return _program(workload, dtype, verb, [["init", 0], *_steps(workload, dtype, parts)])


def start_program(workload: str, verb: str, parts: Collection[str]) -> dict[str, Any]:
    """The program that shows initial weights and shuffles, and one prediction and step.

    With "lines" among the parts, it calls every function and notes which lines of the example run.
    """
    steps: list[list[Any]] = [["init", 0], ["export", "start0"]]
    if {"threads", "lines"} & set(parts):
        steps += [["import", "canonical"], ["export", "w0"], ["predict", "before"]]
        steps += [["train", indices(0, BATCH), "step1"], ["export", "w1"], ["evaluate", "after"]]
    if {"lines", "rate"} <= set(parts):
        steps += [["rate", changed_rate(workload)]]
    if "start" in parts:
        steps += _start(workload)
    return {**_program(workload, "float32", verb, steps), "lines": "lines" in parts}


def dropout_program(workload: str, verb: str, dropout: Dropout) -> dict[str, Any]:
    """The steps that show a workload's dropout, with its dropout on."""
    return _program(workload, "float32", verb, dropout.steps(), dropout=True)


def give_program(workload: str) -> dict[str, Any]:
    """Train a few batches, export the weights and their scores, and watch how numbered weights are imported."""
    steps: list[list[Any]] = [["init", 0], ["train", indices(0, PROBE), "trained"]]
    steps += [["export", "trained"], ["predict", "scores"], ["watch", "numbered"]]
    return _program(workload, "float32", "train", steps)


def take_program(workload: str, givers: Iterable[str]) -> dict[str, Any]:
    """Import each giver's weights in turn, predict with them, and export them again."""
    steps: list[list[Any]] = [["init", 0]]
    for name in givers:
        steps += [["import", name], ["predict", name], ["export", f"{name}-back"]]
    return _program(workload, "float32", "train", steps)
