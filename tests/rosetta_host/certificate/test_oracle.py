"""What the oracle does for every workload; the formulas of each are tested in tests/workloads/."""

import re

import numpy as np
import pytest

from rosetta_host.certificate import oracle


def test_losses_of_large_scores_stay_finite():
    scores = np.array([[1000.0, 0.0], [-1000.0, 0.0]])
    np.testing.assert_array_equal(oracle.losses(scores, np.array([0, 0])), [0.0, 1000.0])


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
