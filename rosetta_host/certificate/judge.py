"""Judges an example: runs the certificate's programs in its environment and compares their results with the oracle.

The checks of single steps, of the loop and of the schedule run in the mode of the timed run: on as many threads, with
the same variables, except that `{cache}` is the environment's folder, because no time is taken. The other checks do not
depend on the number of threads: initial weights, shuffling, dropout. They run on one thread, with the framework's
compile cache switched on, as many processes at once as there are cores, which takes a fraction of the time. The
predictions and the first step of both modes are compared.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Collection, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from rosetta_host.catalog.frameworks import SET_RATE, Case
from rosetta_host.certificate import behavior, protocol, steps
from rosetta_host.certificate.steps import ExampleLimits, Trace
from rosetta_host.environments import environment, faults, process
from rosetta_host.records import machine
from rosetta_host.records.store import Check

TIMEOUT = 900.0  # seconds for one traced process; the slowest takes about a minute on one core
POLL = 0.02  # seconds between two checks for a file of a traced process

# The parts of a certificate, and the words that name a part which was left out.
PARTS = {
    "scores": "what it predicts",
    "steps": "single steps",
    "loop": "a whole epoch",
    "threads": "one thread against all",
    "start": "the first weights and the shuffle",
    "float64": "the pass in float64",
    "lines": "which lines of the example run",
    "dropout": "dropout",
}
# The parts for a mutant. They leave out "lines": compilers written in Python are slow while Python traces lines.
JUDGED = (*protocol.STEPPED, "start", "dropout")
# The parts to repeat for code that has a published certificate.
SHORT = (*protocol.STEPPED, "threads", "start")
# The parts for published code on a machine's first quick run: initial weights and shuffles depend on the seed alone.
SHORTEST = protocol.STEPPED
JUDGMENT = "judgment"  # the check that fails if the others cannot be made


class TraceFailed(Exception):
    """The example could not follow the protocol; `ended` says how it ended."""

    def __init__(self, ended: process.Ended) -> None:
        super().__init__(ended.reason)
        self.ended = ended


class Cores:
    """The cores of this machine. A process takes one for each of its threads, and waits until they are free."""

    def __init__(self) -> None:
        self._all = self._free = machine.cores()
        self._changed, self._turn = threading.Condition(), threading.Lock()

    @contextlib.contextmanager
    def take(self, count: int) -> Iterator[None]:
        """Hold `count` cores, or all if there are fewer. First come, first served: a large request never starves."""
        count = min(count, self._all)
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._free >= count)
            self._free -= count
        try:
            yield
        finally:
            with self._changed:
                self._free += count
                self._changed.notify_all()


_cores = Cores()


class RunMode(msgspec.Struct, frozen=True):
    """How a process runs. timed: as in the timed run; otherwise on one thread, with a compile cache.

    dtype: "float32", or "float64", which no timed run uses.
    """

    timed: bool
    dtype: str = "float32"


AS_TIMED, ASIDE = RunMode(True), RunMode(False)


class Tracer:
    """Runs programs on one example, each in a fresh process of the implementation's environment.

    timed: whether the mode `AS_TIMED` applies; otherwise every process runs on one thread.
    """

    def __init__(self, case: Case, python: Path, device: str, folder: Path, timed: bool = True) -> None:
        self.case, self.python, self.device, self.folder, self.timed = case, python, device, folder, timed

    def threads(self, mode: RunMode) -> int:
        """The number of threads of a process in this mode."""
        return environment.threads(self.case.implementation, self.case.workload) if self.timed and mode.timed else 1

    def stated(self, mode: RunMode, folder: Path | None = None) -> dict[str, str]:
        """The environment variables of a process beside the inherited ones, as a record states them.

        folder: the environment's folder, to fill in their values; None leaves the placeholder, as in a record.
        """
        implementation, workload = self.case.implementation, self.case.workload
        variables = environment.stated(
            implementation, workload, self.threads(mode), self.device, mode.dtype, folder, tuned=self.case.tuned
        )
        cached = not (self.timed and mode.timed)
        return variables | environment.compile_cache(implementation, folder) if cached else variables

    def environ(self, mode: RunMode) -> dict[str, str]:
        """All environment variables of a process."""
        return {
            **process.inherited(),
            **self.stated(mode, environment.folder_of(self.case.implementation, self.device)),
        }

    def weights(self) -> dict[str, protocol.Arrays]:
        """The weights that the programs of a certificate import, by name."""
        workload = self.case.workload
        return protocol.imported_weights(workload, self.case.implementation.workload(workload).forms)

    @contextlib.contextmanager
    def follow(
        self,
        name: str,
        program: dict[str, Any],
        samples: protocol.Samples,
        imports: Mapping[str, protocol.Arrays] | None = None,
        mode: RunMode = ASIDE,
    ) -> Iterator[Trace]:
        """Run a program on a data set, and yield its trace, to read while it runs. Leaving the block ends the process.

        imports: the weights that the program may import, by default a certificate's. Raises TraceFailed, here or while
        the trace waits for a file, if the process fails or does not write the file.
        """
        folder, halt = self._write_inputs(name, program, samples, imports), threading.Event()
        command: list[str | Path] = [self.python, "-m", "rosetta_common", "trace"]
        command += [self.case.implementation.example(self.case.workload), "--folder", folder]
        environ = {**self.environ(mode), "ROSETTA_DATA": str(folder / "data")}

        def run() -> process.Ended:
            with _cores.take(self.threads(mode)):
                return process.run(command, environ, TIMEOUT, halt=halt)

        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(run)

            def wait(path: Path) -> None:
                while not (path.exists() or running.done()):
                    time.sleep(POLL)
                if not path.exists():
                    _require_file(path, running.result())

            try:
                yield Trace(folder, wait)
            except BaseException:
                halt.set()
                raise
            _require_file(folder / "result.json", running.result())

    def _write_inputs(
        self,
        name: str,
        program: dict[str, Any],
        samples: protocol.Samples,
        imports: Mapping[str, protocol.Arrays] | None,
    ) -> Path:
        """Write everything that a program reads, and return the folder."""
        folder = self.folder / name
        protocol.write_samples(self.case.workload, folder / "data", samples)
        (folder / "program.json").write_text(json.dumps(program), "utf-8")
        for key, arrays in (self.weights() if imports is None else imports).items():
            np.savez(folder / f"{key}.npz", allow_pickle=False, **arrays)
        return folder


def _require_file(path: Path, ended: process.Ended) -> None:
    """Raise TraceFailed if a process failed, or ended without writing this file."""
    if ended.status == "ok" and not path.exists():
        reason = f"The process ended without an error before it had left {path.name}."
        ended = msgspec.structs.replace(ended, status="failed", reason=reason)
    if ended.status != "ok":
        raise TraceFailed(ended)


def checks(
    tracer: Tracer, parts: Collection[str] = tuple(PARTS), fail_fast: bool = False
) -> Generator[Check, None, None]:
    """Every check of a certificate, the most telling failures first.

    Yields each check as soon as it is made, while the example runs on. Closing the iterator ends the example.

    parts: the keys of PARTS to check. fail_fast: as in `steps.judge_steps`.

    Weights that are missing, misshapen, torn or not finite can make a later check impossible. That is a failed check
    too, so that the certificates of other implementations go on. Raises only TraceFailed.
    """
    try:
        yield from _checks(tracer, parts, fail_fast)
    except TraceFailed:
        raise
    except Exception as error:
        yield Check(JUDGMENT, False, where=faults.where(error))


def _checks(tracer: Tracer, parts: Collection[str], fail_fast: bool) -> Iterator[Check]:
    implementation, workload = tracer.case.implementation, tracer.case.workload
    rate = {"rate"} if implementation.defines(workload, SET_RATE) else set()
    if stepped := set(protocol.STEPPED) & set(parts):
        yield from _in_steps(tracer, AS_TIMED, stepped | rate, fail_fast)
    if {"threads", "start", "lines"} & set(parts):
        yield from _start(tracer, {*parts} | rate)
    if "float64" in parts and implementation.workload(workload).float64:
        yield from _in_steps(tracer, RunMode(False, "float64"), {*protocol.STEPPED} | rate, fail_fast)
    if "dropout" in parts and (dropout := protocol.of(workload).dropout):
        yield from _dropout(tracer, dropout)


def _in_steps(tracer: Tracer, mode: RunMode, parts: Collection[str], fail_fast: bool) -> Iterator[Check]:
    workload = tracer.case.workload
    declared = tracer.case.implementation.workload(workload)
    program = protocol.steps_program(workload, mode.dtype, tracer.case.verb, parts)
    samples = protocol.certificate_samples(workload)
    with tracer.follow(f"steps-{mode.dtype}", program, samples, mode=mode) as trace:
        limits = ExampleLimits(workload, mode.dtype, declared.tolerances)
        encoded = protocol.encoded_steps(workload, mode.dtype)
        own = (trace, encoded, limits, declared.forms, declared.partial_batch)
        yield from steps.judge_steps(*own, parts, fail_fast)


def _start(tracer: Tracer, parts: Collection[str]) -> Iterator[Check]:
    implementation, workload = tracer.case.implementation, tracer.case.workload
    declared = implementation.workload(workload)
    program = protocol.start_program(workload, tracer.case.verb, parts)
    with tracer.follow("start", program, protocol.certificate_samples(workload)) as trace:
        if "threads" in parts:
            limits, encoded = ExampleLimits(workload, "float32", {}), protocol.encoded_steps(workload, "float32")
            yield from steps.judge_thread(trace, encoded, limits, declared.forms)
        if "start" in parts:
            yield from behavior.judge_start(trace, implementation, workload)
            probe = protocol.probe_samples(workload).encoded(workload, "float32")
            yield from behavior.judge_shuffle(trace, workload, probe, declared.partial_batch)


def _dropout(tracer: Tracer, dropout: protocol.Dropout) -> Iterator[Check]:
    workload = tracer.case.workload
    declared = tracer.case.implementation.workload(workload)
    start = steps.at_start(workload, protocol.encoded_steps(workload, "float32"), declared.forms)
    program = protocol.dropout_program(workload, tracer.case.verb, dropout)
    with tracer.follow("dropout", program, protocol.certificate_samples(workload)) as trace:
        yield from dropout.judge(trace, start.scores, ExampleLimits(workload, "float32", declared.tolerances))
