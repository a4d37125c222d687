"""What is handed to a framework is seen, however NumPy was used on the way."""

import numpy as np
import pytest

from rosetta_common import array_provenance

ONE = np.arange(6, dtype=np.float32).reshape(2, 3)


def handed(call):
    """The arrays that `call`, an `import_weights` of one weight, made last."""
    return array_provenance.watch(lambda model, weights: call(weights["w"]), None, {"w": ONE})


@pytest.mark.parametrize(
    ("call", "last"),
    [
        (lambda w: w, ONE),
        (lambda w: w.T, ONE.T),
        (lambda w: np.copy(np.asarray(w[:, ::-1])[::-1]), ONE[::-1, ::-1]),
        (lambda w: np.ascontiguousarray(np.array(w).T), ONE.T),
        (lambda w: np.array([w, w])[:, ::-1], np.stack([ONE, ONE])[:, ::-1]),
        (lambda w: -w.copy(), -ONE),
        (lambda w: np.moveaxis(w.reshape(2, 3, 1), 0, -1), ONE.T.reshape(3, 1, 2)),
        (lambda w: np.concatenate(np.split(w, 2)[::-1]), ONE[::-1]),
        (lambda w: np.stack([w, np.zeros_like(ONE)]), np.stack([ONE, np.zeros_like(ONE)])),
        (lambda w: w.T.astype(np.float64), ONE.T),
    ],
)
def test_the_last_array_is_the_one_that_is_handed_over(call, last):
    made = handed(call)[-1]
    assert type(made) is np.ndarray
    np.testing.assert_array_equal(made, last)


def test_what_was_a_step_on_the_way_is_left_out():
    assert [array.shape for array in handed(lambda w: w.reshape(6, 1).T.copy())] == [(1, 6)]


def test_a_question_about_an_array_makes_nothing_of_it():
    made = handed(lambda w: (np.isfinite(w.T), w.T > 2))
    assert [array.dtype.kind for array in made] == ["f", "f"]
    assert {array.shape for array in made} == {(3, 2)}


def test_nothing_is_watched_afterwards_even_if_it_failed():
    before = [getattr(np, name) for name in array_provenance.PLAIN]

    def fail(w):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        handed(fail)
    assert array_provenance.derived is None
    assert [getattr(np, name) for name in array_provenance.PLAIN] == before
    assert len(handed(lambda w: w.T)) == 1
