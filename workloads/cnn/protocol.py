"""The CNN's checks of shuffling and dropout, both read off its weights.

The movement of the last layer shows the order of an epoch. Probe weights under which every unit is active show which
units dropout silenced.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rosetta_common import weights
from rosetta_host.certificate import oracle
from rosetta_host.certificate.limits import DROPOUT_LIMIT
from rosetta_host.certificate.protocol import (
    BATCH,
    PREDICTED,
    PROBE,
    Arrays,
    Dropout,
    Samples,
    WorkloadProtocol,
    indices,
)
from rosetta_host.certificate.steps import ExampleLimits, Trace, difference, scores_check
from rosetta_host.records.store import Check
from workloads.cnn import oracle as formulas
from workloads.cnn.data import IMAGE, TRAIN_FILES
from workloads.cnn.definition import LAYOUT
from workloads.cnn.hyperparameters import params
from workloads.cnn.oracle import NAME

SHUFFLED = 2 * BATCH + 10  # samples of an epoch of the shuffle's check: two full batches and ten over
DROPOUT_SEEDS = (1, 2, 3, 4)
BRIGHT_POSITION = (4, 4)  # the pooled position that the dropout probe's fc1 looks at
VISIT_DTYPE = "float32"  # enough to tell in which step an image was seen, in half the time of float64


def _encode(images: np.ndarray, dtype: str) -> np.ndarray:
    """uint8 images -> in [0, 1], rounded to `dtype`."""
    return (images.astype(dtype) / np.dtype(dtype).type(255)).astype(np.float64)


def _write(folder: Path, samples: Samples) -> None:
    batches = folder / LAYOUT
    batches.mkdir(parents=True)
    parts = np.array_split(np.arange(len(samples.x_train)), len(TRAIN_FILES))
    named = [
        (name, samples.x_train[part], samples.y_train[part]) for name, part in zip(TRAIN_FILES, parts, strict=True)
    ]
    for name, images, labels in [*named, ("test_batch", samples.x_test, samples.y_test)]:
        content = {b"data": images.reshape(len(images), -1), b"labels": [int(label) for label in labels]}
        (batches / name).write_bytes(pickle.dumps(content, protocol=2))


def _probe(sample: Samples) -> Samples:
    """Two sets of images for the shuffle, then one bright image and 63 black ones for dropout."""
    real = slice(PROBE, PROBE + 2 * SHUFFLED)
    bright = np.random.RandomState(0).randint(128, 256, (1, *IMAGE)).astype(np.uint8)
    black = np.zeros((BATCH - 1, *IMAGE), np.uint8)
    images = np.concatenate([sample.x_train[real], bright, black])
    labels = np.concatenate([sample.y_train[real], np.zeros(BATCH, int)])
    return Samples(images, sample.x_test[:PREDICTED], labels, sample.y_test[:PREDICTED])


def _probe_weights() -> Arrays:
    """Weights under which the dropout masks can be read off one step's movement.

    All weights are positive and all biases zero, so that a bright image activates every unit and a black image none.
    conv4 passes each channel on unchanged, and fc1 reads one pooled position only, so that the gradient of conv3's
    kernels comes from one position of each output channel. fc2 is small, so that no class is likely, whichever units
    are silenced: the gradient of a certain prediction vanishes in float32.
    """
    random = np.random.RandomState(0)
    probe = {name: np.zeros(shape, np.float32) for name, shape in weights.shapes(NAME).items()}
    for name in ("conv1.weight", "conv2.weight", "conv3.weight"):
        fan_in, _ = weights.fans(probe[name].shape)
        probe[name][:] = random.uniform(0.5, 1.5, probe[name].shape) / fan_in
    channels = np.arange(len(probe["conv4.weight"]))
    probe["conv4.weight"][channels, channels, 1, 1] = 1
    seen = probe["fc1.weight"].reshape(-1, len(channels), 8, 8)[:, :, BRIGHT_POSITION[0], BRIGHT_POSITION[1]]
    seen[:] = random.uniform(0.5, 1.5, seen.shape) / len(channels)
    probe["fc2.weight"][:] = random.uniform(-0.05, 0.05, probe["fc2.weight"].shape)
    return probe


def _outer(point: Arrays, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each sample's gradient of fc2.weight and fc2.bias, as columns (5130, n)."""
    hidden = formulas.hidden(point, x, VISIT_DTYPE).astype(np.float64)
    probabilities = oracle.softmax(hidden @ point["fc2.weight"].T + point["fc2.bias"])
    probabilities[np.arange(len(y)), y] -= 1
    hidden = np.hstack([hidden, np.ones((len(y), 1))])
    return (probabilities[:, :, None] * hidden[:, None, :]).reshape(len(y), -1).T


def _head(arrays: Arrays) -> np.ndarray:
    return np.hstack([arrays["fc2.weight"], arrays["fc2.bias"][:, None]]).reshape(-1)


def _replay(
    at: Arrays, velocity: Arrays, x: np.ndarray, y: np.ndarray, steps: np.ndarray, sizes: list[int]
) -> tuple[list[Arrays], Arrays]:
    """The weights before each step of an epoch that sees these images in these steps, and its final velocity."""
    points = []
    for step, size in enumerate(sizes, start=1):
        points.append(at)
        seen = steps == step
        velocity = {name: params.momentum * value for name, value in velocity.items()}
        if seen.any():
            _, gradients = oracle.gradients(NAME, at, x[seen], y[seen], dtype=VISIT_DTYPE)
            velocity = {name: value + seen.sum() / size * gradients[name] for name, value in velocity.items()}
        at = {name: value - params.learning_rate * velocity[name] for name, value in at.items()}
    return points, velocity


def _visits_of_gradients(
    before: Arrays, after: Arrays, velocity: Arrays, x: np.ndarray, y: np.ndarray, sizes: list[int]
) -> tuple[np.ndarray, Arrays | None]:
    """In which step of the epoch each image was seen, 0 = never.

    The movement of the last layer is the sum of the images' own gradients, each times a factor of the momentum since
    its step. Least squares recovers the factors, and each factor identifies a step. Later steps see other weights than
    the first, so the drift of their gradients is subtracted before solving again. The drift is first taken along the
    straight line to `after`. With a small last batch this assigns a few images to the wrong step, so the epoch is then
    replayed step by step.

    Also returns the final velocity of the epoch, if the replay took these same steps, because a replay takes seconds.
    """
    rate, momentum = params.learning_rate, params.momentum
    count = len(sizes)
    factors = [sum(momentum**i for i in range(count - step)) for step in range(count)]
    carried = sum(momentum ** (i + 1) for i in range(count))
    movement = (_head(before) - _head(after)) / rate - carried * _head(velocity)
    scaled = np.array([0.0, *(factor * sizes[0] / size for factor, size in zip(factors, sizes, strict=True))])
    columns = _outer(before, x, y) / sizes[0]

    def drift(point: Arrays, seen: np.ndarray, step: int) -> np.ndarray:
        at_point, at_start = _outer(point, x[seen], y[seen]) / sizes[step], columns[:, seen] * sizes[0] / sizes[step]
        return factors[step] * (at_point - at_start).sum(axis=1)

    def solve(points: list[Arrays], steps: np.ndarray) -> np.ndarray:
        for _ in range(3):
            later = [(step, steps == step + 1) for step in range(1, count)]
            drifts = sum(
                (drift(points[step], seen, step) for step, seen in later if seen.any()), np.zeros(len(movement))
            )
            solved = np.linalg.lstsq(columns, movement - drifts, rcond=None)[0]
            last, steps = steps, np.argmin(np.abs(solved[:, None] - scaled), axis=1)
            if np.array_equal(last, steps):
                break
        return steps

    fractions = [0.8 * step / count for step in range(count)]
    points = [
        {name: before[name] + fraction * (after[name] - before[name]) for name in before} for fraction in fractions
    ]
    steps = solve(points, np.zeros(len(x), int))
    if sizes[-1] == sizes[0]:
        return steps, None
    points, final_velocity = _replay(before, velocity, x, y, steps, sizes)
    final = solve(points, steps)
    return final, final_velocity if np.array_equal(final, steps) else None


def _visits(trace: Trace, samples: Samples, sizes: list[int]) -> Iterator[np.ndarray]:
    """The steps in which each sample was seen: first epoch of one seed, first and second epoch of another."""
    canonical = {name: value.astype(np.float64) for name, value in weights.canonical(NAME).items()}
    a, b = slice(SHUFFLED), slice(SHUFFLED, 2 * SHUFFLED)
    still = {name: np.zeros_like(value) for name, value in canonical.items()}
    x_a, y_a, x_b, y_b = samples.x_train[a], samples.y_train[a], samples.x_train[b], samples.y_train[b]
    yield _visits_of_gradients(canonical, trace.weights("other"), still, x_a, y_a, sizes)[0]
    first = trace.weights("first")
    visits, velocity = _visits_of_gradients(canonical, first, still, x_a, y_a, sizes)
    yield visits
    if velocity is None:
        _, velocity = _replay(canonical, still, x_a, y_a, visits, sizes)
    yield _visits_of_gradients(first, trace.weights("second"), velocity, x_b, y_b, sizes)[0]


def _silent(movement: np.ndarray, axis: int) -> np.ndarray:
    """Which units' weights did not move: their largest movement along `axis` is nearly zero."""
    largest = np.abs(movement).max(axis=axis)
    return largest < 1e-4 * np.median(largest[largest > 0]) if largest.any() else np.ones(largest.shape, bool)


def _masks(movement: Arrays) -> list[np.ndarray]:
    """The units that dropout silenced in one step, True where silenced: after pool 1, after pool 2, before fc2."""
    kernels = movement["conv3.weight"]
    kernels = kernels[np.abs(kernels).max(axis=(1, 2, 3)) > 0].reshape(-1, kernels[0].size)
    silent = np.abs(kernels) < 1e-4 * np.median(np.abs(kernels), axis=1, keepdims=True)
    # Output channels whose maximum has the same position in the window see the same units: count those once.
    return [np.unique(silent, axis=0), _silent(movement["fc1.weight"], 0), _silent(movement["fc2.weight"], 0)]


def _dropout_steps() -> list[list[Any]]:
    """With dropout on: predict at the canonical weights, and take one step at the probe weights for each seed."""
    batch = indices(PROBE + 2 * SHUFFLED, BATCH)
    steps: list[list[Any]] = []
    for seed in DROPOUT_SEEDS:
        steps += [["init", seed]]
        if seed == DROPOUT_SEEDS[0]:
            steps += [["import", "canonical"], ["predict", "with_dropout"]]
        steps += [["import", "probe"], ["export", f"before{seed}"]]
        steps += [["train", batch, f"seed{seed}"], ["export", f"after{seed}"]]
    return steps


def _judge_dropout(trace: Trace, scores_before: np.ndarray, limits: ExampleLimits) -> Iterator[Check]:
    """Check dropout: off in prediction; in training, each layer at its rate, and other units for another seed."""
    off = scores_check(limits, "scores before", trace.scores("with_dropout"), scores_before)
    off.name = "dropout: off in prediction"
    yield off
    seeds = [
        _masks(difference(trace.weights(f"after{seed}"), trace.weights(f"before{seed}"))) for seed in DROPOUT_SEEDS
    ]
    for layer, rate in enumerate(params.dropout):
        share = float(np.mean(np.concatenate([masks[layer].ravel() for masks in seeds])))
        error = abs(share - rate)
        name = f"dropout: rate at place {layer + 1}"
        yield Check(name, error <= DROPOUT_LIMIT, error, DROPOUT_LIMIT, figures={"found": share, "stated": rate})
    same_units = all(np.array_equal(seeds[0][2], masks[2]) for masks in seeds[1:])
    yield Check("dropout: other seed, other units", not same_units)


protocol = WorkloadProtocol(
    encode=_encode,
    write=_write,
    probe=_probe,
    shuffled=SHUFFLED,
    visits=_visits,
    weights=lambda: {"probe": _probe_weights()},
    dropout=Dropout(_dropout_steps, _judge_dropout),
)
