"""How far accuracies of the same code lie apart from seed to seed, as the records have it."""

from __future__ import annotations

from math import sqrt
from statistics import variance

from _ext.core import store as stores
from rosetta_host.records.store import RunRecord, is_historic, is_patched

FAR = 3  # standard deviations between seeds: an accuracy that lies farther from its table's median is pointed out


def spread(store: stores.Store, workload: str, preset: str) -> float | None:
    """The standard deviation of an accuracy, a fraction of 1, between seeds of the same code; None where none is known.

    Pooled over all code that ran with several seeds on the same data; another machine only rounds in another way. The
    examples as they are count, whether they ran as benchmarks or for a lesson.
    """
    seeds: dict[tuple[object, ...], dict[int, float]] = {}
    for run in store.of_kind(RunRecord, workload=workload, preset=preset, status="ok"):
        if is_patched(run) or is_historic(run) or run.accuracy is None or run.seed is None or store.is_local(run):
            continue
        data = run.data and run.data.digest
        same = (
            run.implementation,
            run.variant,
            run.device,
            run.precision,
            run.version,
            data,
            *sorted(run.digests.items()),
        )
        seeds.setdefault(same, {})[run.seed] = run.accuracy
    groups = [list(accuracies.values()) for accuracies in seeds.values() if len(accuracies) > 1]
    freedom = sum(len(group) - 1 for group in groups)
    return sqrt(sum((len(group) - 1) * variance(group) for group in groups) / freedom) if freedom else None
