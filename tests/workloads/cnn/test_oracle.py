"""The CNN's formulas against the definitions and finite differences: nothing here uses their parts."""

import numpy as np
import pytest

from rosetta_common import weights
from rosetta_host.certificate import oracle
from tests.workloads.finite_differences import check_gradients
from workloads.cnn import oracle as formulas

NAME = "cnn"


def case():
    """Float64 weights, two noise images and their labels."""
    random = np.random.RandomState(0)
    own = {name: weight.astype(np.float64) for name, weight in weights.canonical(NAME).items()}
    return own, random.uniform(size=(2, 3, 32, 32)), np.array([3, 7])


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


def plain(w, image):
    """One image's hidden layer and scores."""

    def relu(x):
        return np.where(x > 0, x, 0)

    x = relu(correlate(image, w["conv1.weight"], w["conv1.bias"]))
    x = relu(pool(correlate(x, w["conv2.weight"], w["conv2.bias"])))
    x = relu(correlate(x, w["conv3.weight"], w["conv3.bias"]))
    x = relu(pool(correlate(x, w["conv4.weight"], w["conv4.bias"])))
    hidden = relu(w["fc1.weight"] @ x.ravel() + w["fc1.bias"])
    return hidden, w["fc2.weight"] @ hidden + w["fc2.bias"]


def mean_loss(scores, y):
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return -np.mean([np.log(row[label]) for row, label in zip(probabilities, y, strict=True)])


def test_scores_follow_the_definition():
    own, x, _ = case()
    scores = oracle.scores(NAME, own, x)
    assert scores.shape == (2, 10)
    assert scores.dtype == np.float64
    for image, hidden, row in zip(x, formulas.hidden(own, x), scores, strict=True):
        expected_hidden, expected = plain(own, image)
        np.testing.assert_allclose(hidden, expected_hidden, rtol=0, atol=1e-12)
        np.testing.assert_allclose(row, expected, rtol=0, atol=1e-12)


def test_more_samples_than_are_computed_at_once():
    random, own = np.random.RandomState(0), weights.canonical(NAME)
    x, y = random.uniform(size=(11, 3, 32, 32)).astype(np.float32), random.randint(0, 10, 11)
    alone = np.concatenate([oracle.scores(NAME, own, image[None]) for image in x])
    np.testing.assert_allclose(oracle.scores(NAME, own, x), alone, rtol=0, atol=1e-12)
    loss, gradients = oracle.gradients(NAME, own, x, y)
    assert loss == pytest.approx(mean_loss(alone, y), abs=1e-12)
    # fc2's gradient is (softmax - one-hot) x hidden, averaged: what identifies the samples of a step.
    outer = (oracle.softmax(alone) - np.eye(10)[y]).T @ formulas.hidden(own, x) / 11
    np.testing.assert_allclose(gradients["fc2.weight"], outer, rtol=0, atol=1e-12)


def test_what_is_asked_for_roughly_is_computed_in_float32():
    own, x, y = case()
    hidden = formulas.hidden(own, x, "float32")
    assert hidden.dtype == np.float32
    np.testing.assert_allclose(hidden, formulas.hidden(own, x), rtol=0, atol=1e-5)
    _, roughly = oracle.gradients(NAME, own, x, y, dtype="float32")
    _, exactly = oracle.gradients(NAME, own, x, y)
    for name, gradient in exactly.items():
        assert 0 < np.abs(roughly[name] - gradient).max() < 1e-5


@pytest.mark.parametrize("max_pool", ["first", "all"])
def test_gradients(max_pool):
    check_gradients(NAME, case(), {"max_pool": max_pool})


def flat_case():
    """Weights with which every activation of a layer is the same, so that all four inputs of every window tie."""
    own = {name: np.zeros(shape) for name, shape in weights.shapes(NAME).items()}
    for i, layer in enumerate(["conv1", "conv2", "conv3", "conv4"]):
        own[layer + ".bias"][:] = 0.1
        if i > 1:
            own[layer + ".weight"][:, :, 1, 1] = 0.01  # the center alone: a border would not be flat
    random = np.random.RandomState(0)
    own["fc1.weight"][:], own["fc2.weight"][:] = 0.01, random.uniform(size=(10, 512))
    return own, np.full((1, 3, 32, 32), 0.5), np.array([4])


def test_of_tied_inputs_the_first_or_all_are_paid():
    first, every = (oracle.gradients(NAME, *flat_case(), {"max_pool": form})[1] for form in ("first", "all"))
    np.testing.assert_allclose(every["conv4.bias"], 4 * first["conv4.bias"], rtol=1e-12)
    np.testing.assert_allclose(every["conv2.bias"], 16 * first["conv2.bias"], rtol=1e-12)
    assert first["conv2.bias"].all()


def test_the_first_of_tied_inputs_is_the_upper_left():
    """It sits in even rows and columns: of 8x8, only the top row and left column have a neighbor beyond the border."""
    _, gradients = oracle.gradients(NAME, *flat_case())
    taps = gradients["conv4.weight"][0, 0] / gradients["conv4.weight"][0, 0, 1, 1]
    np.testing.assert_allclose(taps * 64, [[49, 56, 56], [56, 64, 64], [56, 64, 64]], rtol=1e-12)


def test_ties():
    own, noise, _ = case()
    patch = noise[:1].copy()
    patch[:, :, 10:20, 10:20] = 0.5  # large enough for two kernels and a window
    corner = noise[:1].copy()
    corner[:, :, 10:14, 10:14] = 0.5  # too small
    x = np.concatenate([noise, patch, corner, np.zeros((1, 3, 32, 32))])
    np.testing.assert_array_equal(formulas.ties(own, x), [False, False, True, False, True])


def test_ties_that_relu_silences_do_not_count():
    own, noise, _ = case()
    own["conv2.bias"][:] = -100.0  # nothing passes, and so the second pool's inputs are flat
    assert formulas.ties(own, noise).all()
    own["conv4.bias"][:] = -100.0
    assert not formulas.ties(own, noise).any()


def test_the_layers_in_order_with_what_a_sample_is_after_each():
    own, x, _ = case()
    blocks = [("convolution", "conv1", (50, 32, 32), 50 * 3 * 9 + 50), ("ReLU", "", (50, 32, 32), 0)]
    blocks += [("convolution", "conv2", (50, 32, 32), 50 * 50 * 9 + 50)]
    blocks += [(kind, "", (50, 16, 16), 0) for kind in ("max pooling", "ReLU", "dropout")]
    blocks += [("convolution", "conv3", (100, 16, 16), 100 * 50 * 9 + 100), ("ReLU", "", (100, 16, 16), 0)]
    blocks += [("convolution", "conv4", (100, 16, 16), 100 * 100 * 9 + 100)]
    blocks += [(kind, "", (100, 8, 8), 0) for kind in ("max pooling", "ReLU", "dropout")]
    dense = [("flatten", "", (6400,), 0), ("dense", "fc1", (512,), 512 * 6400 + 512)]
    dense += [(kind, "", (512,), 0) for kind in ("ReLU", "dropout")] + [("dense", "fc2", (10,), 10 * 512 + 10)]
    expected = [("images", "", (3, 32, 32), 0), *blocks, *dense]
    found = oracle.layers(NAME, own, x)
    assert [(layer.kind, layer.name, layer.shape, layer.parameters) for layer in found] == expected
    assert {layer.dtype for layer in found} == {np.dtype(np.float64)}


def test_every_parameter_belongs_to_one_layer():
    own, x, _ = case()
    layers = oracle.layers(NAME, own, x)
    assert sum(layer.parameters for layer in layers) == sum(weight.size for weight in own.values())
    assert layers[-1].shape == oracle.scores(NAME, own, x).shape[1:]


@pytest.mark.parametrize("form", ["rate outside", "rate inside"])
def test_the_optimizer_has_the_hyper_parameters(form):
    sgd = oracle.optimizer(NAME, {"momentum": form})
    assert (sgd.learning_rate, sgd.momentum, sgd.form) == (0.01, 0.9, form)
    assert oracle.optimizer(NAME).form == "rate outside"


def test_weights_of_another_shape():
    own, x, _ = case()
    own["fc1.bias"] = np.zeros(511)
    with pytest.raises(ValueError, match=r"fc1\.bias has shape \(511,\), not \(512,\)\."):
        oracle.scores(NAME, own, x)
