"""An oracle's gradients against finite differences, for the tests of every workload."""

import numpy as np
import pytest

from rosetta_host.certificate import oracle


def mean_loss(scores, y):
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return -np.mean([np.log(row[label]) for row, label in zip(probabilities, y, strict=True)])


def differences(workload, own, x, y, forms, name, direction, step=1e-6):
    """The loss's central difference along a direction in one tensor."""

    def loss(weight):
        return mean_loss(oracle.scores(workload, {**own, name: weight}, x, forms), y)

    return (loss(own[name] + step * direction) - loss(own[name] - step * direction)) / (2 * step)


def check_gradients(workload, case, forms, constant=()):
    """Of each tensor: two random coordinates, and one random direction, which meets every coordinate.

    constant: (name, slice) of entries that are no parameters in this form: their gradient must be 0.
    """
    random, (own, x, y) = np.random.RandomState(0), case
    loss, gradients = oracle.gradients(workload, own, x, y, forms)
    assert loss == pytest.approx(mean_loss(oracle.scores(workload, own, x, forms), y), abs=1e-12)
    assert set(gradients) == set(own)
    for name, gradient in gradients.items():
        assert gradient.shape == own[name].shape
        assert gradient.dtype == np.float64
        free = np.ones(gradient.shape, bool)
        for constant_name, entries in constant:
            if constant_name == name:
                free[entries] = False
                assert not gradient[entries].any()
        if not free.any():
            continue
        relevant = np.flatnonzero(free & (np.abs(gradient) > np.abs(gradient).max() / 100))
        directions = [np.eye(1, free.size, i).reshape(free.shape) for i in random.choice(relevant, 2)]
        directions.append(random.choice([-1.0, 1.0], free.shape) * free / np.sqrt(free.sum()))
        for direction in directions:
            expected = differences(workload, own, x, y, forms, name, direction)
            assert (gradient * direction).sum() == pytest.approx(expected, rel=1e-5, abs=2e-9), name
