"""Runs the standalone scripts as a reader would: each alone in an empty folder, in its locked environment."""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from rosetta_common.run import settings_of
from rosetta_host.catalog.frameworks import Implementation, UserError
from rosetta_host.certificate import certify, protocol
from rosetta_host.environments import environment, process
from rosetta_host.publishing import standalone
from rosetta_host.records.store import Status

TIMEOUT = 600.0  # seconds for one script
# A data set so small that an epoch takes a moment: a full batch and a rest to train on, fewer than a batch to predict.
TRAINED, PREDICTED = protocol.BATCH + 2, 10
TRAP = "raise ImportError('a script that runs alone imports nothing of this project')\n"
EPOCH = re.compile(r"^epoch (\d+): loss (\d+\.\d+)$", re.MULTILINE)
ACCURACY = re.compile(r"^accuracy: ([01]\.\d+)$", re.MULTILINE)


class ScriptRun(msgspec.Struct):
    """How one script ran: status as in a record, one sentence of reason unless ok, wall-clock seconds."""

    implementation: Implementation
    workload: str
    status: Status
    reason: str | None
    seconds: float

    def __str__(self) -> str:
        how = "runs alone" if self.status == "ok" else f"{self.status}: {self.reason}"
        return f"{self.implementation.id} {self.workload}: {how} ({self.seconds:.0f} s)"


def write_data(workload: str, folder: Path) -> None:
    """A few of the embedded samples, laid out as the official download is."""
    whole = protocol.sample(workload)
    x_train, y_train = whole.x_train[:TRAINED], whole.y_train[:TRAINED]
    few = protocol.Samples(x_train, whole.x_test[:PREDICTED], y_train, whole.y_test[:PREDICTED])
    protocol.write_samples(workload, folder, few)


def set_trap(folder: Path) -> None:
    """Shadow this project's packages, which the environment can import, with modules that fail on import."""
    folder.mkdir()
    for package in standalone.PACKAGES:
        (folder / f"{package}.py").write_text(TRAP, "utf-8")


def run(
    implementation: Implementation,
    implementations: list[Implementation],
    workload: str,
    shared: Path,
    device: str = "cpu",
) -> ScriptRun:
    """Write the script into an empty folder and run it there, with the data and the trap that `shared` holds."""
    start = time.monotonic()
    try:
        status, reason = _run(implementation, implementations, workload, shared, device)
    except UserError as error:
        unsupported = isinstance(error, environment.Unsupported)
        status, reason = "unsupported" if unsupported else "failed", str(error)
    return ScriptRun(implementation, workload, status, reason, time.monotonic() - start)


def _run(
    implementation: Implementation, implementations: list[Implementation], workload: str, shared: Path, device: str
) -> tuple[Status, str | None]:
    text = standalone.script(implementations, workload).text
    python = environment.ensure(implementation, device)
    environ = environment.variables(implementation, workload, 1, device)
    environ |= environment.compile_cache(implementation, environment.folder_of(implementation, device))
    environ |= {"PYTHONPATH": str(shared / "trap"), "ROSETTA_DATA": str(shared / workload)}
    with tempfile.TemporaryDirectory(prefix="rosetta-alone-") as name:
        folder = Path(name)
        for package in standalone.PACKAGES:
            importing: list[str | Path] = [python, "-c", f"import {package}"]
            if subprocess.run(importing, cwd=folder, env=environ, capture_output=True, check=False).returncode == 0:
                return "failed", f"It proves nothing: {package} can be imported there."
        script = folder / f"{workload}.py"
        script.write_text(text, "utf-8")
        ended = process.run([python, script.name], environ, TIMEOUT, folder=folder, events=False)
        leftovers = sorted(path.name for path in folder.iterdir() if path != script)
    if ended.status != "ok":
        return ended.status, ended.reason
    problem = _missing(ended.log, workload) or (f"It left files behind: {', '.join(leftovers)}." if leftovers else None)
    return ("failed" if problem else "ok"), problem


def _missing(log: str, workload: str) -> str | None:
    """The output that a script lacks, in one sentence."""
    epochs = settings_of(workload).epochs
    printed = [int(number) for number, _ in EPOCH.findall(log)]
    if printed != [*range(1, epochs + 1)]:
        return f"It printed the losses of {len(printed)} epochs, not those of {epochs}."
    accuracies = [float(text) for text in ACCURACY.findall(log)]
    if len(accuracies) != 1 or not 0 <= accuracies[0] <= 1:
        return "It printed no accuracy."
    return None


def run_all(
    implementations: list[Implementation],
    all_implementations: list[Implementation],
    workloads: list[str],
    device: str,
    report: Callable[[str], None],
) -> Iterator[ScriptRun]:
    """Run every script of these implementations, as many at once as there are cores.

    all_implementations: because a script serves several.
    """
    certify.ensure_all(implementations, device)
    with tempfile.TemporaryDirectory(prefix="rosetta-alone-") as name:
        shared = Path(name)
        set_trap(shared / "trap")
        for workload in workloads:
            write_data(workload, shared / workload)
        jobs = [
            (implementation, workload)
            for implementation in implementations
            for workload in implementation.workloads
            if workload in workloads
        ]
        calls = []
        for implementation, workload in environment.apart(jobs, lambda job: job[0]):
            mates = [other for other in all_implementations if other.folder == implementation.folder]
            calls.append(functools.partial(run, implementation, mates, workload, shared, device))
        for script_run in certify.side_by_side(calls):
            report(str(script_run))
            yield script_run
