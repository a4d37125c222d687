"""Results that are not what they should be: losses, scores, accuracies."""

import re

import pytest

SCORES = "return np.stack([np.ones(len(x)), np.zeros(len(x))], axis=1)"
WRONG = {
    "return np.ones(len(x))": r"predict gave scores of shape \(320,\) for 320 samples\.",
    "return np.ones((len(x) - 1, 2))": r"predict gave scores of shape \(319, 2\) for 320 samples\.",
    "return np.ones((len(x), 2, 2))": r"predict gave scores of shape \(320, 2, 2\) for 320 samples\.",
    "return np.full((len(x), 2), np.nan)": r"predict gave scores that are not finite\.",
    "return np.full((len(x), 2), 'cat')": r"predict gave scores of type <U3, not of numbers\.",
    "return np.ones((len(x), 2), complex)": r"predict gave scores of type complex128, not of numbers\.",
    "return np.full((len(x), 2), {})": r"predict left scores that cannot be read: .*",
    "return None": r"predict left scores that cannot be read: .*",
    "return [[1.0], [1.0, 2.0]]": r"ValueError: .* \(run\.py, line \d+\)",
}


@pytest.mark.fault(
    "scores", outcome="The run is `failed`; the reason says what came instead of a score for each sample."
)
@pytest.mark.parametrize("wrong", WRONG)
def test_what_predict_gives_is_checked(benchmark, wrong):
    record = benchmark(SCORES, wrong)
    assert record.status == "failed"
    assert re.fullmatch(WRONG[wrong], record.reason), record.reason
    assert record.accuracy is None


@pytest.mark.fault("scores", outcome="An accuracy is computed from the scores; another one fails the run.")
@pytest.mark.parametrize(("returned", "shown"), [("0.99", "0.9900"), ("float('nan')", "nan")])
def test_an_accuracy_that_the_scores_contradict_fails(benchmark, returned, shown):
    record = benchmark("return float(np.mean(y == 0))", f"return {returned}")
    assert record.status == "failed"
    assert f"evaluate says {shown}, the scores say" in record.reason


@pytest.mark.fault("loss", outcome="The run is `failed`, with that as its reason.")
@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        ("float('inf')", "The training loss is not finite."),
        (
            "np.float64(0.5)",
            "train returned numpy.float64, not a Python float: the work may not be done when the clock",
        ),
        ("None", "train returned NoneType, not a Python float"),
    ],
)
def test_a_loss_that_is_no_number_fails(benchmark, loss, reason):
    record = benchmark("    return 0.5", f"    return {loss}")
    assert record.status == "failed"
    assert record.reason.startswith(reason)
