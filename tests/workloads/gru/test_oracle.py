"""The GRU's formulas against the definitions and finite differences: nothing here uses their parts."""

import numpy as np
import pytest

from rosetta_common import weights
from rosetta_host.certificate import oracle
from rosetta_host.certificate.optimizers import SQUARES as ENDING
from tests.workloads.finite_differences import check_gradients

NAME = "gru"
SQUARES = "embedding" + ENDING


def case():
    """Weights large enough to bend the gates, and three reviews: long, short with padding, and with words in common."""
    random = np.random.RandomState(0)
    own = {name: weight.astype(np.float64) for name, weight in weights.canonical(NAME).items()}
    own["embedding"] *= 20
    x = random.randint(1, 30000, (3, 150))
    x[1, 120:] = 0
    x[2, 140:] = x[0, 140:]
    return own, x, np.array([1, 0, 1])


def plain(w, words, reset_gate):
    """One review's scores."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    w_ir, w_iz, w_in = np.split(w["gru.weight_ih"], 3)
    w_hr, w_hz, w_hn = np.split(w["gru.weight_hh"], 3)
    b_ir, b_iz, b_in = np.split(w["gru.bias_ih"], 3)
    b_hr, b_hz, b_hn = np.split(w["gru.bias_hh"], 3)
    h = np.zeros(100)
    for word in words:
        x = w["embedding"][word]
        r = sigmoid(w_ir @ x + b_ir + w_hr @ h + b_hr)
        z = sigmoid(w_iz @ x + b_iz + w_hz @ h + b_hz)
        recurrent = r * (w_hn @ h + b_hn) if reset_gate == "after" else w_hn @ (r * h) + b_hn
        h = (1 - z) * np.tanh(w_in @ x + b_in + recurrent) + z * h
    return w["fc.weight"] @ h + w["fc.bias"]


FORMS = [
    {"reset_gate": gate, "biases": biases} for gate in ("after", "before") for biases in ("two", "folded", "no b_hn")
]


@pytest.mark.parametrize("reset_gate", ["after", "before"])
def test_scores_follow_the_definition(reset_gate):
    own, x, _ = case()
    scores = oracle.scores(NAME, own, x, {"reset_gate": reset_gate})
    expected = [plain(own, words, reset_gate) for words in x]
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("biases", ["folded", "no b_hn"])
def test_a_bias_that_a_framework_lacks_still_counts_in_the_scores(biases):
    own, x, _ = case()
    np.testing.assert_array_equal(oracle.scores(NAME, own, x, {"biases": biases}), oracle.scores(NAME, own, x))


@pytest.mark.parametrize("forms", FORMS, ids=lambda forms: "-".join(forms.values()))
def test_gradients(forms):
    entries = {"two": slice(0, 0), "folded": slice(0, 200), "no b_hn": slice(0, 300)}[forms["biases"]]
    check_gradients(NAME, case(), forms, [("gru.bias_hh", entries)])


def test_words_that_do_not_occur_get_no_gradient():
    own, x, y = case()
    _, gradients = oracle.gradients(NAME, own, x, y)
    np.testing.assert_array_equal(np.flatnonzero(gradients["embedding"].any(axis=1)), np.unique(x))


def test_squares_of_repeated_words_are_those_of_each_occurrence():
    """One review whose last words are `first`, `first` and 0: each occurrence's gradient is one of a row of its own."""
    own, x, y = case()
    x, y, first = x[:1].copy(), y[:1], 7
    x[0, -3:] = first, first, 0
    x[0, :-3] = np.arange(100, 247)  # each once
    apart, alone = x.copy(), {**own, "embedding": own["embedding"].copy()}
    apart[0, -3:] = 20000, 20001, 20002
    alone["embedding"][[20000, 20001, 20002]] = own["embedding"][[first, first, 0]]
    _, gradients = oracle.gradients(NAME, own, x, y, {"repeated_words": "squared apart"})
    _, occurrences = oracle.gradients(NAME, alone, apart, y)
    squares, rows = gradients[SQUARES], occurrences["embedding"]
    np.testing.assert_allclose(squares[first], rows[20000] ** 2 + rows[20001] ** 2, rtol=1e-10)
    np.testing.assert_allclose(squares[[0, *range(100, 247)]], rows[[20002, *range(100, 247)]] ** 2, rtol=1e-10)
    np.testing.assert_allclose(gradients["embedding"][first], rows[20000] + rows[20001], rtol=1e-10)
    np.testing.assert_array_equal(np.flatnonzero(squares.any(axis=1)), np.unique(x))
    assert SQUARES not in oracle.gradients(NAME, own, x, y)[1]


def test_the_layers_tell_what_went_through():
    own, x, _ = case()
    found = oracle.layers(NAME, own, x[:, :7])
    assert [(layer.kind, layer.shape) for layer in found] == [
        ("words", (7,)),
        ("embedding", (7, 125)),
        ("GRU", (7, 100)),
        ("last word", (100,)),
        ("dense", (2,)),
    ]
    assert [layer.dtype.kind for layer in found] == ["i", "f", "f", "f", "f"]


@pytest.mark.parametrize(("biases", "fewer"), [("two", 0), ("folded", 200), ("no b_hn", 300)])
def test_a_bias_that_a_framework_lacks_is_no_parameter(biases, fewer):
    own, x, _ = case()
    gru = oracle.layers(NAME, own, x[:1], {"biases": biases})[2]
    assert gru.parameters == 300 * 125 + 300 * 100 + 300 + 300 - fewer


def test_every_parameter_belongs_to_one_layer():
    own, x, _ = case()
    layers = oracle.layers(NAME, own, x)
    assert sum(layer.parameters for layer in layers) == sum(weight.size for weight in own.values())
    assert layers[-1].shape == oracle.scores(NAME, own, x).shape[1:]


@pytest.mark.parametrize("form", ["corrected", "uncorrected"])
def test_the_optimizer_has_the_hyper_parameters(form):
    adam = oracle.optimizer(NAME, {"epsilon": form})
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon) == (0.001, 0.9, 0.999, 1e-8)
    assert adam.form == form
    assert oracle.optimizer(NAME).form == "corrected"
