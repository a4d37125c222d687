"""Whether a run is certified."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from _ext.core.verdicts import NAMES, verdict
from rosetta_host.environments.digests import JUDGE, judge_digest
from rosetta_host.records.store import Check, Record

FAILED = [Check("weights", True), Check("step median", False, 9e-3, 5e-4, reason="momentum?")]


def test_missing(make_record: Callable[..., Record]) -> None:
    assert verdict(make_record(), []).state == "missing"


def test_certified(make_record: Callable[..., Record]) -> None:
    certificate = make_record(kind="certificate")
    found = verdict(make_record(), [certificate])
    assert (found.state, found.certificate, found.mark) == ("certified", certificate, "certified ✓")


def test_failed_names_the_first_failing_check(make_record: Callable[..., Record]) -> None:
    found = verdict(make_record(), [make_record(kind="certificate", status="failed", checks=FAILED)])
    assert found.state == "failed"
    assert found.why == "step median: 0.009, limit 0.0005 (momentum?)"


@pytest.mark.parametrize("key", ["example", "shared", "framework", "lock", "runner"])
def test_stale_whatever_changed(make_record: Callable[..., Record], key: str) -> None:
    run = make_record()
    certificate = make_record(kind="certificate")
    certificate.digests[key] = "other"
    found = verdict(run, [certificate])
    assert found.state == "stale"
    assert found.why == f"differs from the certificate: {NAMES.get(key, key)}"


def test_a_certificate_of_another_judge_is_stale(make_record: Callable[..., Record]) -> None:
    run, certificate = make_record(), make_record(kind="certificate")
    certificate.digests[JUDGE] = "laxer"
    assert (
        verdict(run, [certificate]).why
        == "differs from the certificate: version of the checks (limits, oracle, protocol)"
    )
    del certificate.digests[JUDGE]  # as before there was one
    assert verdict(run, [certificate]).state == "stale"


@pytest.mark.parametrize("change", [{"threads": 2}, {"variables": {"XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}}])
def test_a_certificate_of_another_way_to_run_is_stale(make_record: Callable[..., Record], change: dict) -> None:
    found = verdict(make_record(**change), [make_record(kind="certificate")])
    assert found.state == "stale"
    assert found.why == f"differs from the certificate: {NAMES[next(iter(change))]}"
    assert verdict(make_record(**change), [make_record(kind="certificate", **change)]).state == "certified"


def test_a_run_that_names_a_borrowed_environments_variables_needs_a_certificate_that_does(
    make_record: Callable[..., Record],
) -> None:
    older = make_record()
    newer = make_record(digests={**older.digests, "borrowed": "some"})
    judge = {JUDGE: judge_digest("cnn")}
    proofs = [make_record(kind="certificate", digests={**run.digests, **judge}) for run in (older, newer)]
    assert [verdict(run, proofs).certificate for run in (older, newer)] == proofs
    assert verdict(newer, proofs[:1]).why == "differs from the certificate: borrowed environment"


def test_a_run_without_digests_is_not_certified(make_record: Callable[..., Record]) -> None:
    assert verdict(make_record(digests={}), [make_record(kind="certificate", digests={})]).state == "stale"


@pytest.mark.parametrize(
    "change",
    [
        {"framework": "bell"},
        {"backend": "other"},
        {"workload": "gru"},
        {"variant": "train_compiled"},
        {"device": "gpu"},
        {"precision": "tf32"},
    ],
)
def test_a_certificate_of_something_else_does_not_count(
    make_record: Callable[..., Record], change: dict[str, str]
) -> None:
    run = make_record()
    certificate = make_record(kind="certificate")
    for name, value in change.items():
        setattr(certificate, name, value)
    assert verdict(run, [certificate]).state == "missing"


def test_the_newest_decides(make_record: Callable[..., Record]) -> None:
    good = make_record(kind="certificate", created="20260101T000000.000000Z")
    bad = make_record(kind="certificate", created="20260102T000000.000000Z", status="failed", checks=FAILED)
    run = make_record()
    assert verdict(run, [good, bad]).state == "failed"
    good.created = "20260103T000000.000000Z"
    assert verdict(run, [good, bad]).state == "certified"


@pytest.mark.parametrize("status", ["timeout", "oom", "interrupted", "unsupported"])
def test_a_certificate_run_that_was_cut_short_decides_nothing(make_record: Callable[..., Record], status: str) -> None:
    good = make_record(kind="certificate")
    cut = make_record(kind="certificate", status=status, created="20270101T000000.000000Z")
    assert verdict(make_record(), [good, cut]).state == "certified"
    assert verdict(make_record(created="20260103T000000.000000Z"), [cut]).state == "missing"


def test_historic(make_record: Callable[..., Record]) -> None:
    assert verdict(make_record(historic=True), [make_record(kind="certificate")]).state == "historic"
