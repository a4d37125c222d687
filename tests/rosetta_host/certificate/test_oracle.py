"""The oracle against the definitions, finite differences and closed forms: nothing here uses its parts."""

import re

import numpy as np
import pytest

from rosetta_common import weights
from rosetta_host.certificate import oracle

GRU_FORMS = [
    {"reset_gate": gate, "biases": biases} for gate in ("after", "before") for biases in ("two", "folded", "no b_hn")
]


def random_state():
    return np.random.RandomState(0)


def cnn_case():
    """Float64 weights, two noise images and their labels."""
    random = random_state()
    own = {name: weight.astype(np.float64) for name, weight in weights.canonical("cnn").items()}
    return own, random.uniform(size=(2, 3, 32, 32)), np.array([3, 7])


def gru_case():
    """Weights large enough to bend the gates, and three reviews: long, short with padding, and with words in common."""
    random = random_state()
    own = {name: weight.astype(np.float64) for name, weight in weights.canonical("gru").items()}
    own["embedding"] *= 20
    x = random.randint(1, 30000, (3, 150))
    x[1, 120:] = 0
    x[2, 140:] = x[0, 140:]
    return own, x, np.array([1, 0, 1])


# The definitions, written out in another way than the oracle's


def correlate(x, kernel, bias):
    """(c, h, w) -> (out, h, w), one output pixel at a time."""
    padded = np.zeros((x.shape[0], x.shape[1] + 2, x.shape[2] + 2))
    padded[:, 1:-1, 1:-1] = x
    out = np.empty((len(kernel), *x.shape[1:]))
    for i, j in np.ndindex(x.shape[1:]):
        out[:, i, j] = np.tensordot(kernel, padded[:, i : i + 3, j : j + 3], 3) + bias
    return out


def pool(x):
    return np.maximum.reduce([x[:, 0::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 0::2], x[:, 1::2, 1::2]])


def plain_cnn(w, image):
    """One image's hidden layer and scores."""

    def relu(x):
        return np.where(x > 0, x, 0)

    x = relu(correlate(image, w["conv1.weight"], w["conv1.bias"]))
    x = relu(pool(correlate(x, w["conv2.weight"], w["conv2.bias"])))
    x = relu(correlate(x, w["conv3.weight"], w["conv3.bias"]))
    x = relu(pool(correlate(x, w["conv4.weight"], w["conv4.bias"])))
    hidden = relu(w["fc1.weight"] @ x.ravel() + w["fc1.bias"])
    return hidden, w["fc2.weight"] @ hidden + w["fc2.bias"]


def plain_gru(w, words, reset_gate):
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


def mean_loss(scores, y):
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return -np.mean([np.log(row[label]) for row, label in zip(probabilities, y, strict=True)])


def test_cnn_scores_follow_the_definition():
    own, x, _ = cnn_case()
    scores = oracle.scores("cnn", own, x)
    assert scores.shape == (2, 10)
    assert scores.dtype == np.float64
    for image, hidden, row in zip(x, oracle.hidden(own, x), scores, strict=True):
        expected_hidden, expected = plain_cnn(own, image)
        np.testing.assert_allclose(hidden, expected_hidden, rtol=0, atol=1e-12)
        np.testing.assert_allclose(row, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("reset_gate", ["after", "before"])
def test_gru_scores_follow_the_definition(reset_gate):
    own, x, _ = gru_case()
    scores = oracle.scores("gru", own, x, {"reset_gate": reset_gate})
    expected = [plain_gru(own, words, reset_gate) for words in x]
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("biases", ["folded", "no b_hn"])
def test_a_bias_that_a_framework_lacks_still_counts_in_the_scores(biases):
    own, x, _ = gru_case()
    np.testing.assert_array_equal(oracle.scores("gru", own, x, {"biases": biases}), oracle.scores("gru", own, x))


def test_more_samples_than_are_computed_at_once():
    random, own = random_state(), weights.canonical("cnn")
    x, y = random.uniform(size=(11, 3, 32, 32)).astype(np.float32), random.randint(0, 10, 11)
    alone = np.concatenate([oracle.scores("cnn", own, image[None]) for image in x])
    np.testing.assert_allclose(oracle.scores("cnn", own, x), alone, rtol=0, atol=1e-12)
    loss, gradients = oracle.gradients("cnn", own, x, y)
    assert loss == pytest.approx(mean_loss(alone, y), abs=1e-12)
    # fc2's gradient is (softmax - one-hot) x hidden, averaged: what identifies the samples of a step.
    outer = (oracle.softmax(alone) - np.eye(10)[y]).T @ oracle.hidden(own, x) / 11
    np.testing.assert_allclose(gradients["fc2.weight"], outer, rtol=0, atol=1e-12)


def test_what_is_asked_for_roughly_is_computed_in_float32():
    own, x, y = cnn_case()
    hidden = oracle.hidden(own, x, "float32")
    assert hidden.dtype == np.float32
    np.testing.assert_allclose(hidden, oracle.hidden(own, x), rtol=0, atol=1e-5)
    _, roughly = oracle.gradients("cnn", own, x, y, dtype="float32")
    _, exactly = oracle.gradients("cnn", own, x, y)
    for name, gradient in exactly.items():
        assert 0 < np.abs(roughly[name] - gradient).max() < 1e-5


def test_losses_of_large_scores_stay_finite():
    scores = np.array([[1000.0, 0.0], [-1000.0, 0.0]])
    np.testing.assert_array_equal(oracle.losses(scores, np.array([0, 0])), [0.0, 1000.0])


# Gradients against finite differences


def differences(workload, own, x, y, forms, name, direction, step=1e-6):
    """The loss's central difference along a direction in one tensor."""

    def loss(weight):
        return mean_loss(oracle.scores(workload, {**own, name: weight}, x, forms), y)

    return (loss(own[name] + step * direction) - loss(own[name] - step * direction)) / (2 * step)


def check_gradients(workload, case, forms, constant=()):
    """Of each tensor: two random coordinates, and one random direction, which meets every coordinate.

    constant: (name, slice) of entries that are no parameters in this form: their gradient must be 0.
    """
    random, (own, x, y) = random_state(), case
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


@pytest.mark.parametrize("max_pool", ["first", "all"])
def test_cnn_gradients(max_pool):
    check_gradients("cnn", cnn_case(), {"max_pool": max_pool})


@pytest.mark.parametrize("forms", GRU_FORMS, ids=lambda forms: "-".join(forms.values()))
def test_gru_gradients(forms):
    entries = {"two": slice(0, 0), "folded": slice(0, 200), "no b_hn": slice(0, 300)}[forms["biases"]]
    check_gradients("gru", gru_case(), forms, [("gru.bias_hh", entries)])


def test_words_that_do_not_occur_get_no_gradient():
    own, x, y = gru_case()
    _, gradients = oracle.gradients("gru", own, x, y)
    np.testing.assert_array_equal(np.flatnonzero(gradients["embedding"].any(axis=1)), np.unique(x))


def test_squares_of_repeated_words_are_those_of_each_occurrence():
    """One review whose last words are `first`, `first` and 0: each occurrence's gradient is one of a row of its own."""
    own, x, y = gru_case()
    x, y, first = x[:1].copy(), y[:1], 7
    x[0, -3:] = first, first, 0
    x[0, :-3] = np.arange(100, 247)  # each once
    apart, alone = x.copy(), {**own, "embedding": own["embedding"].copy()}
    apart[0, -3:] = 20000, 20001, 20002
    alone["embedding"][[20000, 20001, 20002]] = own["embedding"][[first, first, 0]]
    _, gradients = oracle.gradients("gru", own, x, y, {"repeated_words": "squared apart"})
    _, occurrences = oracle.gradients("gru", alone, apart, y)
    squares, rows = gradients[oracle.SQUARES], occurrences["embedding"]
    np.testing.assert_allclose(squares[first], rows[20000] ** 2 + rows[20001] ** 2, rtol=1e-10)
    np.testing.assert_allclose(squares[[0, *range(100, 247)]], rows[[20002, *range(100, 247)]] ** 2, rtol=1e-10)
    np.testing.assert_allclose(gradients["embedding"][first], rows[20000] + rows[20001], rtol=1e-10)
    np.testing.assert_array_equal(np.flatnonzero(squares.any(axis=1)), np.unique(x))
    assert oracle.SQUARES not in oracle.gradients("gru", own, x, y)[1]


# Ties in a max pooling


def flat_case():
    """Weights with which every activation of a layer is the same, so that all four inputs of every window tie."""
    own = {name: np.zeros(shape) for name, shape in weights.shapes("cnn").items()}
    for i, layer in enumerate(["conv1", "conv2", "conv3", "conv4"]):
        own[layer + ".bias"][:] = 0.1
        if i > 1:
            own[layer + ".weight"][:, :, 1, 1] = 0.01  # the center alone: a border would not be flat
    random = random_state()
    own["fc1.weight"][:], own["fc2.weight"][:] = 0.01, random.uniform(size=(10, 512))
    return own, np.full((1, 3, 32, 32), 0.5), np.array([4])


def test_of_tied_inputs_the_first_or_all_are_paid():
    first, every = (oracle.gradients("cnn", *flat_case(), {"max_pool": form})[1] for form in ("first", "all"))
    np.testing.assert_allclose(every["conv4.bias"], 4 * first["conv4.bias"], rtol=1e-12)
    np.testing.assert_allclose(every["conv2.bias"], 16 * first["conv2.bias"], rtol=1e-12)
    assert first["conv2.bias"].all()


def test_the_first_of_tied_inputs_is_the_upper_left():
    """It sits in even rows and columns: of 8x8, only the top row and left column have a neighbor beyond the border."""
    _, gradients = oracle.gradients("cnn", *flat_case())
    taps = gradients["conv4.weight"][0, 0] / gradients["conv4.weight"][0, 0, 1, 1]
    np.testing.assert_allclose(taps * 64, [[49, 56, 56], [56, 64, 64], [56, 64, 64]], rtol=1e-12)


def test_ties():
    own, noise, _ = cnn_case()
    patch = noise[:1].copy()
    patch[:, :, 10:20, 10:20] = 0.5  # large enough for two kernels and a window
    corner = noise[:1].copy()
    corner[:, :, 10:14, 10:14] = 0.5  # too small
    x = np.concatenate([noise, patch, corner, np.zeros((1, 3, 32, 32))])
    np.testing.assert_array_equal(oracle.ties(own, x), [False, False, True, False, True])


def test_ties_that_relu_silences_do_not_count():
    own, noise, _ = cnn_case()
    own["conv2.bias"][:] = -100.0  # nothing passes, and so the second pool's inputs are flat
    assert oracle.ties(own, noise).all()
    own["conv4.bias"][:] = -100.0
    assert not oracle.ties(own, noise).any()


# Optimizers


def test_sgd_under_a_constant_gradient():
    sgd, g = oracle.SGD(0.1, 0.9), {"w": np.array([1.0, -2.0])}
    assert sgd.velocity is None
    for step in range(1, 6):
        expected = -0.1 * g["w"] * (1 - 0.9**step) / (1 - 0.9)
        np.testing.assert_allclose(sgd.movement(g)["w"], expected, rtol=1e-14)


def test_sgd_takes_its_velocity_from_the_last_movement():
    sgd = oracle.SGD(0.1, 0.9)
    sgd.movement({"w": np.array([5.0])})
    sgd.resynchronize({"w": np.array([-0.3])})  # a velocity of 3, not 5
    np.testing.assert_allclose(sgd.movement({"w": np.array([1.0])})["w"], [-0.1 * (0.9 * 3 + 1)], rtol=1e-14)


@pytest.mark.parametrize(("form", "weight"), [("rate outside", -0.119), ("rate inside", -0.200)])
def test_the_forms_of_momentum_part_where_the_rate_changes(form, weight):
    """A gradient of 1 twice, µ = 0.9: at a rate of 0.1 both forms lead to -0.29, at 0.1 and then 0.01 they part."""
    for second, expected in ((0.1, -0.29), (0.01, weight)):
        sgd, g = oracle.SGD(0.1, 0.9, form), {"w": np.array([1.0])}
        first = sgd.movement(g)["w"]
        sgd.learning_rate = second
        np.testing.assert_allclose(first + sgd.movement(g)["w"], [expected], rtol=1e-14)


@pytest.mark.parametrize(("form", "moved"), [("rate outside", -0.01 * (0.9 * 3 + 1)), ("rate inside", -0.27 - 0.01)])
def test_sgd_takes_its_velocity_from_a_movement_at_the_rate_of_that_step(form, moved):
    sgd = oracle.SGD(0.1, 0.9, form)
    sgd.movement({"w": np.array([5.0])})
    sgd.learning_rate = 0.01
    sgd.resynchronize({"w": np.array([-0.3])})  # made at a rate of 0.1: a velocity of 3, or of 0.3 with the rate in it
    np.testing.assert_allclose(sgd.movement({"w": np.array([1.0])})["w"], [moved], rtol=1e-14)


def test_adam_under_a_constant_gradient():
    """m̂ = g and v̂ = g² from the first step on."""
    adam, g = oracle.Adam(0.001, 0.9, 0.999, 1e-8), np.array([1.0, -1e-8, 3e-4, 0.0])
    for _ in range(4):
        np.testing.assert_allclose(adam.movement({"w": g})["w"], -0.001 * g / (np.abs(g) + 1e-8), rtol=1e-11)


@pytest.mark.parametrize("form", ["corrected", "uncorrected"])
def test_adam_against_its_recurrence(form):
    random, adam = random_state(), oracle.Adam(0.01, 0.8, 0.99, 1e-3, form)
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
    adam, gradient, squares = oracle.Adam(0.01, 0.8, 0.99, 1e-3), np.array([3.0, -1.0]), np.array([5.0, 1.0])
    for t in range(1, 4):
        m, v = (1 - 0.8**t) * gradient, (1 - 0.99**t) * squares
        expected = -0.01 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-3)
        movement = adam.movement({"embedding": gradient, "fc.bias": gradient, oracle.SQUARES: squares})
        assert set(movement) == {"embedding", "fc.bias"}
        np.testing.assert_allclose(movement["embedding"], expected, rtol=1e-12)
        np.testing.assert_allclose(movement["fc.bias"], -0.01 * gradient / (np.abs(gradient) + 1e-3), rtol=1e-12)


def test_the_workloads_optimizers():
    sgd, adam = oracle.optimizer("cnn"), oracle.optimizer("gru", {"epsilon": "uncorrected"})
    assert (sgd.learning_rate, sgd.momentum, sgd.form) == (0.01, 0.9, "rate outside")
    assert oracle.optimizer("cnn", {"momentum": "rate inside"}).form == "rate inside"
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon) == (0.001, 0.9, 0.999, 1e-8)
    assert adam.form == "uncorrected"
    assert oracle.optimizer("gru").form == "corrected"


# The layers


def test_the_layers_of_the_cnn_in_order_with_what_a_sample_is_after_each():
    own, x, _ = cnn_case()
    blocks = [("convolution", "conv1", (50, 32, 32), 50 * 3 * 9 + 50), ("ReLU", "", (50, 32, 32), 0)]
    blocks += [("convolution", "conv2", (50, 32, 32), 50 * 50 * 9 + 50)]
    blocks += [(kind, "", (50, 16, 16), 0) for kind in ("max pooling", "ReLU", "dropout")]
    blocks += [("convolution", "conv3", (100, 16, 16), 100 * 50 * 9 + 100), ("ReLU", "", (100, 16, 16), 0)]
    blocks += [("convolution", "conv4", (100, 16, 16), 100 * 100 * 9 + 100)]
    blocks += [(kind, "", (100, 8, 8), 0) for kind in ("max pooling", "ReLU", "dropout")]
    dense = [("flatten", "", (6400,), 0), ("dense", "fc1", (512,), 512 * 6400 + 512)]
    dense += [(kind, "", (512,), 0) for kind in ("ReLU", "dropout")] + [("dense", "fc2", (10,), 10 * 512 + 10)]
    expected = [("images", "", (3, 32, 32), 0), *blocks, *dense]
    found = oracle.layers("cnn", own, x)
    assert [(layer.kind, layer.name, layer.shape, layer.parameters) for layer in found] == expected
    assert {layer.dtype for layer in found} == {np.dtype(np.float64)}


def test_the_layers_of_the_gru_tell_what_went_through():
    own, x, _ = gru_case()
    found = oracle.layers("gru", own, x[:, :7])
    assert [(layer.kind, layer.shape) for layer in found] == [
        ("words", (7,)),
        ("embedding", (7, 125)),
        ("GRU", (7, 100)),
        ("last word", (100,)),
        ("dense", (2,)),
    ]
    assert [layer.dtype.kind for layer in found] == ["i", "f", "f", "f", "f"]


@pytest.mark.parametrize("workload", ["cnn", "gru"])
def test_every_parameter_belongs_to_one_layer(workload):
    own, x, _ = cnn_case() if workload == "cnn" else gru_case()
    found = oracle.layers(workload, own, x)
    assert sum(layer.parameters for layer in found) == sum(weight.size for weight in own.values())
    assert found[-1].shape == oracle.scores(workload, own, x).shape[1:]


@pytest.mark.parametrize(("biases", "fewer"), [("two", 0), ("folded", 200), ("no b_hn", 300)])
def test_a_bias_that_a_framework_lacks_is_no_parameter(biases, fewer):
    own, x, _ = gru_case()
    gru = oracle.layers("gru", own, x[:1], {"biases": biases})[2]
    assert gru.parameters == 300 * 125 + 300 * 100 + 300 + 300 - fewer


# Mistakes


@pytest.mark.parametrize(
    ("workload", "forms", "sentence"),
    [
        ("mlp", {}, 'there is no workload "mlp": it is "cnn" or "gru".'),
        ("cnn", {"reset_gate": "after"}, 'the cnn has no form "reset_gate": it has max_pool, momentum.'),
        ("gru", {"biases": "one"}, 'biases is "two" or "folded" or "no b_hn", not "one".'),
    ],
)
def test_unknown_forms(workload, forms, sentence):
    calls = [
        lambda: oracle.scores(workload, {}, np.zeros(0), forms),
        lambda: oracle.layers(workload, {}, np.zeros(0), forms),
        lambda: oracle.gradients(workload, {}, np.zeros(0), np.zeros(0), forms),
        lambda: oracle.optimizer(workload, forms),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            call()


def test_weights_of_another_shape():
    own, x, _ = cnn_case()
    own["fc1.bias"] = np.zeros(511)
    with pytest.raises(ValueError, match=r"fc1\.bias has shape \(511,\), not \(512,\)\."):
        oracle.scores("cnn", own, x)
