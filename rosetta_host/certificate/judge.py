"""Judges an example: runs the certificate's programs in its environment and holds what they leave against the oracle.

The checks of single steps, of the loop and of the schedule run as the timed run does: on as many threads, with the same
variables and without a cache of what was compiled. The others run on one thread with that cache, as many at once as
there are cores: on all threads, one after the other, they would take several times as long, and how an example starts,
shuffles and drops units out is no matter of threads. What both give of one step and of the predictions is compared.
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
from rosetta_host.certificate.steps import Limits, Trace
from rosetta_host.environments import environment, faults, process
from rosetta_host.records import machine
from rosetta_host.records.store import Check

TIMEOUT = 900.0  # seconds for one traced process; the slowest takes about a minute on one core
POLL = 0.02  # seconds between two looks for what a traced process leaves

# The parts of a certificate, in words for the one who reads what was left out.
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
# A deliberate error is judged so: what compiles in Python takes longer while Python tells of its lines.
JUDGED = (*protocol.STEPPED, "start", "dropout")
# Of what has a published certificate the tests repeat this much.
SHORT = (*protocol.STEPPED, "threads", "start")
# And a machine that has none of its own yet, before a first look: the seed draws and shuffles the same on every one.
SHORTEST = protocol.STEPPED
JUDGMENT = "judgment"  # the check that fails where the others cannot be made


class TraceFailed(Exception):
    """The example could not follow the protocol; `ended` says how it ended."""

    def __init__(self, ended: process.Ended) -> None:
        super().__init__(ended.reason)
        self.ended = ended


class Cores:
    """The cores of this machine: a process takes as many as it has threads, and waits until they are free."""

    def __init__(self) -> None:
        self._all = self._free = machine.cores()
        self._changed, self._turn = threading.Condition(), threading.Lock()

    @contextlib.contextmanager
    def take(self, count: int) -> Iterator[None]:
        """Hold so many cores, or all where there are fewer. First come, first served, so that no large wish starves."""
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


class Way(msgspec.Struct, frozen=True):
    """How a process runs. timed: as the timed run does; otherwise on one thread, and with a cache of what it compiles.

    A wider dtype than float32 is none that is timed.
    """

    timed: bool
    dtype: str = "float32"


AS_TIMED, ASIDE = Way(True), Way(False)


class Tracer:
    """Runs programs on one example, each in a fresh process of the row's environment.

    timed: whether a process that is to run as the timed run does may; otherwise all run on one thread.
    """

    def __init__(self, case: Case, python: Path, device: str, folder: Path, timed: bool = True) -> None:
        self.case, self.python, self.device, self.folder, self.timed = case, python, device, folder, timed

    def threads(self, way: Way) -> int:
        """The threads of a process that runs in this way."""
        return environment.threads(self.case.row, self.case.workload) if self.timed and way.timed else 1

    def stated(self, way: Way, folder: Path | None = None) -> dict[str, str]:
        """The environment variables that a process gets beside the system's own, as a record states them.

        folder: what stands for the environment's in their values, where that is not to be left open.
        """
        row, workload = self.case.row, self.case.workload
        made = environment.stated(row, workload, self.threads(way), self.device, way.dtype, folder)
        cached = not (self.timed and way.timed)
        return made | environment.compile_cache(row, folder) if cached else made

    def environ(self, way: Way) -> dict[str, str]:
        """All environment variables of a process."""
        return {**process.inherited(), **self.stated(way, environment.place(self.case.row, self.device))}

    def weights(self) -> dict[str, protocol.Arrays]:
        """What the programs of a certificate import, by name."""
        workload = self.case.workload
        return protocol.given_weights(workload, self.case.row.workload(workload).forms)

    @contextlib.contextmanager
    def follow(
        self,
        name: str,
        program: dict[str, Any],
        samples: protocol.Samples,
        given: Mapping[str, protocol.Arrays] | None = None,
        way: Way = ASIDE,
    ) -> Iterator[Trace]:
        """The trace of a program on a data set, to be read while it runs; to leave the block early ends its process.

        given: weights that it may import, by default a certificate's. Raises TraceFailed, here or where a file is
        waited for, where the process does not end well or leaves less than it should.
        """
        folder, halt = self._laid_out(name, program, samples, given), threading.Event()
        command: list[str | Path] = [self.python, "-m", "rosetta_common", "trace"]
        command += [self.case.row.example(self.case.workload), "--folder", folder]
        environ = {**self.environ(way), "ROSETTA_DATA": str(folder / "data")}

        def run() -> process.Ended:
            with _cores.take(self.threads(way)):
                return process.run(command, environ, TIMEOUT, halt=halt)

        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(run)

            def wait(path: Path) -> None:
                while not (path.exists() or running.done()):
                    time.sleep(POLL)
                if not path.exists():
                    _must_have_left(path, running.result())

            try:
                yield Trace(folder, wait)
            except BaseException:
                halt.set()
                raise
            _must_have_left(folder / "result.json", running.result())

    def _laid_out(
        self,
        name: str,
        program: dict[str, Any],
        samples: protocol.Samples,
        given: Mapping[str, protocol.Arrays] | None,
    ) -> Path:
        """A folder with all that a program needs."""
        folder = self.folder / name
        protocol.write_samples(self.case.workload, folder / "data", samples)
        (folder / "program.json").write_text(json.dumps(program), "utf-8")
        for key, arrays in (self.weights() if given is None else given).items():
            np.savez(folder / f"{key}.npz", allow_pickle=False, **arrays)
        return folder


def _must_have_left(path: Path, ended: process.Ended) -> None:
    """Raise TraceFailed where a process did not end well, or ended before it had left this file."""
    if ended.status == "ok" and not path.exists():
        reason = f"The process ended without an error before it had left {path.name}."
        ended = msgspec.structs.replace(ended, status="failed", reason=reason)
    if ended.status != "ok":
        raise TraceFailed(ended)


def checks(tracer: Tracer, parts: Collection[str] = tuple(PARTS), hasty: bool = False) -> Generator[Check, None, None]:
    """Every check of a certificate, in the order in which a reader wants to know of a failure.

    Each comes as soon as it is known, while the example goes on; to close the iterator ends the example.

    parts: of PARTS, what belongs to it. hasty: as `certificate.judge_steps` takes it.

    Weights that are missing, misshapen, torn or not finite may leave a later check without an answer: that is a failed
    check too, and no reason to end the other rows' certificates. Raises TraceFailed alone.
    """
    try:
        yield from _checks(tracer, parts, hasty)
    except TraceFailed:
        raise
    except Exception as error:
        yield Check(JUDGMENT, False, where=faults.where(error))


def _checks(tracer: Tracer, parts: Collection[str], hasty: bool) -> Iterator[Check]:
    row, workload = tracer.case.row, tracer.case.workload
    rate = {"rate"} if row.defines(workload, SET_RATE) else set()
    if stepped := set(protocol.STEPPED) & set(parts):
        yield from _in_steps(tracer, AS_TIMED, stepped | rate, hasty)
    if {"threads", "start", "lines"} & set(parts):
        yield from _start(tracer, {*parts} | rate)
    if "float64" in parts and row.workload(workload).float64:
        yield from _in_steps(tracer, Way(False, "float64"), {*protocol.STEPPED} | rate, hasty)
    if "dropout" in parts and (dropout := protocol.of(workload).dropout):
        yield from _dropout(tracer, dropout)


def _in_steps(tracer: Tracer, way: Way, parts: Collection[str], hasty: bool) -> Iterator[Check]:
    workload = tracer.case.workload
    declared = tracer.case.row.workload(workload)
    program = protocol.steps_program(workload, way.dtype, tracer.case.verb, parts)
    samples = protocol.certificate_samples(workload)
    with tracer.follow(f"steps-{way.dtype}", program, samples, way=way) as trace:
        limits = Limits(workload, way.dtype, declared.tolerances)
        encoded = protocol.encoded_steps(workload, way.dtype)
        own = (trace, encoded, limits, declared.forms, declared.partial_batch)
        yield from steps.judge_steps(*own, parts, hasty)


def _start(tracer: Tracer, parts: Collection[str]) -> Iterator[Check]:
    row, workload = tracer.case.row, tracer.case.workload
    declared = row.workload(workload)
    program = protocol.start_program(workload, tracer.case.verb, parts)
    with tracer.follow("start", program, protocol.certificate_samples(workload)) as trace:
        if "threads" in parts:
            limits, encoded = Limits(workload, "float32", {}), protocol.encoded_steps(workload, "float32")
            yield from steps.judge_thread(trace, encoded, limits, declared.forms)
        if "start" in parts:
            yield from behavior.judge_start(trace, row, workload)
            probe = protocol.probe_samples(workload).encoded(workload, "float32")
            yield from behavior.judge_shuffle(trace, workload, probe, declared.partial_batch)


def _dropout(tracer: Tracer, dropout: protocol.Dropout) -> Iterator[Check]:
    workload = tracer.case.workload
    declared = tracer.case.row.workload(workload)
    start = steps.at_start(workload, protocol.encoded_steps(workload, "float32"), declared.forms)
    program = protocol.dropout_program(workload, tracer.case.verb, dropout)
    with tracer.follow("dropout", program, protocol.certificate_samples(workload)) as trace:
        yield from dropout.judge(trace, start.scores, Limits(workload, "float32", declared.tolerances))
