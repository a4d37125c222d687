"""The limits of a certificate: what its figures are held against. Change one, and every certificate is stale.

They are measured, in five ways of computing float32 and with every error of mutants.toml: see "How the numbers are
made". Those of a workload are in `workloads/<name>/limits.py`. Plain numbers alone, so that the site reads them without
what runs frameworks.
"""

from __future__ import annotations

import msgspec

from rosetta_common import run
from rosetta_host.catalog import workloads

FLOAT64_LIMIT = 1e-10  # of each check of a workload in float64
ROUNDING = 1e-6  # of an accuracy that a framework computes in float32
AGREEMENT_LIMIT = 0.7  # of two epochs' batches; independent shuffles agree on 0.3 to 0.45 of the samples
DROPOUT_LIMIT = 0.05  # on a rate: four standard deviations of the units that are counted
WORK_LEFT = run.WORK_LEFT  # of a step: what of it may still be computed when `train` returns


class WorkloadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits in float32, on a CPU and on a GPU alike.

    checks: check -> the most that its figure may be. loss_floor: the least of the worst of five losses. rounding_floor:
    the least that a step is off, where the weights' own rounding lets it be seen. What is closer to the oracle than a
    floor was computed in float64.
    """

    checks: dict[str, float]
    loss_floor: float
    rounding_floor: float


def of(workload: str) -> WorkloadLimits:
    """The limits of a workload."""
    limits: WorkloadLimits = workloads.module(workload, "limits").limits
    return limits
