"""The GRU's check of shuffling: the rows of the embedding show the order of an epoch."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rosetta_common import weights
from rosetta_host.certificate.protocol import BATCH, PREDICTED, Arrays, Samples, WorkloadProtocol
from rosetta_host.certificate.steps import Trace
from workloads.gru.data import FIRST_WORD, encode_review
from workloads.gru.definition import LAYOUT
from workloads.gru.hyperparameters import params

NAME = "gru"
SHUFFLED = 3 * BATCH + 10  # samples of an epoch of the shuffle's check: three full batches and ten over
FIRST_ROW = 1003  # of the embedding: the word of the probe's first review; each further review has the next word


def _encode(reviews: Any, dtype: str) -> np.ndarray:
    """Lists of word ranks -> features (n, 150); they are integers in every dtype."""
    return np.array([encode_review(ranks) for ranks in reviews])


def _probe(sample: Samples) -> Samples:
    """Reviews of one word each, all different, so that a word's row of the embedding moves when its review is seen."""
    count = 2 * SHUFFLED
    words = [[FIRST_ROW - FIRST_WORD + i] * params.max_length for i in range(count)]
    return Samples(words, sample.x_test[:PREDICTED], np.arange(count) % 2, sample.y_test[:PREDICTED])


def _object_npy(rows: Any) -> bytes:
    """An .npy file of lists that NumPy 1 reads as well: NumPy 2 names a module that NumPy 1.19 does not have."""
    array = np.empty(len(rows), dtype=object)
    array[:] = [[int(rank) for rank in row] for row in rows]
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": array.shape})
    return file.getvalue() + pickle.dumps(array, protocol=2).replace(b"numpy._core.", b"numpy.core.")


def _write(folder: Path, samples: Samples) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / LAYOUT, "w") as archive:
        for name in ("x_train", "x_test"):
            archive.writestr(f"{name}.npy", _object_npy(getattr(samples, name)))
        for name in ("y_train", "y_test"):
            file = io.BytesIO()
            np.save(file, np.asarray(getattr(samples, name), np.int64))
            archive.writestr(f"{name}.npy", file.getvalue())


def _visits_of_rows(before: Arrays, after: Arrays, first: int, sizes: list[int]) -> np.ndarray:
    """In which step of the epoch each review was seen, 0 = never, from how far its word's row moved.

    Under Adam a row moves in every step from the first that sees it, about as far in each: the earlier the visit, the
    longer the movement. The loop's check counts the steps, so if as many rows moved as the steps have samples, each was
    seen once.
    """
    rows = slice(FIRST_ROW + first, FIRST_ROW + first + SHUFFLED)
    moved = np.linalg.norm(after["embedding"][rows] - before["embedding"][rows], axis=1)
    visited = np.flatnonzero(moved > 1e-3 * moved.max())
    steps = np.zeros(len(moved), int)
    ends = np.cumsum(sizes)
    steps[visited[np.argsort(-moved[visited])]] = 1 + np.searchsorted(ends, np.arange(len(visited)), side="right")
    return steps


def _visits(trace: Trace, samples: Samples, sizes: list[int]) -> Iterator[np.ndarray]:
    """The steps in which each sample was seen: first epoch of one seed, first and second epoch of another."""
    canonical = {name: value.astype(np.float64) for name, value in weights.canonical(NAME).items()}
    yield _visits_of_rows(canonical, trace.weights("other"), 0, sizes)
    first = trace.weights("first")
    yield _visits_of_rows(canonical, first, 0, sizes)
    yield _visits_of_rows(first, trace.weights("second"), SHUFFLED, sizes)


protocol = WorkloadProtocol(encode=_encode, write=_write, probe=_probe, shuffled=SHUFFLED, visits=_visits)
