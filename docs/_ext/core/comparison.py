"""Which runs may stand in one column or one picture: those of one machine, device and preset, on the same data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from _ext.core import formatting
from _ext.core.store import Store
from rosetta_host.records.store import BenchmarkRecord

PRESETS = ("epoch", "full")  # over all of the data


class Setting(NamedTuple):
    """What comparable runs share. external: they ran in an external interpreter, not in locked environments."""

    machine: str
    device: str
    preset: str
    source: str
    external: bool

    @classmethod
    def of(cls, run: BenchmarkRecord) -> Setting:
        source = run.data.source if run.data else ""
        return cls(run.machine.id, run.device or "cpu", run.preset or "", source, bool(run.environment))


def published(store: Store, workload: str) -> list[BenchmarkRecord]:
    """The published benchmarks over all of the data in float32, oldest first."""
    return [
        run
        for run in store.of_kind(BenchmarkRecord, workload=workload, historic=False)
        if run.preset in PRESETS and run.precision in (None, "float32") and not store.is_local(run)
    ]


def common(store: Store, runs: Iterable[BenchmarkRecord]) -> Setting | None:
    """The setting in which most implementations have a run that ended well; None without such a run.

    Certified runs count before all others. Of equals, one that a reader can repeat: in locked environments, on a CPU;
    then the one with the newest run.
    """
    settings: dict[Setting, dict[tuple[str, str | None], BenchmarkRecord]] = {}
    for run in sorted(runs, key=lambda run: run.created):
        settings.setdefault(Setting.of(run), {})[run.implementation, run.variant] = run

    def worth(setting: Setting) -> tuple[int, int, bool, bool, str]:
        ended = [run for run in settings[setting].values() if run.status == "ok"]
        certified = [run for run in ended if store.verdict(run).state == "certified"]
        newest = max((run.created for run in ended), default="")
        return len(certified), len(ended), not setting.external, setting.device == "cpu", newest

    best = max(settings, key=worth, default=None)
    return best if best and worth(best)[1] else None


def usual(store: Store, workload: str) -> Setting | None:
    """The common setting of all published runs of a workload, worked out once a build."""
    if workload not in store.settings:
        store.settings[workload] = common(store, published(store, workload))
    return store.settings[workload]


def timed_where(run: BenchmarkRecord) -> str:
    """Where and how a run was timed, for the caption of a table: the setting without the data."""
    device = f"on its {formatting.PROCESSORS[run.device or 'cpu']}"
    external = ["in an external interpreter"] if run.environment else []
    return ", ".join([run.machine.name, device, *external, f"preset {run.preset}"])


def described(run: BenchmarkRecord) -> str:
    """The setting of a run, for the head of a column or the caption of a picture."""
    source = run.data.source if run.data else ""
    data = "official data" if source == "official" else source
    return ", ".join(filter(None, (timed_where(run), data)))
