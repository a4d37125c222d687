"""Moves weights between implementations, from each to every other, and checks that they mean the same there.

First each implementation trains a few batches from its own initial weights, in its own environment, and exports its
weights and scores. Then each implementation, in one process, imports every other's weights, predicts the same samples,
and exports the weights again. For each ordered pair, the weights must be equal bit for bit, and the scores and labels
must be those of the implementation that trained them.

A form may be unable to hold some of another's weights. The workload's model first folds what it can; the record states
the rest. Such a pair is neither a success nor a fault, as long as the scores are those that the oracle computes without
the rest.
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
from rosetta_host.catalog.frameworks import Case, Implementation
from rosetta_host.certificate import certify, oracle, protocol, steps
from rosetta_host.certificate.certify import Report
from rosetta_host.certificate.judge import Tracer
from rosetta_host.certificate.oracle import Fitted
from rosetta_host.certificate.protocol import Arrays, Samples
from rosetta_host.certificate.steps import ExampleLimits, Trace
from rosetta_host.environments import environment, faults
from rosetta_host.records.store import Check, Machine, Times, TransferRecord
from rosetta_host.transfer import layouts

SCORES = "scores after"  # the certificate's check whose limit, or declared tolerance, holds here too


class TrainedImplementation(msgspec.Struct):
    """An implementation with the weights that it trained (float32, canonical) and their scores (samples, classes).

    Both are empty if its run failed.
    """

    case: Case
    record: TransferRecord
    weights: Arrays = {}
    scores: np.ndarray = msgspec.field(default_factory=lambda: np.zeros(0))

    @property
    def implementation(self) -> Implementation:
        return self.case.implementation

    @property
    def forms(self) -> dict[str, str]:
        return oracle.settle(self.case.workload, self.implementation.workload(self.case.workload).forms)


def transfer_all(
    implementations: list[Implementation], workloads: list[str], where: Machine, device: str, report: Report
) -> Iterator[TransferRecord]:
    """A record for each implementation and workload, with a check for each implementation that it took weights from.

    As many processes run at once as there are cores: nothing here is timed.
    """
    cases = [
        Case(implementation, workload)
        for workload in workloads
        for implementation in implementations
        if workload in implementation.workloads
    ]
    certify.ensure_all(implementations, device)
    givers: list[TrainedImplementation] = []
    for giver in certify.side_by_side([functools.partial(give, case, where, device) for case in cases]):
        report(f"{giver.case.label}: {'gave its weights' if giver.record.status == 'ok' else giver.record.reason}")
        if giver.record.status == "ok":
            givers.append(giver)
        else:
            yield giver.record
    givers.sort(key=lambda giver: cases.index(giver.case))  # a record lists them in the order of the implementations
    calls = []
    for taker in givers:
        others = [other for other in givers if other.case.workload == taker.case.workload and other is not taker]
        calls.append(functools.partial(take, taker, others, device))
    yield from certify.side_by_side(calls)


def give(case: Case, where: Machine, device: str = "cpu") -> TrainedImplementation:
    """Train an implementation and read its weights and scores. Never raises for its errors: its record states them."""
    record = certify.blank(TransferRecord, case, where, device, seed=0, checks=[])
    record.threads, start = 1, time.monotonic()
    trained = TrainedImplementation(case, record)
    forms = trained.forms
    with _following(record), tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        tracer = Tracer(case, environment.ensure(case.implementation, device), device, Path(folder), timed=False)
        numbered = {"numbered": layouts.numbered(case.workload, forms)}
        samples = protocol.steps_samples(case.workload)
        with tracer.follow("give", protocol.give_program(case.workload), samples, numbered) as trace:
            trained.weights = {name: array.astype(np.float32) for name, array in trace.arrays("trained").items()}
            trained.scores = trace.scores("scores")
            handed = list(trace.arrays("numbered-made").values())
        certify.facts(record, case.implementation, trace.folder)
        _check(case.workload, trained.weights, trained.scores, samples)
        record.layouts = layouts.describe(case.workload, handed, forms) if handed else {}
        record.status = "ok"
    record.times = Times(process=time.monotonic() - start)
    return trained


def take(taker: TrainedImplementation, others: list[TrainedImplementation], device: str = "cpu") -> TransferRecord:
    """Move the others' weights to an implementation; its record gets a check for each of them."""
    record, case, start = taker.record, taker.case, time.monotonic()
    record.status, record.givers = "failed", {other.implementation.id: other.record.digests for other in others}
    with _following(record), tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        if not others:
            raise ValueError("No other implementation gave weights.")
        tracer = Tracer(case, environment.ensure(case.implementation, device), device, Path(folder), timed=False)
        samples = protocol.steps_samples(case.workload)
        fitted = {other.implementation.id: dict(_fit(other, taker).weights) for other in others}
        with tracer.follow("take", protocol.take_program(case.workload, fitted), samples, fitted) as trace:
            record.checks = [judge(other, taker, trace, samples) for other in others]
        failed = [check for check in record.checks if not check.ok and not check.by_design]
        record.status = "failed" if failed else "ok"
        record.reason = "; ".join(f"from {certify.line(check)}" for check in failed) or None
    assert record.times
    record.times = Times(process=(record.times.process or 0) + time.monotonic() - start)
    return record


@contextlib.contextmanager
def _following(record: TransferRecord) -> Iterator[None]:
    """A block whose errors go to the record."""
    with faults.recorded(record), certify.ended(record):
        try:
            yield
        except ValueError as error:
            record.status, record.reason = "failed", str(error)


def _check(workload: str, arrays: Arrays, scores: np.ndarray, samples: Samples) -> None:
    """Raise ValueError if an implementation's weights or scores cannot be compared."""
    weights.check(workload, arrays)
    if scores.ndim != 2 or len(scores) != len(samples.y_test):
        raise ValueError(f"predict gave scores of shape {scores.shape} for {len(samples.y_test)} samples.")
    broken = [name for name, array in {**arrays, "scores": scores}.items() if not np.isfinite(array).all()]
    if broken:
        raise ValueError(f"{', '.join(broken)}: not finite.")


def _fit(giver: TrainedImplementation, taker: TrainedImplementation) -> Fitted:
    return oracle.model(giver.case.workload).fit(giver.weights, giver.forms, taker.forms)


def judge(giver: TrainedImplementation, taker: TrainedImplementation, trace: Trace, samples: Samples) -> Check:
    """Check one ordered pair: the weights come back unchanged, and scores and labels are the giver's."""
    name = giver.implementation.id
    fitted, residual, lost = _fit(giver, taker)
    check = _scores_check(giver, taker, trace.scores(name))
    if changed := _changed(fitted, trace.arrays(f"{name}-back")):
        check.ok, check.reason = False, changed
    elif lost:
        encoded = samples.encoded(taker.case.workload, "float32").x_test
        expected = oracle.scores(taker.case.workload, fitted, encoded, taker.forms)
        by_design = steps.scores_check(_limits(taker), SCORES, trace.scores(name), expected)
        check.ok, check.by_design, check.reason = False, by_design.ok, lost
        if residual.any():
            check.figures = {**check.figures, "left over": float(np.abs(residual).max())}
        if not by_design.ok:
            check.reason = f"{lost}; and the scores are not those that the oracle expects then"
    return check


def _limits(implementation: TrainedImplementation) -> ExampleLimits:
    return ExampleLimits(
        implementation.case.workload,
        "float32",
        implementation.implementation.workload(implementation.case.workload).tolerances,
    )


def _scores_check(giver: TrainedImplementation, taker: TrainedImplementation, scores: np.ndarray) -> Check:
    """Compare the largest difference of a score with the wider of both limits, and count differing labels."""
    both = [
        steps.scores_check(_limits(implementation), SCORES, scores, giver.scores) for implementation in (giver, taker)
    ]
    check = max(both, key=lambda check: check.limit or 0.0)
    check.name = giver.implementation.id
    if scores.shape == giver.scores.shape:
        differ, ties = _labels(giver.scores, scores, 2 * (check.limit or 0.0))
        check.figures = {"samples": len(scores), "other labels": differ, "ties": ties}
        check.ok = check.ok and not differ
        if not check.ok:
            check.reason = "the scores are others"
    return check


def _labels(before: np.ndarray, after: np.ndarray, tie: float) -> tuple[int, int]:
    """How many samples get another label, and how many do only because two scores differ by at most `tie`."""
    rows, ours, theirs = np.arange(len(before)), before.argmax(axis=1), after.argmax(axis=1)
    margin = before[rows, ours] - before[rows, theirs]
    return int((margin > tie).sum()), int(((ours != theirs) & (margin <= tie)).sum())


def _changed(arrays: Mapping[str, np.ndarray], returned: Arrays) -> str | None:
    """Which weights do not come back unchanged, bit for bit; None if all do."""
    if set(arrays) != set(returned):
        return f"other names come back: {', '.join(sorted(set(arrays) ^ set(returned)))}"
    changed = [name for name, array in arrays.items() if not np.array_equal(array, returned[name])]
    return f"not the same when it comes back: {', '.join(changed)}" if changed else None


def summary(record: TransferRecord) -> str:
    """The result of the others' weights in an implementation, in one line."""
    name = f"{record.implementation} {record.workload}"
    if record.status != "ok":
        return f"{name}: {record.status}: {record.reason}"
    moved = [check for check in record.checks if check.ok]
    worst = f", scores within {max(check.figure or 0 for check in moved):.1e}" if moved else ""
    kept_out = len(record.checks) - len(moved)
    why = " and ".join(sorted({check.reason or "" for check in record.checks if check.by_design}))
    rest = f"; cannot hold those of {kept_out}: {why}" if kept_out else ""
    return f"{name}: takes the weights of {len(moved)} of {len(record.checks)} implementations{worst}{rest}"
