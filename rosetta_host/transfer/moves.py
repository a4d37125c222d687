"""Moves weights between rows, from each to every other, and judges that they mean the same there.

First each row trains a few batches from its own start, in its own environment, and hands over its
weights and what it predicts with them. Then each row, in one process, takes every other's weights,
predicts the same samples, and hands the weights back. Of an ordered pair the weights must come back
to the bit, and the scores and labels must be those of the row that trained them.

A form may have no place for some of another's weights. What can be folded is folded before, by
the workload's model; what is left over is said in the record. Such a pair is no success, but no fault either, and only
where the scores are those that the oracle expects of the form without what is left over.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np

from rosetta_common import weights
from rosetta_host.catalog.frameworks import Case, Row
from rosetta_host.certificate import certify, oracle, protocol, steps
from rosetta_host.certificate.certify import Report
from rosetta_host.certificate.judge import Tracer
from rosetta_host.certificate.oracle import Fitted
from rosetta_host.certificate.protocol import Arrays, Samples
from rosetta_host.certificate.steps import Limits, Trace
from rosetta_host.environments import environment, faults
from rosetta_host.records.store import Check, Machine, Times, TransferRecord
from rosetta_host.transfer import layouts

SCORES = "scores after"  # the certificate's check whose limit, or declared tolerance, holds here as well


class Given(msgspec.Struct):
    """What a row gave: its weights (float32, canonical) and its scores (samples, classes); empty if its run failed."""

    case: Case
    record: TransferRecord
    weights: Arrays = {}
    scores: np.ndarray = msgspec.field(default_factory=lambda: np.zeros(0))

    @property
    def row(self) -> Row:
        return self.case.row

    @property
    def forms(self) -> dict[str, str]:
        return oracle.settle(self.case.workload, self.row.workload(self.case.workload).forms)


def transfer_all(
    rows: list[Row], workloads: list[str], where: Machine, device: str, report: Report
) -> Iterator[TransferRecord]:
    """A record for each row and workload: its checks are the rows that it took weights from.

    As many processes at once as there are cores: nothing here is timed, one thread each.
    """
    cases = [Case(row, workload) for workload in workloads for row in rows if workload in row.workloads]
    certify.ensure_all(rows, device)
    given: list[Given] = []
    for one in certify.side_by_side([functools.partial(give, case, where, device) for case in cases]):
        report(f"{one.case.label}: {'gave its weights' if one.record.status == 'ok' else one.record.reason}")
        if one.record.status == "ok":
            given.append(one)
        else:
            yield one.record
    given.sort(key=lambda one: cases.index(one.case))  # a record lists them in the rows' order, whichever came first
    calls = []
    for one in given:
        others = [other for other in given if other.case.workload == one.case.workload and other is not one]
        calls.append(functools.partial(take, one, others, device))
    yield from certify.side_by_side(calls)


def give(case: Case, where: Machine, device: str = "cpu") -> Given:
    """Train a row and take its weights and scores. Never raises for the row's faults: its record tells them."""
    record = certify.blank(TransferRecord, case, where, device, seed=0, checks=[])
    record.threads, start = 1, time.monotonic()
    given = Given(case, record)
    forms = given.forms
    with _following(record), tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        tracer = Tracer(case, environment.ensure(case.row, device), device, Path(folder), timed=False)
        numbered = {"numbered": layouts.numbered(case.workload, forms)}
        samples = protocol.steps_samples(case.workload)
        with tracer.follow("give", protocol.give_program(case.workload), samples, numbered) as trace:
            given.weights = {name: array.astype(np.float32) for name, array in trace.arrays("trained").items()}
            given.scores = trace.scores("scores")
            made = list(trace.arrays("numbered-made").values())
        certify.facts(record, case.row, trace.folder)
        _check(case.workload, given.weights, given.scores, samples)
        record.layouts = layouts.describe(case.workload, made, forms) if made else {}
        record.status = "ok"
    record.times = Times(process=time.monotonic() - start)
    return given


def take(one: Given, others: list[Given], device: str = "cpu") -> TransferRecord:
    """Move the others' weights to a row; the record that it gave with gets a check for each of them."""
    record, case, start = one.record, one.case, time.monotonic()
    record.status, record.givers = "failed", {other.row.id: other.record.digests for other in others}
    with _following(record), tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        if not others:
            raise ValueError("No other row gave weights.")
        tracer = Tracer(case, environment.ensure(case.row, device), device, Path(folder), timed=False)
        samples = protocol.steps_samples(case.workload)
        fitted = {other.row.id: dict(_fit(other, one).weights) for other in others}
        with tracer.follow("take", protocol.take_program(case.workload, fitted), samples, fitted) as trace:
            record.checks = [judge(other, one, trace, samples) for other in others]
        failed = [check for check in record.checks if not check.ok and not check.by_design]
        record.status = "failed" if failed else "ok"
        record.reason = "; ".join(f"from {certify.line(check)}" for check in failed) or None
    assert record.times
    record.times = Times(process=(record.times.process or 0) + time.monotonic() - start)
    return record


@contextlib.contextmanager
def _following(record: TransferRecord) -> Iterator[None]:
    """A block whose failures end it alone: the record says why."""
    with faults.recorded(record), certify.ended(record):
        try:
            yield
        except ValueError as error:
            record.status, record.reason = "failed", str(error)


def _check(workload: str, given: Arrays, scores: np.ndarray, samples: Samples) -> None:
    """Raise ValueError where what a row gave is of no use to others."""
    weights.check(workload, given)
    if scores.ndim != 2 or len(scores) != len(samples.y_test):
        raise ValueError(f"predict gave scores of shape {scores.shape} for {len(samples.y_test)} samples.")
    broken = [name for name, array in {**given, "scores": scores}.items() if not np.isfinite(array).all()]
    if broken:
        raise ValueError(f"{', '.join(broken)}: not finite.")


def _fit(giver: Given, taker: Given) -> Fitted:
    return oracle.model(giver.case.workload).fit(giver.weights, giver.forms, taker.forms)


def judge(giver: Given, taker: Given, trace: Trace, samples: Samples) -> Check:
    """One ordered pair: the weights come back, and scores and labels are the giver's."""
    name = giver.row.id
    fitted, left, lost = _fit(giver, taker)
    check = _scores_check(giver, taker, trace.scores(name))
    if changed := _changed(fitted, trace.arrays(f"{name}-back")):
        check.ok, check.reason = False, changed
    elif lost:
        encoded = samples.encoded(taker.case.workload, "float32").x_test
        expected = oracle.scores(taker.case.workload, fitted, encoded, taker.forms)
        off = steps.scores_check(_limits(taker), SCORES, trace.scores(name), expected)
        check.ok, check.by_design, check.reason = False, off.ok, lost
        if left.any():
            check.figures = {**check.figures, "left over": float(np.abs(left).max())}
        if not off.ok:
            check.reason = f"{lost}; and the scores are not those that the oracle expects then"
    return check


def _limits(given: Given) -> Limits:
    return Limits(given.case.workload, "float32", given.row.workload(given.case.workload).tolerances)


def _scores_check(giver: Given, taker: Given, scores: np.ndarray) -> Check:
    """The largest difference of a score, held against the wider of both rows' limits; and how many labels differ."""
    both = [steps.scores_check(_limits(one), SCORES, scores, giver.scores) for one in (giver, taker)]
    check = max(both, key=lambda check: check.limit or 0.0)
    check.name = giver.row.id
    if scores.shape == giver.scores.shape:
        differ, ties = _labels(giver.scores, scores, 2 * (check.limit or 0.0))
        check.figures = {"samples": len(scores), "other labels": differ, "ties": ties}
        check.ok = check.ok and not differ
        if not check.ok:
            check.reason = "the scores are others"
    return check


def _labels(before: np.ndarray, after: np.ndarray, tie: float) -> tuple[int, int]:
    """How many samples get another label, and how many more only because two scores differ by less than `tie`."""
    rows, ours, theirs = np.arange(len(before)), before.argmax(axis=1), after.argmax(axis=1)
    margin = before[rows, ours] - before[rows, theirs]
    return int((margin > tie).sum()), int(((ours != theirs) & (margin <= tie)).sum())


def _changed(given: Mapping[str, np.ndarray], back: Arrays) -> str | None:
    """Which weights do not come back as they were given, to the bit; None where all do."""
    if set(given) != set(back):
        return f"other names come back: {', '.join(sorted(set(given) ^ set(back)))}"
    changed = [name for name, array in given.items() if not np.array_equal(array, back[name])]
    return f"not the same when it comes back: {', '.join(changed)}" if changed else None


def summary(record: TransferRecord) -> str:
    """What a row made of the others' weights, in a line."""
    name = f"{record.row} {record.workload}"
    if record.status != "ok":
        return f"{name}: {record.status}: {record.reason}"
    moved = [check for check in record.checks if check.ok]
    worst = f", scores within {max(check.figure or 0 for check in moved):.1e}" if moved else ""
    kept_out = len(record.checks) - len(moved)
    why = " and ".join(sorted({check.reason or "" for check in record.checks if check.by_design}))
    rest = f"; cannot hold those of {kept_out}: {why}" if kept_out else ""
    return f"{name}: takes the weights of {len(moved)} of {len(record.checks)} rows{worst}{rest}"
