"""The optimizers against closed forms and their recurrences."""

import numpy as np
import pytest

from rosetta_host.certificate.optimizers import SGD, SQUARES, Adam


def test_sgd_under_a_constant_gradient():
    sgd, g = SGD(0.1, 0.9), {"w": np.array([1.0, -2.0])}
    assert sgd.velocity is None
    for step in range(1, 6):
        expected = -0.1 * g["w"] * (1 - 0.9**step) / (1 - 0.9)
        np.testing.assert_allclose(sgd.movement(g)["w"], expected, rtol=1e-14)


def test_sgd_takes_its_velocity_from_the_last_movement():
    sgd = SGD(0.1, 0.9)
    sgd.movement({"w": np.array([5.0])})
    sgd.resynchronize({"w": np.array([-0.3])})  # a velocity of 3, not 5
    np.testing.assert_allclose(sgd.movement({"w": np.array([1.0])})["w"], [-0.1 * (0.9 * 3 + 1)], rtol=1e-14)


@pytest.mark.parametrize(("form", "weight"), [("rate outside", -0.119), ("rate inside", -0.200)])
def test_the_forms_of_momentum_part_where_the_rate_changes(form, weight):
    """A gradient of 1 twice, µ = 0.9: at a rate of 0.1 both forms lead to -0.29, at 0.1 and then 0.01 they part."""
    for second, expected in ((0.1, -0.29), (0.01, weight)):
        sgd, g = SGD(0.1, 0.9, form), {"w": np.array([1.0])}
        first = sgd.movement(g)["w"]
        sgd.learning_rate = second
        np.testing.assert_allclose(first + sgd.movement(g)["w"], [expected], rtol=1e-14)


@pytest.mark.parametrize(("form", "moved"), [("rate outside", -0.01 * (0.9 * 3 + 1)), ("rate inside", -0.27 - 0.01)])
def test_sgd_takes_its_velocity_from_a_movement_at_the_rate_of_that_step(form, moved):
    sgd = SGD(0.1, 0.9, form)
    sgd.movement({"w": np.array([5.0])})
    sgd.learning_rate = 0.01
    sgd.resynchronize({"w": np.array([-0.3])})  # made at a rate of 0.1: a velocity of 3, or of 0.3 with the rate in it
    np.testing.assert_allclose(sgd.movement({"w": np.array([1.0])})["w"], [moved], rtol=1e-14)


def test_adam_under_a_constant_gradient():
    """m̂ = g and v̂ = g² from the first step on."""
    adam, g = Adam(0.001, 0.9, 0.999, 1e-8), np.array([1.0, -1e-8, 3e-4, 0.0])
    for _ in range(4):
        np.testing.assert_allclose(adam.movement({"w": g})["w"], -0.001 * g / (np.abs(g) + 1e-8), rtol=1e-11)


@pytest.mark.parametrize("form", ["corrected", "uncorrected"])
def test_adam_against_its_recurrence(form):
    random, adam = np.random.RandomState(0), Adam(0.01, 0.8, 0.99, 1e-3, form)
    m = v = 0.0
    for t in range(1, 6):
        g = random.normal(scale=1e-2, size=7)
        m, v = 0.8 * m + 0.2 * g, 0.99 * v + 0.01 * g * g
        if form == "corrected":
            expected = -0.01 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-3)
        else:
            expected = -0.01 * np.sqrt(1 - 0.99**t) / (1 - 0.8**t) * m / (np.sqrt(v) + 1e-3)
        movement = adam.movement({"w": g})
        np.testing.assert_allclose(movement["w"], expected, rtol=1e-12)
        adam.resynchronize({"w": np.full(7, 9.0)})  # m and v stay its own


def test_adam_takes_the_squares_that_it_is_given():
    """v is the mean of the squares and m that of the gradients, in the same step of the same Adam."""
    adam, gradient, squares = Adam(0.01, 0.8, 0.99, 1e-3), np.array([3.0, -1.0]), np.array([5.0, 1.0])
    for t in range(1, 4):
        m, v = (1 - 0.8**t) * gradient, (1 - 0.99**t) * squares
        expected = -0.01 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-3)
        movement = adam.movement({"embedding": gradient, "fc.bias": gradient, "embedding" + SQUARES: squares})
        assert set(movement) == {"embedding", "fc.bias"}
        np.testing.assert_allclose(movement["embedding"], expected, rtol=1e-12)
        np.testing.assert_allclose(movement["fc.bias"], -0.01 * gradient / (np.abs(gradient) + 1e-3), rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: SGD(0.1, 0.9, "between"), 'momentum is "rate outside" or "rate inside", not "between".'),
        (lambda: Adam(0.1, 0.9, 0.9, 1e-8, "none"), 'epsilon is "corrected" or "uncorrected", not "none".'),
    ],
)
def test_a_form_that_does_not_exist_is_refused(make, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        make()
