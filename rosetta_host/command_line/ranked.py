"""`benchmark --ranked`: a ranked sweep, and its tables."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rosetta_host.benchmark.ranking import Ranked, rank
from rosetta_host.benchmark.sweep import Sweep
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.command_line.certificates import select_cases
from rosetta_host.command_line.progress import console, say
from rosetta_host.records import machine, store
from rosetta_host.records.store import COMMITTED, TurnRecord

COLUMNS = ("× reference", "95 % interval", "same as", "s/step", "compile, s", "turns", "disturbed")
TABLE_WIDTH = 130  # characters; cut to a terminal's 80, a column says nothing


def run(options: argparse.Namespace, folder: Path) -> list[str]:
    """Run the sweep or what is left of it, and print a table for each workload; the status of each case.

    Raises UserError for options that a ranked sweep does not take, and as `Sweep.run` does.
    """
    if options.preset != "quick" or options.data or options.unofficial or options.seeds != 1:
        raise UserError("--ranked trains on the small sample with one seed: leave out --preset, --data and --seeds.")
    cases = select_cases(options, frameworks.select(options.ids), options.device, options.variant)
    if not (options.variant or options.all_variants):
        cases = [case for case in cases if case.variant is None or case.tuned]
    if not cases:
        raise UserError("There is nothing to rank: none of these frameworks has an example of this workload.")
    sweep = Sweep(
        cases,
        machine.describe(options.machine),
        options.device,
        folder,
        say,
        turns=options.turns,
        hours=options.hours,
        again=options.again,
        past=[] if folder.resolve() == COMMITTED.resolve() else store.read_all([COMMITTED]),
    )
    turns = sweep.run()
    rankings = [rank(own) for own in by_workload(turns)]
    for ranking in rankings:
        show(ranking)
    return [ranked.status if ranked.status != "disturbed" else "failed" for ranking in rankings for ranked in ranking]


def by_workload(turns: Sequence[TurnRecord]) -> list[list[TurnRecord]]:
    workloads = sorted({turn.workload for turn in turns})
    return [[turn for turn in turns if turn.workload == workload] for workload in workloads]


def show(ranking: Sequence[Ranked]) -> None:
    """Print a ranking as a table."""
    table = Table(title=f"{ranking[0].case.workload}: seconds of a steady step")
    table.add_column("case")
    for name in COLUMNS:
        table.add_column(name, justify="right")
    for ranked in ranking:
        name = " ".join(filter(None, (ranked.case.implementation, ranked.case.variant)))
        if not ranked.turns:
            table.add_row(name, ranked.status, *[""] * (len(COLUMNS) - 2), str(ranked.disturbed))
            continue
        interval = "" if math.isnan(ranked.low) else f"{ranked.low:.3f} – {ranked.high:.3f}"
        figures = (f"{ranked.ratio:.3f}", interval, ranked.letters, f"{ranked.step:.3g}", f"{ranked.compile:.1f}")
        table.add_row(name, *figures, str(ranked.turns), str(ranked.disturbed))
    Console(width=max(console.width, TABLE_WIDTH)).print(table)
    for ranked in ranking:
        if ranked.reason:
            say(f"{ranked.case.implementation}: {ranked.reason}")
