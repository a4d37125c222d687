"""Whether the accuracies of a sweep's cases are those of its reference, over seeds. They are tested, never ranked."""

from __future__ import annotations

from _ext.core import formatting
from _ext.core.comparison import PRESETS
from _ext.results.sweeps import Entry, Sweep
from rosetta_host.benchmark.ranking import MARGIN, Equivalence, equivalent
from rosetta_host.environments.digests import differing
from rosetta_host.records.store import BenchmarkRecord, TurnRecord

VERDICTS = {
    Equivalence.EQUIVALENT: "equivalent",
    Equivalence.DIFFERENT: "different",
    Equivalence.UNKNOWN: "cannot tell (too few seeds, or too far apart)",
}


def of_seeds(sweep: Sweep, record: TurnRecord, preset: str) -> dict[tuple[str, str | None], dict[int, float]]:
    """Data -> seed -> accuracy, of the published benchmarks of the code that a turn timed, on any machine."""
    wanted = {name: getattr(record, name) for name in ("implementation", "workload", "variant", "device", "precision")}
    seeds: dict[tuple[str, str | None], dict[int, float]] = {}
    for run in sweep.store.of_kind(BenchmarkRecord, **wanted, preset=preset, status="ok", historic=False):
        if run.accuracy is None or run.seed is None or run.data is None or sweep.store.is_local(run):
            continue
        if not differing(run.digests, record.digests):
            seeds.setdefault((run.data.source, run.data.digest), {})[run.seed] = run.accuracy
    return seeds


def compared(sweep: Sweep, entry: Entry, reference: Entry) -> Equivalence:
    """What the seeds of an entry say beside those of the reference, of the same preset and data."""
    verdict = Equivalence.UNKNOWN
    for preset in PRESETS:
        own, others = (of_seeds(sweep, each.record, preset) for each in (entry, reference))
        for data in own.keys() & others.keys():
            said = equivalent([*own[data].values()], [*others[data].values()])
            verdict = said if said != Equivalence.UNKNOWN else verdict
    return verdict


def sentence(sweep: Sweep) -> str:
    """Which cases are as accurate as the reference, in a sentence."""
    begin = "Accuracies are not ranked. "
    reference = sweep.reference
    if reference is None:
        return begin + "The reference has no turn that counts, so they are compared with nothing."
    groups: dict[Equivalence, list[str]] = {}
    for entry in sweep.entries:
        if not entry.failed and entry is not reference:
            name = formatting.implementation_name(sweep.store, entry.record)
            groups.setdefault(compared(sweep, entry, reference), []).append(name)
    within = f"Within ±{100 * MARGIN:g} point of {sweep.reference_name}, over seeds: "
    if not groups.keys() - {Equivalence.UNKNOWN}:
        return f"{begin}{within}{VERDICTS[Equivalence.UNKNOWN]} for any implementation."
    phrases = [f"{words}: {', '.join(groups[verdict])}" for verdict, words in VERDICTS.items() if verdict in groups]
    return f"{begin}{within}{'; '.join(phrases)}."
