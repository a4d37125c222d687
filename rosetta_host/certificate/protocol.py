"""What a certificate and a transfer ask of an example: fixed data, and programs that `rosetta_common.trace` runs.

Two data sets for each workload. "steps" holds five batches of 64 real samples and 100 others to
predict, chosen so that the oracle finds no exact tie in a max pooling. "probe" holds samples made so
that the weights tell, after an epoch, which samples each step saw and which units dropout silenced.
They reach the framework as one, the probe behind the steps, through the example's own `load_data()`.
"""

from __future__ import annotations

import functools
import io
import pickle
import zipfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from rosetta_common import data, params, weights
from rosetta_host.certificate import oracle
from rosetta_host.datasets import dataset

BATCH = 64
BATCHES = 5  # of "steps"
STEPPED = ("scores", "steps", "loop")  # the parts of a certificate that a batch or an epoch at a time shows
# Single steps before and after an epoch. In float32 the median of five is judged, for a decision on a number that is
# nearly zero may spoil one. In float64 none is spoiled, so that the first step and one that carries momentum tell all.
STEPS = {"float32": BATCHES, "float64": 2}
STEPS_AFTER = {"float32": 2, "float64": 1}
CHANGED = 0.1  # of the learning rate: what a schedule leaves of it. The forms of momentum then differ by most of a step
PREDICTED = 100
PROBE = BATCHES * BATCH  # where "probe" begins
COPIES = 202  # of one sample: three full batches and a rest, all of the same gradient
DROPOUT_SEEDS = (1, 2, 3, 4)
# An epoch of the shuffle's check: two full batches (three for the GRU) and ten samples over.
SHUFFLED = {"cnn": 2 * BATCH + 10, "gru": 3 * BATCH + 10}
FIRST_ROW = 1003  # of the embedding: the first review of the GRU's probe is this word only, the next the next one
BRIGHT_PLACE = (4, 4)  # the pooled position that the dropout probe's fc1 looks at

Arrays = dict[str, np.ndarray]


class Samples(msgspec.Struct, eq=False):
    """A data set as it is stored: uint8 images (n, 3, 32, 32) or lists of word ranks, and integer labels."""

    x_train: Any
    x_test: Any
    y_train: np.ndarray
    y_test: np.ndarray

    def encoded(self, workload: str, dtype: str) -> Samples:
        """The same as the oracle takes it: images in [0, 1] rounded to `dtype`, or features (n, 150)."""
        return Samples(
            _encode(workload, self.x_train, dtype), _encode(workload, self.x_test, dtype), self.y_train, self.y_test
        )


def _encode(workload: str, x: Any, dtype: str) -> np.ndarray:
    if workload == "cnn":
        return (x.astype(dtype) / np.dtype(dtype).type(255)).astype(np.float64)
    return np.array([data.encode_review(ranks) for ranks in x])


@functools.cache
def sample(workload: str) -> Samples:
    """The embedded sample."""
    with dataset.reading(Path(data.SAMPLE)):
        x_train, x_test, y_train, y_test = data.read_cifar() if workload == "cnn" else data.read_imdb()
    return Samples(x_train, x_test, y_train, y_test)


def steps_samples(workload: str) -> Samples:
    """The data set "steps": 320 samples to train on, 100 to predict."""
    all_of_it = sample(workload)
    train, test = slice(BATCHES * BATCH), slice(PREDICTED)
    return Samples(all_of_it.x_train[train], all_of_it.x_test[test], all_of_it.y_train[train], all_of_it.y_test[test])


@functools.cache
def encoded_steps(workload: str, dtype: str) -> Samples:
    """The data set "steps" as the oracle takes it; one object, for its answers at the canonical weights are kept."""
    return steps_samples(workload).encoded(workload, dtype)


def probe_samples(workload: str) -> Samples:
    """The data set "probe": two sets for the shuffle, then (CNN) one bright image and 63 black ones for dropout."""
    count = 2 * SHUFFLED[workload]
    others = sample(workload)
    if workload == "gru":
        # Review i is one word only, its own, so that the row of its embedding moves when it is visited.
        words = [[FIRST_ROW - data.FIRST_WORD + i] * params.gru.max_length for i in range(count)]
        return Samples(words, others.x_test[:PREDICTED], np.arange(count) % 2, others.y_test[:PREDICTED])
    real = slice(PROBE, PROBE + count)
    bright = np.random.RandomState(0).randint(128, 256, (1, *data.IMAGE)).astype(np.uint8)
    black = np.zeros((BATCH - 1, *data.IMAGE), np.uint8)
    images = np.concatenate([others.x_train[real], bright, black])
    labels = np.concatenate([others.y_train[real], np.zeros(BATCH, int)])
    return Samples(images, others.x_test[:PREDICTED], labels, others.y_test[:PREDICTED])


def certificate_samples(workload: str) -> Samples:
    """What a certificate gives: to train on, "steps" and behind it "probe"; to predict, what both share."""
    steps, probe = steps_samples(workload), probe_samples(workload)
    x_train = [*steps.x_train, *probe.x_train]
    images = np.array(x_train) if workload == "cnn" else x_train
    return Samples(images, steps.x_test, np.concatenate([steps.y_train, probe.y_train]), steps.y_test)


def _write_cifar(folder: Path, samples: Samples) -> None:
    batches = folder / dataset.BATCHES
    batches.mkdir(parents=True)
    parts = np.array_split(np.arange(len(samples.x_train)), len(data.TRAIN_FILES))
    named = [
        (name, samples.x_train[part], samples.y_train[part]) for name, part in zip(data.TRAIN_FILES, parts, strict=True)
    ]
    for name, images, labels in [*named, ("test_batch", samples.x_test, samples.y_test)]:
        content = {b"data": images.reshape(len(images), -1), b"labels": [int(label) for label in labels]}
        (batches / name).write_bytes(pickle.dumps(content, protocol=2))


def _object_npy(rows: Any) -> bytes:
    """An .npy file of lists that NumPy 1 reads as well: NumPy 2 would name a module that NumPy 1.19 does not have."""
    array = np.empty(len(rows), dtype=object)
    array[:] = [[int(rank) for rank in row] for row in rows]
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": array.shape})
    return file.getvalue() + pickle.dumps(array, protocol=2).replace(b"numpy._core.", b"numpy.core.")


def _write_imdb(folder: Path, samples: Samples) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "imdb.npz", "w") as archive:
        for name in ("x_train", "x_test"):
            archive.writestr(f"{name}.npy", _object_npy(getattr(samples, name)))
        for name in ("y_train", "y_test"):
            file = io.BytesIO()
            np.save(file, np.asarray(getattr(samples, name), np.int64))
            archive.writestr(f"{name}.npy", file.getvalue())


def write_samples(workload: str, folder: Path, samples: Samples) -> None:
    """Lay a data set out in `folder` as the official download does."""
    (_write_cifar if workload == "cnn" else _write_imdb)(folder, samples)


def canonical_weights(workload: str, forms: Mapping[str, str] | None = None) -> Arrays:
    """The weights that an example imports; a bias that its declared form lacks is 0, for it could hold no other."""
    canonical = weights.canonical(workload)
    return {name: value * oracle.exists(workload, name, forms) for name, value in canonical.items()}


def probe_weights() -> Arrays:
    """CNN weights under which the dropout masks can be read off one step's movement.

    All weights are positive and all biases zero, so a bright image lights every unit and a black
    one none. conv4 passes each channel on unchanged, and fc1 sees one pooled position only, so the
    gradient of conv3's kernels comes from one place of each output channel. fc2 is small, so that no
    class is likely whatever is silenced: where it was sure of the label, the step was lost in float32.
    """
    random = np.random.RandomState(0)
    probe = {name: np.zeros(shape, np.float32) for name, shape in weights.shapes("cnn").items()}
    for name in ("conv1.weight", "conv2.weight", "conv3.weight"):
        fan_in, _ = weights.fans(probe[name].shape)
        probe[name][:] = random.uniform(0.5, 1.5, probe[name].shape) / fan_in
    channels = np.arange(len(probe["conv4.weight"]))
    probe["conv4.weight"][channels, channels, 1, 1] = 1
    seen = probe["fc1.weight"].reshape(-1, len(channels), 8, 8)[:, :, BRIGHT_PLACE[0], BRIGHT_PLACE[1]]
    seen[:] = random.uniform(0.5, 1.5, seen.shape) / len(channels)
    probe["fc2.weight"][:] = random.uniform(-0.05, 0.05, probe["fc2.weight"].shape)
    return probe


def _program(
    workload: str, dtype: str, verb: str, steps: list[list[Any]], dropout: tuple[float, ...] = (0, 0, 0)
) -> dict[str, Any]:
    settings: dict[str, Any] = {"dtype": dtype}
    if workload == "cnn":
        settings["dropout"] = list(dropout)
    return {"settings": settings, "train": verb, "steps": steps}


def _indices(start: int, count: int) -> list[int]:
    return list(range(start, start + count))


def changed_rate(workload: str) -> float:
    """The learning rate that a certificate sets after the epoch, to see where it stands in the momentum."""
    return float(CHANGED * getattr(params, workload).learning_rate)


def _steps(workload: str, dtype: str, parts: Collection[str]) -> list[list[Any]]:
    """Predict, some single steps, predict and evaluate; an epoch of copies of one sample, and single steps again.

    Where "rate" is among the parts, one more step, after the learning rate has changed.
    In the end the weights of the start once more, and predict: a compiled graph had kept the first that it was given.
    """
    steps: list[list[Any]] = [["import", "canonical"], ["export", "w0"]]
    if "scores" in parts:
        steps += [["predict", "before"]]
    if "steps" in parts:
        for k in range(STEPS[dtype]):
            steps += [["train", _indices(k * BATCH, BATCH), f"step{k + 1}"]]
            steps += [["reading", f"step{k + 1}"]] if dtype == "float32" else []
            steps += [["export", f"w{k + 1}"]]
    steps += [["export", "halfway"]]
    if "scores" in parts:
        steps += [["predict", "after"], ["evaluate", "after"]]
    if "loop" in parts:
        steps += [["train", [0] * COPIES, "loop"], ["export", "loop"]]
        for k in range(STEPS_AFTER[dtype]):
            steps += [["train", _indices(k * BATCH, BATCH), f"again{k + 1}"], ["export", f"again{k + 1}"]]
        if "rate" in parts:
            batch = _indices(STEPS_AFTER[dtype] * BATCH, BATCH)
            steps += [["rate", changed_rate(workload)], ["train", batch, "changed"], ["export", "changed"]]
    if "scores" in parts:
        steps += [["import", "canonical"], ["predict", "back"]]
    return steps


def _start(workload: str) -> list[list[Any]]:
    """Initial weights for another seed and for that of the steps again, and epochs whose order the weights tell.

    In as few models as can be: some frameworks compile each anew, for half a minute.
    """
    count = SHUFFLED[workload]
    first, second = _indices(PROBE, count), _indices(PROBE + count, count)
    steps: list[list[Any]] = [["init", 1], ["export", "start1"]]
    steps += [["import", "canonical"], ["train", first, "other"], ["export", "other"]]
    steps += [["init", 0], ["export", "start0again"]]
    steps += [["import", "canonical"], ["train", first, "first"], ["export", "first"]]
    steps += [["train", second, "second"], ["export", "second"]]
    return steps


def steps_program(workload: str, dtype: str, verb: str, parts: Collection[str]) -> dict[str, Any]:
    """Of the parts `STEPPED` of a certificate those that are wanted.

    "rate" among the parts, beside "loop": the learning rate changes after it.
    """
    return _program(workload, dtype, verb, [["init", 0], *_steps(workload, dtype, parts)])


def start_program(workload: str, verb: str, parts: Collection[str]) -> dict[str, Any]:
    """How an example starts and shuffles; and in brief what it predicts and how it steps.

    "lines" among the parts: note which lines of the example run, of each of its functions.
    """
    steps: list[list[Any]] = [["init", 0], ["export", "start0"]]
    if {"threads", "lines"} & set(parts):
        steps += [["import", "canonical"], ["export", "w0"], ["predict", "before"]]
        steps += [["train", _indices(0, BATCH), "step1"], ["export", "w1"], ["evaluate", "after"]]
    if {"lines", "rate"} <= set(parts):
        steps += [["rate", changed_rate(workload)]]
    if "start" in parts:
        steps += _start(workload)
    return {**_program(workload, "float32", verb, steps), "lines": "lines" in parts}


def dropout_program(verb: str = "train") -> dict[str, Any]:
    """With dropout on: predict at the canonical weights; and one step at the probe's weights for each seed."""
    batch = _indices(PROBE + 2 * SHUFFLED["cnn"], BATCH)
    steps: list[list[Any]] = []
    for seed in DROPOUT_SEEDS:
        steps += [["init", seed]]
        if seed == DROPOUT_SEEDS[0]:
            steps += [["import", "canonical"], ["predict", "with_dropout"]]
        steps += [["import", "probe"], ["export", f"before{seed}"]]
        steps += [["train", batch, f"seed{seed}"], ["export", f"after{seed}"]]
    return _program("cnn", "float32", verb, steps, params.cnn.dropout)


def give_program(workload: str) -> dict[str, Any]:
    """Train a few batches, hand over the weights and what they predict; and show how weights are taken."""
    steps: list[list[Any]] = [["init", 0], ["train", _indices(0, PROBE), "trained"]]
    steps += [["export", "trained"], ["predict", "scores"], ["watch", "numbered"]]
    return _program(workload, "float32", "train", steps)


def take_program(workload: str, givers: Iterable[str]) -> dict[str, Any]:
    """Take each giver's weights in turn, predict with them, and hand them back."""
    steps: list[list[Any]] = [["init", 0]]
    for name in givers:
        steps += [["import", name], ["predict", name], ["export", f"{name}-back"]]
    return _program(workload, "float32", "train", steps)
