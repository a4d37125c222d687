"""The canonical weights: the same everywhere, and checked."""

import hashlib

import numpy as np
import pytest

from rosetta_common import weights

# Of all canonical arrays in order, made on Python 3.13 with NumPy 2; the test runs on 3.6 with NumPy 1.19 as well.
DIGESTS = {
    "cnn": "c863be29bcc75fe00888a0fe1083dc6f04f3bbfea1db255f599bedc8568f9333",
    "gru": "d630a1f04763625e79fd3f200213f0d830f391d62d87b4af37b0eb7504e10378",
}


@pytest.mark.parametrize("workload", ["cnn", "gru"])
def test_canonical_weights_are_the_same_on_every_python(workload):
    digest = hashlib.sha256()
    for value in weights.canonical(workload).values():
        digest.update(value.tobytes())
    assert digest.hexdigest() == DIGESTS[workload]


@pytest.mark.parametrize(("workload", "count"), [("cnn", 3441592), ("gru", 3818302)])
def test_parameter_counts(workload, count):
    assert sum(int(np.prod(shape)) for shape in weights.shapes(workload).values()) == count


def test_canonical_biases_are_not_zero():
    canonical = weights.canonical("cnn")
    assert all(np.abs(value).min() > 0 for name, value in canonical.items() if name.endswith("bias"))


def test_fans_of_kernels_count_their_receptive_field():
    assert weights.fans((50, 3, 3, 3)) == (27, 450)
    assert weights.fans((512, 6400)) == (6400, 512)


def test_check_names_what_is_missing_or_misshapen():
    canonical = weights.canonical("gru")
    weights.check("gru", canonical)
    with pytest.raises(ValueError, match=r"fc\.bias has shape \(3,\)"):
        weights.check("gru", dict(canonical, **{"fc.bias": np.zeros(3)}))
    del canonical["embedding"]
    with pytest.raises(ValueError, match="embedding"):
        weights.check("gru", canonical)
