"""Whether a run comes out the same again: runs of the same code, seed, data, threads and machine, loss by loss.

No run is made for this: the presets `epoch` and `full` begin alike, and so do the runs that a lesson compares with.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

from _ext.core import numbers
from _ext.core import store as stores
from _ext.core.verdicts import same_digests, same_subject
from rosetta_host.catalog.frameworks import nearest
from rosetta_host.records.store import RunRecord, is_patched


def _epochs_alike(run: RunRecord, other: RunRecord) -> int | None:
    """How many epochs two runs have in common; None where they are not runs of the same thing."""

    def trained(run: RunRecord) -> tuple[object, ...] | None:
        if run.status != "ok" or is_patched(run) or not run.losses or not run.data:
            return None
        return run.seed, run.threads, run.environment, run.machine.id, run.data.digest

    alike = trained(run) is not None and trained(run) == trained(other)
    if run is other or not (alike and same_subject(run, other) and same_digests(run, other)):
        return None
    return min(len(run.losses), len(other.losses))


def repeated(store: stores.Store, run: RunRecord) -> tuple[bool, int] | None:
    """Whether all runs of the same thing gave this one's losses, to the last digit, and in how many epochs at most.

    None where there is no other run of it, published as this one is or just as local.
    """
    others = [
        other
        for other in store.of_kind(RunRecord, implementation=run.implementation)
        if store.is_local(other) == store.is_local(run)
    ]
    pairs = [(other, epochs) for other in others if (epochs := _epochs_alike(run, other))]
    if not pairs:
        return None
    same = all(other.losses[:epochs] == run.losses[:epochs] for other, epochs in pairs)
    return same, max(epochs for _, epochs in pairs)


def counted(store: stores.Store) -> dict[str, int]:
    """Of the published examples, each variant and device for itself: how many ran `twice`, and how many `alike`."""
    verdicts: dict[tuple[str | None, ...], bool] = {}
    for run in store.of_kind(RunRecord):
        verdict = None if store.is_local(run) else repeated(store, run)
        if verdict:
            key = (run.implementation, run.workload, run.variant, run.device)
            verdicts[key] = verdicts.get(key, True) and verdict[0]
    return {"twice": len(verdicts), "alike": sum(verdicts.values())}


class Repeats(numbers.Role):
    """`{repeats}`: one of the numbers of `counted`."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        store = stores.store(self.config)
        counts = counted(store)
        if self.text not in counts:
            return self.warn(str(nearest("count", self.text, list(counts))))
        return [nodes.inline("", str(counts[self.text]))], []


def setup(app: Sphinx) -> None:
    app.add_role("repeats", Repeats())
