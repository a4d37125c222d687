"""Certificates, which several commands make: of which cases, written where, and summed up in a table."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rosetta_host.catalog.frameworks import WORKLOADS, Case, Implementation, UserError
from rosetta_host.certificate import certify, judge, precheck
from rosetta_host.command_line.progress import console, say, time_left
from rosetta_host.records import checks, machine, store
from rosetta_host.records.store import CertificateRecord, Record

SUMMED_UP = ("loss", "step median", "step worst", "float64: step median")  # the checks that the summary shows
SUMMARY_WIDTH = 130  # characters; cut to a terminal's 80, a column says nothing
# What a failure in one of the two passes alone usually means: their steps and checks are the same.
ONLY_FLOAT64 = (
    "Only the float64 pass fails: usually something in it is computed or kept in float32. Look in {file} for a "
    "constant, state or initial value that does not take the dtype of `set_dtype`, and check that `set_dtype` also "
    "permits float64 where the framework has a switch for that."
)
ONLY_FLOAT32 = (
    "Only the float32 pass fails: the formula is right, and something is less or more exact than float32. Look in "
    "{file} for a cast, and in framework.toml for a variable, that chooses another precision, and for what only "
    "several threads show: the float64 pass runs on one."
)
TRAIN = "train"  # what selects the examples that are no variant
NAMED = 4  # failed checks that the verdict names; the record has all


def selected_workloads(options: argparse.Namespace) -> list[str]:
    return [options.workload] if options.workload else list(WORKLOADS)


def select_cases(
    options: argparse.Namespace, implementations: list[Implementation], device: str, variant: str | None = None
) -> list[Case]:
    """What can be certified of these implementations: all, or this variant, by the name of its function.

    Raises UserError for a variant that none of them has, and with what is wrong with their folders.
    """
    cases = [case for implementation in implementations for case in implementation.cases(selected_workloads(options))]
    if variant is not None:
        cases = _of_variant(cases, variant)
    precheck.require(cases, device)
    return cases


def _of_variant(cases: list[Case], variant: str) -> list[Case]:
    names = [case.variant or TRAIN for case in cases]
    if variant not in names:
        available = ", ".join(dict.fromkeys(names)) or "none"
        raise UserError(f"There is no variant {variant!r} of these examples. Those that exist: {available}.")
    return [case for case, name in zip(cases, names, strict=True) if name == variant]


def published(cases: list[Case], device: str, past: Sequence[Record]) -> list[Case]:
    """Those of which some machine's certificate of the same code is among these records, and holds."""
    return [case for case in cases if certify.certified(case, None, device, past)]


def certify_cases(
    options: argparse.Namespace,
    cases: list[Case],
    folder: Path,
    short: Collection[Case] = (),
    parts: Collection[str] = judge.SHORT,
) -> list[str]:
    """Certify these cases; every certificate is written as soon as it is there, and a table sums them up.

    Their environments are made where they are missing.

    short: those that are certified already, of which these `parts` are made, and a record only where one fails.
    """
    where, device = machine.describe(options.machine), options.device
    alone = len({case.implementation.id for case in cases}) == 1
    if alone:  # of all implementations, that would import every framework once more
        precheck.require_loaded([case for case in cases if case not in short], device)
    done: list[tuple[Case, CertificateRecord]] = []
    lock, start = threading.Lock(), time.monotonic()

    def report(line: str) -> None:
        with lock:
            say(line)

    # One implementation: list each check. All of them: they are too many to read.
    check = report if alone else lambda line: None
    for case, record in certify.certify_all(cases, where, device, check, short, parts):
        if case not in short or record.status != "ok":
            store.write(record, folder)
        done.append((case, record))
        verdict = "certified (short)" if case in short else "certified"
        outcome = verdict if record.status == "ok" else f"{record.status}: {reason(record)}"
        left = (time.monotonic() - start) / len(done) * (len(cases) - len(done))
        report(f"[{len(done)}/{len(cases)}] {case.label}: {outcome}{time_left(left)}")
        if hint := precision_hint(case, record):
            report(f"{case.label}: {hint}")
    if short:
        left_out = ", ".join(words for part, words in judge.PARTS.items() if part not in parts)
        report(f"Skipped for the {len(short)} of {len(cases)} with a published certificate: {left_out}.")
        report("One example of each framework repeats the rest; its other cases repeat the steps alone.")
    if len(done) > 1:
        Console(width=max(console.width, SUMMARY_WIDTH)).print(_summary(done))
    return [record.status for _, record in done]


def reason(record: CertificateRecord) -> str:
    """Why a certificate failed, in a short line: the checks that fail by name; the record has all of each."""
    failed = [check for check in record.checks if not check.ok]
    if not failed:
        return record.reason or "no reason recorded"
    names = ", ".join(dict.fromkeys(check.name for check in failed[:NAMED]))
    names += f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
    return f"{len(failed)} of {len(record.checks)} checks fail: {names}. First: {certify.line(failed[0])}"


def precision_hint(case: Case, record: CertificateRecord) -> str | None:
    """Where to look, if one pass fails a check that both have, and the other one passes all of these."""
    in_float64 = {check.code: check.ok for check in record.checks if check.subject == checks.FLOAT64}
    in_float32 = {check.code: check.ok for check in record.checks if check.subject is None and check.code in in_float64}
    if not in_float32 or all(in_float64.values()) == all(in_float32.values()):
        return None
    file = case.implementation.example(case.workload)
    hint = ONLY_FLOAT32 if all(in_float64.values()) else ONLY_FLOAT64
    return hint.format(file="/".join(file.parts[-3:]))


def _summary(done: list[tuple[Case, CertificateRecord]]) -> Table:
    """Every certificate in a line: its figures beside their limits, and its seconds, the slowest last."""
    table = Table(title="Certificates", box=None, title_justify="left")
    for heading in ("implementation", "workload", "variant", "status"):
        table.add_column(heading)
    for heading in (*SUMMED_UP, "seconds"):
        table.add_column(heading, justify="right")
    for case, record in sorted(done, key=lambda pair: _seconds(pair[1])):
        figures = {check.name: check.figure for check in record.checks}
        cells = [format(figures[name], ".0e") if figures.get(name) is not None else "" for name in SUMMED_UP]
        seconds = f"{_seconds(record):.0f}"
        table.add_row(case.implementation.id, case.workload, case.variant or "", record.status, *cells, seconds)
    return table


def _seconds(record: Record) -> float:
    return (record.times and record.times.process) or 0.0
