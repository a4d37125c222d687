"""Shuffles of the GRU, read off weights that were made to tell."""

import itertools

import numpy as np

from rosetta_common import weights
from rosetta_host.certificate import behavior, protocol
from rosetta_host.certificate.protocol import BATCH
from rosetta_host.certificate.steps import Trace
from workloads.gru.protocol import FIRST_ROW, NAME, SHUFFLED, _visits_of_rows


def test_rows_that_moved_tell_which_reviews_each_step_saw():
    count = SHUFFLED
    order = np.random.RandomState(3).permutation(count)
    before, after = ({"embedding": np.zeros((30000, 4))} for _ in range(2))
    for step in range(3):
        after["embedding"][FIRST_ROW + order[step * BATCH : (step + 1) * BATCH]] = 3 - step
    steps = _visits_of_rows(before, after, 0, [BATCH] * 3)
    assert np.bincount(steps).tolist() == [10, 64, 64, 64]
    assert (steps[order[:BATCH]] == 1).all()
    assert (steps[order[3 * BATCH :]] == 0).all()


def test_one_epoch_shows_that_nothing_is_shuffled(tmp_path):
    after = {name: value.copy() for name, value in weights.canonical(NAME).items()}
    for step in range(3):
        after["embedding"][FIRST_ROW + step * BATCH :][:BATCH] += 3 - step
    np.savez(tmp_path / "other.npz", **after)  # and no epoch after it
    checks = behavior.judge_shuffle(Trace(tmp_path), NAME, protocol.probe_samples(NAME), partial=False)
    once, apart = itertools.islice(checks, 2)
    assert (once.ok, apart.ok, apart.name) == (True, False, "shuffle: samples, not blocks")
