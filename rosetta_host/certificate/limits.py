"""The limits of a certificate's figures. If you change one, every certificate is stale.

They are measured, with five implementations of float32 arithmetic and with every mutant: see "How the numbers are
made". Those of a workload are in `workloads/<name>/limits.py`, and make its certificates stale.
"""

from __future__ import annotations

import msgspec

from rosetta_common import run
from rosetta_host.catalog import workloads

FLOAT64_LIMIT = 1e-10  # of each check of a workload in float64
ROUNDING = 1e-6  # of an accuracy that a framework computes in float32
AGREEMENT_LIMIT = 0.7  # of two epochs' batches; independent shuffles agree on 0.3 to 0.45 of the samples
DROPOUT_LIMIT = 0.05  # on a rate: four standard deviations of the units that are counted
WORK_LEFT = run.WORK_LEFT  # of a step: the part that may still be pending when `train` returns


class WorkloadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits in float32, on a CPU and on a GPU alike.

    checks: check -> the largest figure that passes. loss_floor: the smallest allowed error of the worst of five losses.
    rounding_floor: the smallest allowed error of a step's movements. A result closer to the oracle than a floor was
    computed in float64.
    """

    checks: dict[str, float]
    loss_floor: float
    rounding_floor: float


def of(workload: str) -> WorkloadLimits:
    """The limits of a workload."""
    limits: WorkloadLimits = workloads.module(workload, "limits").limits
    return limits
