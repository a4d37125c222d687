"""What a certificate asks of the logistic regression beside single steps: an epoch's order, read off the weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rosetta_common import weights
from rosetta_host.certificate.protocol import BATCH, PREDICTED, Arrays, Samples, WorkloadProtocol
from rosetta_host.certificate.steps import Trace
from workloads.logistic.hyperparameters import params

SHUFFLED = 2 * BATCH + 10


def _write(folder: Path, samples: Samples) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(samples, name) for name in ("x_train", "x_test", "y_train", "y_test")}
    np.savez(folder / "points.npz", allow_pickle=False, **arrays)


def _probe(sample: Samples) -> Samples:
    """Each point has one feature, its own, so that the feature's weights move when the point is visited."""
    points = np.eye(2 * SHUFFLED, params.features, dtype=np.uint8)
    return Samples(points, sample.x_test[:PREDICTED], np.arange(len(points)) % 2, sample.y_test[:PREDICTED])


def _visited(before: Arrays, after: Arrays, first: int, sizes: list[int]) -> np.ndarray:
    """With momentum, a weight moves from the step that first sees it on: earlier visits have moved it farther."""
    columns = slice(first, first + SHUFFLED)
    moved = np.linalg.norm(after["fc.weight"][:, columns] - before["fc.weight"][:, columns], axis=0)
    visited = np.flatnonzero(moved > 1e-3 * moved.max())
    steps = np.zeros(SHUFFLED, int)
    order = np.searchsorted(np.cumsum(sizes), np.arange(len(visited)), side="right")
    steps[visited[np.argsort(-moved[visited])]] = 1 + order
    return steps


def _visits(trace: Trace, samples: Samples, sizes: list[int]) -> Iterator[np.ndarray]:
    canonical = {name: value.astype(np.float64) for name, value in weights.canonical("logistic").items()}
    yield _visited(canonical, trace.weights("other"), 0, sizes)
    first = trace.weights("first")
    yield _visited(canonical, first, 0, sizes)
    yield _visited(first, trace.weights("second"), SHUFFLED, sizes)


protocol = WorkloadProtocol(
    encode=lambda x, dtype: np.asarray(x, np.float64), write=_write, probe=_probe, shuffled=SHUFFLED, visits=_visits
)
