"""Starts, shuffles and dropout masks, read off weights that were made to tell."""

import itertools

import numpy as np
import pytest

from rosetta_common import weights
from rosetta_host.certificate import behavior, oracle, protocol
from rosetta_host.certificate.protocol import BATCH
from rosetta_host.certificate.steps import Trace


def test_the_probe_lights_every_unit_so_that_silence_means_drop_out():
    at = protocol.probe_weights()
    probe = protocol.probe_samples("cnn").encoded("cnn", "float32")
    batch = slice(2 * protocol.SHUFFLED["cnn"], None)
    assert (oracle.hidden(at, probe.x_train[batch][:1]) > 0).all()
    assert not oracle.hidden(at, probe.x_train[batch][1:]).any()
    _, gradients = oracle.gradients("cnn", at, probe.x_train[batch], probe.y_train[batch])
    masks = behavior._masks(gradients)
    assert [float(mask.mean()) for mask in masks] == [0, 0, 0]
    assert masks[0].shape[0] <= 4


def test_the_probes_step_is_a_large_one_whatever_drop_out_silences():
    at, random = protocol.probe_weights(), np.random.RandomState(0)
    probe = protocol.probe_samples("cnn").encoded("cnn", "float32")
    bright = 2 * protocol.SHUFFLED["cnn"]
    kept = oracle.hidden(at, probe.x_train[bright : bright + 1]) * 2 * (random.rand(100, 512) < 0.5)
    chances = oracle.softmax(kept @ at["fc2.weight"].T)[:, probe.y_train[bright]]
    assert 0.01 < chances.min() < chances.max() < 0.5


def test_drop_out_masks_are_read_off_a_movement():
    random = np.random.RandomState(0)
    dropped = random.rand(512) < 0.5
    movement = {"conv3.weight": random.uniform(1, 2, (100, 50, 3, 3)), "fc1.weight": random.uniform(1, 2, (512, 6400))}
    movement["fc2.weight"] = random.uniform(1, 2, (10, 512)) * ~dropped
    movement["conv3.weight"][:, random.rand(50) < 0.25] = 0
    masks = behavior._masks(movement)
    np.testing.assert_array_equal(masks[2], dropped)
    assert masks[0].shape[0] == 1
    assert not masks[1].any()


@pytest.mark.parametrize("sizes", [[BATCH, BATCH], [BATCH, BATCH, protocol.SHUFFLED["cnn"] - 2 * BATCH]])
def test_least_squares_tells_which_images_each_step_saw(sizes):
    probe = protocol.probe_samples("cnn").encoded("cnn", "float32")
    count = protocol.SHUFFLED["cnn"]
    x, y = probe.x_train[:count], probe.y_train[:count]
    at = {name: value.astype(np.float64) for name, value in weights.canonical("cnn").items()}
    order = np.random.RandomState(5).permutation(count)
    optimizer, now, expected = oracle.optimizer("cnn"), dict(at), np.zeros(count, int)
    for step, batch in enumerate(np.split(order, np.cumsum(sizes))[: len(sizes)], start=1):
        _, gradients = oracle.gradients("cnn", now, x[batch], y[batch])
        now = {name: now[name] + value for name, value in optimizer.movement(gradients).items()}
        expected[batch] = step
    still = {name: np.zeros_like(value) for name, value in at.items()}
    steps, _ = behavior._visits_of_gradients(at, now, still, x, y, sizes)
    np.testing.assert_array_equal(steps, expected)


def test_rows_that_moved_tell_which_reviews_each_step_saw():
    count = protocol.SHUFFLED["gru"]
    order = np.random.RandomState(3).permutation(count)
    before, after = ({"embedding": np.zeros((30000, 4))} for _ in range(2))
    for step in range(3):
        after["embedding"][protocol.FIRST_ROW + order[step * BATCH : (step + 1) * BATCH]] = 3 - step
    steps = behavior._visits_of_rows(before, after, 0, [BATCH] * 3)
    assert np.bincount(steps).tolist() == [10, 64, 64, 64]
    assert (steps[order[:BATCH]] == 1).all()
    assert (steps[order[3 * BATCH :]] == 0).all()


def test_one_epoch_shows_that_nothing_is_shuffled(tmp_path):
    after = {name: value.copy() for name, value in weights.canonical("gru").items()}
    for step in range(3):
        after["embedding"][protocol.FIRST_ROW + step * BATCH :][:BATCH] += 3 - step
    np.savez(tmp_path / "other.npz", **after)  # and no epoch after it
    checks = behavior.judge_shuffle(Trace(tmp_path), "gru", protocol.probe_samples("gru"), partial=False)
    once, apart = itertools.islice(checks, 2)
    assert (once.ok, apart.ok, apart.name) == (True, False, "shuffle: samples, not blocks")


@pytest.mark.parametrize(
    ("values", "good"),
    [
        (np.random.RandomState(0).uniform(-0.1, 0.1, 5000), True),
        (np.random.RandomState(0).uniform(-0.11, 0.11, 5000), False),
        (np.random.RandomState(0).uniform(-0.09, 0.09, 5000), False),
        (np.random.RandomState(0).normal(0, 0.1 / np.sqrt(3), 5000), False),
        (np.zeros(5000), False),
    ],
)
def test_the_law_of_the_start(values, good):
    assert behavior._start_figure("w", values, "uniform", 0.1)[0] is good
