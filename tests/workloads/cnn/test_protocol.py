"""Shuffles and dropout masks of the CNN, read off weights that were made to tell."""

import numpy as np
import pytest

from rosetta_common import weights
from rosetta_host.certificate import oracle, protocol
from rosetta_host.certificate.protocol import BATCH
from workloads.cnn import oracle as formulas
from workloads.cnn.protocol import NAME, SHUFFLED, _masks, _probe_weights, _visits_of_gradients


def test_the_probe_lights_every_unit_so_that_silence_means_dropout():
    at = _probe_weights()
    probe = protocol.probe_samples(NAME).encoded(NAME, "float32")
    batch = slice(2 * SHUFFLED, None)
    assert (formulas.hidden(at, probe.x_train[batch][:1]) > 0).all()
    assert not formulas.hidden(at, probe.x_train[batch][1:]).any()
    _, gradients = oracle.gradients(NAME, at, probe.x_train[batch], probe.y_train[batch])
    masks = _masks(gradients)
    assert [float(mask.mean()) for mask in masks] == [0, 0, 0]
    assert masks[0].shape[0] <= 4


def test_the_probes_step_is_a_large_one_whatever_dropout_silences():
    at, random = _probe_weights(), np.random.RandomState(0)
    probe = protocol.probe_samples(NAME).encoded(NAME, "float32")
    bright = 2 * SHUFFLED
    kept = formulas.hidden(at, probe.x_train[bright : bright + 1]) * 2 * (random.rand(100, 512) < 0.5)
    chances = oracle.softmax(kept @ at["fc2.weight"].T)[:, probe.y_train[bright]]
    assert 0.01 < chances.min() < chances.max() < 0.5


def test_dropout_masks_are_read_off_a_movement():
    random = np.random.RandomState(0)
    dropped = random.rand(512) < 0.5
    movement = {"conv3.weight": random.uniform(1, 2, (100, 50, 3, 3)), "fc1.weight": random.uniform(1, 2, (512, 6400))}
    movement["fc2.weight"] = random.uniform(1, 2, (10, 512)) * ~dropped
    movement["conv3.weight"][:, random.rand(50) < 0.25] = 0
    masks = _masks(movement)
    np.testing.assert_array_equal(masks[2], dropped)
    assert masks[0].shape[0] == 1
    assert not masks[1].any()


@pytest.mark.parametrize("sizes", [[BATCH, BATCH], [BATCH, BATCH, SHUFFLED - 2 * BATCH]])
def test_least_squares_tells_which_images_each_step_saw(sizes):
    probe = protocol.probe_samples(NAME).encoded(NAME, "float32")
    count = SHUFFLED
    x, y = probe.x_train[:count], probe.y_train[:count]
    at = {name: value.astype(np.float64) for name, value in weights.canonical(NAME).items()}
    order = np.random.RandomState(5).permutation(count)
    optimizer, now, expected = oracle.optimizer(NAME), dict(at), np.zeros(count, int)
    for step, batch in enumerate(np.split(order, np.cumsum(sizes))[: len(sizes)], start=1):
        _, gradients = oracle.gradients(NAME, now, x[batch], y[batch])
        now = {name: now[name] + value for name, value in optimizer.movement(gradients).items()}
        expected[batch] = step
    still = {name: np.zeros_like(value) for name, value in at.items()}
    steps, _ = _visits_of_gradients(at, now, still, x, y, sizes)
    np.testing.assert_array_equal(steps, expected)
