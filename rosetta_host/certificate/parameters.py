"""The number of parameters of a network in the form that a framework computes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rosetta_host.certificate import oracle


def count(workload: str, forms: oracle.Forms, sizes: Mapping[str, int]) -> int:
    """The number of parameters: the numbers in each weight, without the biases that these forms lack.

    sizes: canonical weight -> how many numbers it has.
    """
    return sum(round(size * float(np.mean(oracle.exists(workload, name, forms)))) for name, size in sizes.items())
