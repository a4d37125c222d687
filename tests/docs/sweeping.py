"""Turns of ranked sweeps for the tests' small site."""

from __future__ import annotations

from collections.abc import Sequence

from _ext.core.store import Store
from _ext.results.sweeps import Sweep, sweeps
from rosetta_host.records.store import Conditions, Disturbance, Machine, Times, TurnRecord

SWEEP = "20261203T040000.000000Z"
TOWER = Machine("tower", "The tower")
REFERENCE = 0.010  # seconds per step of the reference
IDLE = Conditions(
    other_work=0.01,
    steal=0.002,
    pressure=0.03,
    free_memory=3 * 2**30,
    frequency=2.6e9,
    matmul_rates=[190e9, 200e9, 210e9],
)


def turns(site, implementation: str = "ada", steps: Sequence[float] = (0.010,), **changes: object) -> list[TurnRecord]:
    """Write a turn for each of these seconds per step; the reference is Ada's `train`."""
    made = []
    for number, step in enumerate(steps):
        fields = {
            "kind": "turn",
            "sweep": SWEEP,
            "turn": number + 1,
            "order": len(site.records) + 1,
            "reference": "ada cnn",
            "pairs": [(REFERENCE, step)] * 4,
            "first_stretch": 8 * step + 3.0,
            "stretch_steps": 8,
            "times": Times(imported=1.0, build=2.0),
            "conditions": IDLE,
        }
        made.append(site.record(implementation, **{**fields, **changes}))
    return made


def failed(site, implementation: str, **changes: object) -> list[TurnRecord]:
    """Write a turn that failed."""
    nothing = {"pairs": [], "first_stretch": None, "times": None, "conditions": None}
    return turns(site, implementation, **{"status": "failed", "reason": "it ate all", **nothing, **changes})


def disturbed(site, implementation: str, step: float, **changes: object) -> list[TurnRecord]:
    """Write a turn that other work disturbed."""
    return turns(site, implementation, [step], disturbed=[Disturbance.OTHER_WORK], **changes)


def shown(site) -> list[Sweep]:
    """The sweeps of the CNN that the site shows, without building it."""
    store = Store(site.examples, [site.docs / "records", site.docs / "local"])
    store.load()
    return list(sweeps(store, "cnn"))
