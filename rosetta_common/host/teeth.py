"""Proves that the certificate has teeth: patches each mutant of mutants.toml into a copy of its example.

Each mutant must fail at least one check, and the unpatched example must pass them all (`parity`
says that). Every folder must offer every mutant of `REQUIRED`, so that none is dropped quietly.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import zip_longest
from pathlib import Path

import msgspec
from threadpoolctl import threadpool_limits

from rosetta_common.host import environment, machine, parity, process
from rosetta_common.host.catalogue import Case, Row, UserError, nearest

# What each is, in words for the reader of "How the numbers are made".
REQUIRED = {
    "cnn": {
        "momentum": "momentum a thousandth too large",
        "learning_rate": "a learning rate a thousandth too large",
        "nesterov": "Nesterov's momentum instead of the classical kind",
        "weight_decay": "a very small weight decay",
        "bias_left_out": "biases that are never trained",
        "label_smoothing": "labels smoothed by a thousandth",
        "loss_summed": "the loss summed over the batch, not averaged",
        "flipped_kernels": "kernels turned by half a circle, on the way in and on the way out",
        "images_transposed": "images that lie on their side",
        "labels_shifted": "each image with its neighbour's label",
        "dropout_in_prediction": "drop-out left on in prediction",
        "dropout_rates_swapped": "two drop-out rates in each other's place",
        "batch_size_128": "batches of 128",
        "gradients_not_cleared": "gradients that add up from step to step",
        "learning_rate_decays": "a learning rate that falls after a while",
        "no_shuffle": "an epoch in the order of the data",
    },
    "gru": {
        "beta1": "Adam's β₁ a thousandth too large",
        "other_epsilon": "Adam's ε at the other side of the bias correction",
        "reset_before": "the reset gate on the other side of the recurrent product",
        "zero_initial_weights": "first weights of zero",
    },
}
# Of a variant that feeds the batches itself, beside: a loader has a batch size and a shuffle of its own.
REQUIRED_OF_VARIANTS = {
    "train_with_loader": {
        "loader_no_shuffle": "a loader that does not shuffle",
        "loader_batch_size_128": "a loader with batches of 128",
    }
}


class Mutant(msgspec.Struct, frozen=True):
    """One deliberate error: whose certificate has to fail, and texts of its file with what replaces them."""

    case: Case
    name: str
    edits: list[tuple[str, str]]

    @property
    def row(self) -> Row:
        return self.case.row

    @property
    def label(self) -> str:
        return f"{self.row.id} {self.case.workload} {self.name}"


class _Offered(msgspec.Struct, forbid_unknown_fields=True):
    """One table of mutants.toml. variant: the function that it spoils, where that is not `train`."""

    edits: list[tuple[str, str]]
    variant: str | None = None


def _required(row: Row, workload: str) -> list[str]:
    """The mutants that a folder must offer for this workload; how batches are fed is spoiled in the CNN alone."""
    variants = [case.variant for case in row.cases([workload]) if case.variant and workload == "cnn"]
    return [*REQUIRED[workload], *(name for variant in variants for name in REQUIRED_OF_VARIANTS.get(variant, {}))]


def mutants(row: Row, workload: str) -> list[Mutant]:
    """The mutants that a folder offers. Raises UserError where a required one is missing or does not fit."""
    path = row.folder / "mutants.toml"
    tables = tomllib.loads(path.read_text("utf-8")).get(workload, {}) if path.exists() else {}
    missing = [name for name in _required(row, workload) if name not in tables]
    if missing:
        raise UserError(f"{row.folder.name}/mutants.toml lacks the {workload} mutant {', '.join(missing)}.")
    try:
        offered = msgspec.convert(tables, dict[str, _Offered])
    except msgspec.ValidationError as error:
        raise UserError(f"{row.folder.name}/mutants.toml is not valid: [{workload}] {error}.") from None
    found = [Mutant(Case(row, workload, table.variant), name, table.edits) for name, table in offered.items()]
    text = row.example(workload).read_text("utf-8")
    for mutant in found:
        for old, _ in mutant.edits:
            if text.count(old) != 1:
                message = (
                    f"{row.folder.name}/mutants.toml, {workload}.{mutant.name}: {old!r} occurs {text.count(old)} times"
                )
                raise UserError(f"{message} in {workload}.py, not once.")
    return found


def patch(mutant: Mutant, folder: Path) -> Row:
    """The row with its examples copied into `folder` and the mutant patched in."""
    copy = folder / mutant.row.folder.name
    shutil.copytree(mutant.row.folder, copy)
    path = copy / f"{mutant.case.workload}.py"
    text = path.read_text("utf-8")
    for old, new in mutant.edits:
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return msgspec.structs.replace(mutant.row, folder=copy)


def bite(mutant: Mutant) -> tuple[bool, str]:
    """Whether a mutant is caught, and by which check, in one line.

    A mutant that crashes proves nothing of the certificate, so it does not count as caught.
    """
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        row = patch(mutant, Path(folder) / "mutant")
        case = msgspec.structs.replace(mutant.case, row=row)
        tracer = parity.Tracer(case, environment.ensure(row), "cpu", 1, Path(folder))
        try:
            for check in parity.checks(tracer, float64=False):
                if not check.ok:
                    return True, f"caught: {parity.line(check)}"
        except parity.TraceFailed as error:
            return False, f"NOT CAUGHT, it does not run: {error}"
    return False, "NOT CAUGHT"


def plan(rows: list[Row], workloads: list[str], name: str | None) -> list[Mutant]:
    """All mutants, framework by framework in turn, such that the first round has each mutant once."""
    offered = [[m for workload in workloads for m in mutants(row, workload)] for row in rows]
    names = list(dict.fromkeys(mutant.name for of_row in offered for mutant in of_row))
    if name is not None and name not in names:
        raise nearest("mutant", name, names)
    by_name = {key: [m for of_row in offered for m in of_row if m.name == key] for key in names if name in (None, key)}
    turned = [of_name[i % len(of_name) :] + of_name[: i % len(of_name)] for i, of_name in enumerate(by_name.values())]
    return [mutant for column in zip_longest(*turned) for mutant in column if mutant]


def _results(planned: list[Mutant], enough: Callable[[int], bool]) -> Iterator[tuple[Mutant, bool, str]]:
    """Bite into mutants, as many at once as there are cores, until `enough` says of the next one's number."""
    queue = list(enumerate(planned))
    running: dict[Future[tuple[bool, str]], Mutant] = {}
    with threadpool_limits(1), ThreadPoolExecutor(machine.cores()) as pool:
        while queue or running:
            while queue and len(running) < machine.cores() and not enough(queue[0][0]):
                _, mutant = queue.pop(0)
                running[pool.submit(bite, mutant)] = mutant
            if not running:
                return
            try:
                finished = wait(running, return_when=FIRST_COMPLETED).done
            except KeyboardInterrupt:
                process.stop_all()
                raise
            for future in finished:
                yield running.pop(future), *future.result()


def run(
    rows: list[Row], workloads: list[str], name: str | None, minutes: float | None, report: Callable[[str], None]
) -> int:
    """Exit code 0 if every mutant that ran was caught. With `minutes`, each mutant runs on one row at least."""
    planned = plan(rows, workloads, name)
    once = len({mutant.name for mutant in planned})
    for row in rows:
        environment.ensure(row)
    start = time.monotonic()

    def enough(number: int) -> bool:
        return minutes is not None and number >= once and time.monotonic() - start > 60 * minutes

    unseen, count = [], 0
    for mutant, caught, how in _results(planned, enough):
        count += 1
        report(f"{mutant.label}: {how}")
        if not caught:
            unseen.append(mutant.label)
    report(
        f"{count - len(unseen)} of {count} mutants caught, of {len(planned)} in all."
        + (" Unseen: " + ", ".join(unseen) if unseen else "")
    )
    return int(bool(unseen))
