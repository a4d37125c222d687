"""Every layout that frameworks are known to use is told from the others, by the numbers alone."""

import numpy as np
import pytest

from rosetta_common import weights
from rosetta_host.transfer import layouts

CNN, GRU = layouts.numbered("cnn"), layouts.numbered("gru")


def layout_text(name, *made, forms=None):
    """What is said of a tensor where the framework is handed these arrays, the last of them last."""
    return layouts.describe("gru" if name in GRU else "cnn", list(made), forms)[name]


def gates(array):
    return np.split(array, 3)


KERNEL, DENSE, FLAT = CNN["conv3.weight"], CNN["fc2.weight"], CNN["fc1.weight"]
W, B, B2 = GRU["gru.weight_ih"], GRU["gru.bias_ih"], GRU["gru.bias_hh"]


@pytest.mark.parametrize(
    ("name", "made", "words"),
    [
        ("conv3.weight", [KERNEL], "as it is"),
        ("conv3.weight", [KERNEL.transpose(2, 3, 1, 0)], "height × width × in × out"),
        ("conv3.weight", [KERNEL.transpose(0, 2, 3, 1)], "out × height × width × in"),
        ("conv3.weight", [KERNEL.transpose(3, 2, 1, 0)], "width × height × in × out"),
        ("conv3.weight", [KERNEL[:, :, ::-1, ::-1]], "turned by 180°"),
        ("conv3.weight", [KERNEL.transpose(2, 3, 1, 0)[::-1, ::-1]], "height × width × in × out, turned by 180°"),
        ("conv3.weight", [KERNEL[:, :, ::-1]], "in an order that is not known"),
        ("conv3.weight", [KERNEL, KERNEL[:, :, ::-1, ::-1]], "turned by 180°"),
        ("conv3.weight", [KERNEL[:50], KERNEL[50:]], "not seen"),
        ("conv3.bias", [CNN["conv3.bias"].reshape(-1, 1, 1)], "as it is"),
        ("conv3.bias", [DENSE], "not seen"),
        ("fc2.weight", [DENSE.T], "transposed"),
        ("fc1.weight", [FLAT.T], "transposed"),
        ("fc1.weight", [FLAT.T.reshape(100, 8, 8, 512)], "transposed"),
        ("fc1.weight", [FLAT.reshape(512, 100, 8, 8).transpose(2, 3, 1, 0)], "height × width × channel × out"),
        ("fc1.weight", [FLAT.reshape(512, 100, 64).transpose(0, 2, 1)], "out × height × width × channel"),
        ("embedding", [GRU["embedding"].T], "transposed"),
        ("gru.weight_ih", [W.T], "transposed"),
        ("gru.weight_ih", [np.concatenate([gates(W)[k] for k in (1, 0, 2)])], "gates z, r, n"),
        ("gru.weight_ih", [np.concatenate([gates(W)[k] for k in (1, 0, 2)]).T], "transposed, gates z, r, n"),
        ("gru.weight_ih", [gate.T for gate in gates(W)], "transposed, an array a gate"),
        ("gru.weight_ih", gates(W)[:2], "in an order that is not known"),
        ("gru.weight_ih", [gates(W)[0], -gates(W)[1], gates(W)[2]], "an array a gate, z negated"),
        ("gru.weight_ih", [gates(W)[0], gates(W)[1].T, gates(W)[2]], "in an order that is not known"),
        ("gru.bias_ih", [np.stack([B, B2])], "in one array with gru.bias_hh"),
        ("gru.bias_hh", [np.concatenate([B, B2])], "in one array with gru.bias_ih"),
    ],
)
def test_a_layout_in_words(name, made, words):
    assert layout_text(name, *made) == words


@pytest.mark.parametrize(("biases", "words"), [("two", "as it is"), ("folded", "gates n"), ("no b_hn", "it has none")])
def test_a_bias_that_a_form_lacks_is_not_looked_for(biases, words):
    forms = {"biases": biases}
    numbers = layouts.numbered("gru", forms)["gru.bias_hh"]
    assert layout_text("gru.bias_hh", numbers, forms=forms) == words


@pytest.mark.parametrize("workload", ["cnn", "gru"])
def test_all_numbers_are_different_and_exact_in_float32(workload):
    numbers = np.concatenate([array.ravel() for array in layouts.numbered(workload).values()])
    assert numbers.dtype == np.float32
    assert (
        len(np.unique(numbers)) == len(numbers) == numbers.max() == sum(map(np.prod, weights.shapes(workload).values()))
    )
