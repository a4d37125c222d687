"""Whether a benchmark is certified: decided when it is shown, for records are never edited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rosetta_host.catalog.frameworks import Implementation
from rosetta_host.environments.digests import BORROWED, JUDGE, certificate_digests, differing, digests, judge_digest
from rosetta_host.records.store import BenchmarkRecord, CertificateRecord, Record

State = Literal["certified", "failed", "stale", "missing", "historic"]

# What a certificate and the runs that it is of share, beside the digests: the subject, and how the process ran.
SUBJECT = ("framework", "backend", "workload", "variant", "device", "precision")
WAY = ("threads", "variables")


# What differs, in words for a reader, where its name does not say it.
NAMES = {
    "shared": "shared code",
    "framework": "framework.toml",
    BORROWED: "borrowed environment",
    "runner": "way of timing",
    JUDGE: "version of the checks (limits, oracle, protocol)",
    "threads": "number of threads",
    "variables": "set of variables",
    "mutant": "patch",
}


@dataclass(frozen=True)
class Verdict:
    """What the certificates say of one run, why, and the certificate record that says it."""

    state: State
    why: str
    certificate: CertificateRecord | None = None

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


def same_subject(record: Record, other: Record) -> bool:
    """Whether two records are of the same implementation, workload, variant, device and precision."""
    return all(getattr(record, key) == getattr(other, key) for key in SUBJECT)


def same_digests(record: Record, other: Record) -> bool:
    """Whether the same code, declarations and lock ran, timed in the same way."""
    return not _differing(record, other)


def _differing(record: Record, other: Record) -> list[str]:
    """What two records do not share of their digests, the judge's apart, and of the way in which they ran."""
    digests = [{name: sha for name, sha in run.digests.items() if name != JUDGE} for run in (record, other)]
    return differing(*digests) + [key for key in WAY if getattr(record, key) != getattr(other, key)]


def changed(record: Record, implementation: Implementation) -> list[str]:
    """Which digests of a run or a certificate are not those of this checkout.

    An external interpreter has no lock here that its packages could differ from.
    """
    of_today = certificate_digests if isinstance(record, CertificateRecord) else digests
    now = of_today(implementation, record.workload, record.device or "cpu")
    if record.environment:
        now["lock"] = record.digests.get("lock", "")
    return differing(record.digests, now)


def outdated(certificate: CertificateRecord, implementation: Implementation) -> str:
    """What has changed since a certificate was made; nothing where it is of this checkout's code, lock and judge."""
    return _other(changed(certificate, implementation))


def _other(keys: list[str]) -> str:
    return f"differs from the certificate: {named(keys)}" if keys else ""


def named(keys: Sequence[str]) -> str:
    """What differs, as a list for a reader: "example, lock and number of threads"."""
    *others, last = (NAMES.get(key, key) for key in keys)
    return f"{', '.join(others)} and {last}" if others else last


def why_failed(certificate: CertificateRecord) -> str:
    """The first check that a certificate did not pass, in words."""
    for check in certificate.checks:
        if not check.ok:
            figures = f": {check.figure:.2g}, limit {check.limit:.2g}" if check.figure and check.limit else ""
            return f"{check.name}{figures}" + (f" ({check.reason})" if check.reason else "")
    return certificate.reason or "no reason recorded"


def verdict(run: Record, certificates: Iterable[CertificateRecord]) -> Verdict:
    """Hold a run against the certificates: the newest of the same code, timed in the same way, decides.

    One that was cut short decides nothing, and one of another judge than this checkout's proves nothing by its rules.
    """
    if isinstance(run, BenchmarkRecord) and run.historic:
        return Verdict("historic", run.source or "")
    ended = [record for record in certificates if record.status in ("ok", "failed") and same_subject(record, run)]
    if not ended:
        return Verdict("missing", "")
    judge = judge_digest(run.workload)
    same = [record for record in ended if not _differing(record, run)]
    holds = [record for record in same if record.digests.get(JUDGE) == judge]
    if not holds:
        newest = max(same or ended, key=_created)
        return Verdict("stale", _other(_differing(newest, run) or [JUDGE]))
    newest = max(holds, key=_created)
    if newest.status == "failed":
        return Verdict("failed", why_failed(newest), newest)
    return Verdict("certified", f"certified on {newest.machine.name}", newest)


def _created(record: Record) -> str:
    return record.created
