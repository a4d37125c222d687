"""Distributions are inferred from samples alone."""

import msgspec
import numpy as np
import pytest

from rosetta_host.defaults.distributions import distribution
from rosetta_host.records import convert
from rosetta_host.records.codes import Rule
from rosetta_host.records.store import Statement

FANS = (576, 864)  # of the convolution that frameworks are asked for: 64 channels to 96, 3 × 3
SHAPE = (96, 64, 3, 3)
GLOROT, HE, LECUN = np.sqrt(6 / sum(FANS)), np.sqrt(6 / 576), np.sqrt(3 / 576)


def statement(words):
    """A statement, written as in the records of schema 2, which are short."""
    return msgspec.convert(convert.statement(words), Statement)


def rng(seed=0):
    return np.random.default_rng(seed)


def truncated(deviation, size):
    sample = rng().normal(size=4 * size)
    return deviation * sample[np.abs(sample) < 2][:size]


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (np.zeros(96), "zeros"),
        (np.full(96, 0.5), "all 0.5"),
        (rng().uniform(-GLOROT, GLOROT, SHAPE), "uniform, Glorot's, ± √(6 / (fan in + fan out))"),
        (rng().uniform(-HE, HE, SHAPE), "uniform, He's, ± √(6 / fan in)"),
        (rng().uniform(-LECUN, LECUN, SHAPE), "uniform, LeCun's, ± √(3 / fan in)"),
        (rng().uniform(-1 / 24, 1 / 24, SHAPE), "uniform, ± √(1 / fan in)"),
        (rng().uniform(-1 / 24, 1 / 24, 96), "uniform, ± √(1 / fan in)"),  # a bias has few numbers
        (rng().uniform(-0.07, 0.07, SHAPE), "uniform, ± 0.07"),
        (rng().normal(0, 1 / 24, SHAPE), "normal, LeCun's, σ = √(1 / fan in)"),
        (rng().normal(0, 0.01, SHAPE), "normal, σ = 0.01"),
        (truncated(1 / 24 / 0.8796, 50_000), "truncated normal, LeCun's, σ = √(1 / fan in)"),
        (np.linalg.qr(rng().normal(size=(96, 32)))[0], "orthogonal"),
    ],
)
def test_a_distribution_is_named(sample, words):
    assert distribution(sample, *FANS).statement == statement(words)


def test_each_gate_may_be_orthogonal_by_itself():
    gates = [np.linalg.qr(rng(seed).normal(size=(32, 32)))[0] for seed in range(3)]
    assert distribution(np.concatenate(gates), 32, 32).code == "orthogonal"


@pytest.mark.parametrize("seed", range(100))
def test_a_bias_has_few_numbers_and_yet_a_distribution(seed):
    assert distribution(rng(seed).uniform(-1 / 24, 1 / 24, 96), *FANS).statement == statement(
        "uniform, ± √(1 / fan in)"
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_distribution_is_named_whatever_the_seed(seed):
    assert Rule.GLOROT in distribution(rng(seed).uniform(-GLOROT, GLOROT, SHAPE), *FANS).items
    assert Rule.LECUN in distribution(rng(seed).normal(0, 1 / 24, SHAPE), *FANS).items


@pytest.mark.parametrize(
    "sample",
    [
        rng().uniform(0, 1, SHAPE) ** 2,  # of no distribution around zero
        rng().choice([-0.1, 0.1], SHAPE),
        np.array([0.1, 0.2]),
        np.array([np.nan] * 9),
    ],
)
def test_what_is_of_no_known_distribution_stays_unknown(sample):
    found = distribution(sample, *FANS)
    assert found.code == "unknown"
    assert found.reason


@pytest.mark.parametrize("seed", range(5))
def test_every_sample_is_told_by_the_same_number(seed):
    assert distribution(rng(seed).normal(0, 0.125, (1000, 64)), *FANS).statement == statement("normal, σ = 0.125")
