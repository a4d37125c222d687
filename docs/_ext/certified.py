"""Whether a benchmark is certified: decided when it is shown, for records are never edited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rosetta_common.host.digests import BORROWED
from rosetta_common.host.records import Record

State = Literal["certified", "failed", "stale", "missing", "historic"]

# What a certificate holds for, beside the workload and the variant.
SAME = ("framework", "backend", "workload", "variant", "device", "precision")
DIGESTS = ("example", "shared", "framework", "lock")
ALL = (*DIGESTS, BORROWED)  # the last where an environment is borrowed, in records that tell of it


@dataclass(frozen=True)
class Verdict:
    """What the certificates say of one run, why, and the parity record that says it."""

    state: State
    why: str
    parity: Record | None = None

    @property
    def mark(self) -> str:
        """The verdict in a few words, for a table and a caption."""
        return {
            "certified": "certified ✓",
            "failed": "certificate failed ✗",
            "stale": "certificate stale ✗",
            "missing": "no certificate ✗",
            "historic": "historic, no certificate",
        }[self.state]


def same_subject(one: Record, other: Record) -> bool:
    """Whether two records are of the same row, workload, variant, device and precision."""
    return all(getattr(one, key) == getattr(other, key) for key in SAME)


def same_digests(one: Record, other: Record) -> bool:
    """Whether the same code, declarations and lock ran. An unknown digest equals nothing.

    A record that tells of a borrowed environment's variables does not equal an older one that does not.
    """
    known = all(one.digests.get(key) is not None for key in DIGESTS)
    return known and all(one.digests.get(key) == other.digests.get(key) for key in ALL)


def why_failed(parity: Record) -> str:
    """The first check that a certificate did not pass, in words."""
    for check in parity.checks:
        if not check.ok:
            figures = f": {check.figure:.2g}, limit {check.limit:.2g}" if check.figure and check.limit else ""
            return f"{check.name}{figures}" + (f" ({check.reason})" if check.reason else "")
    return parity.reason or "no reason recorded"


def verdict(run: Record, records: Iterable[Record]) -> Verdict:
    """Hold a run against the parity records: the newest that passed or failed with the same digests decides.

    A parity run that was cut short decides nothing.
    """
    if run.historic:
        return Verdict("historic", run.source or "")
    parity = [record for record in records if record.kind == "parity" and same_subject(record, run)]
    parity = [record for record in parity if record.status in ("ok", "failed")]
    if not parity:
        return Verdict("missing", "")
    holds = [record for record in parity if same_digests(record, run)]
    if not holds:
        newest = max(parity, key=_created)
        changed = [key for key in ALL if newest.digests.get(key) != run.digests.get(key)]
        return Verdict("stale", f"another {' and '.join(changed)} was certified")
    newest = max(holds, key=_created)
    if newest.status == "failed":
        return Verdict("failed", why_failed(newest), newest)
    return Verdict("certified", f"certified on {newest.machine.name}", newest)


def _created(record: Record) -> str:
    return record.created
