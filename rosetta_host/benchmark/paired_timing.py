"""Paired times: an example as it is and with its mutants, each in one long process, strictly by turns.

Each process imports, builds and compiles once, and then trains only when it is told to. So a turn is short, its pair
lies seconds away, and what the machine does beside falls on all alike.
"""

from __future__ import annotations

import contextlib
import math
import os
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from operator import methodcaller
from pathlib import Path

import msgspec

from rosetta_host.benchmark.runs import Job, command
from rosetta_host.environments import environment, process

PAIRS, WARM = 5, 2  # turns that are measured, and turns before them: what is compiled is compiled in the first
BATCHES = 4  # of an epoch; the embedded sample has twenty
TURN = 0.75  # seconds that a turn lasts at least: as many epochs as that takes
SETTLE = 0.25  # seconds between two turns: some thread pools spin for a fifth of a second after their last work
TIMEOUT = 1800.0  # seconds for one process, waiting included
EPOCHS = 10**6  # more than there are turns: training ends when the host says so


class Lost(Exception):
    """A process ended before its turns were over."""


class Timed(msgspec.Struct):
    """How the process of one job ended, and its seconds a step in each turn that was measured."""

    ended: process.Ended
    seconds: list[float]


class Runner:
    """A process that trains for an epoch for each line that it is sent, and sleeps otherwise."""

    def __init__(self, job: Job, python: Path, folder: Path, pool: ThreadPoolExecutor) -> None:
        folder.mkdir()
        samples = str(BATCHES * job.settings.batch_size)
        called = command(job, python, folder, "--samples", samples, "--epochs", str(EPOCHS), "--turns")
        environ = environment.variables(job.row, job.workload, job.threads, job.device)
        environ["ROSETTA_DATA"] = str(job.data)
        self.seconds: list[float] = []  # a step, turn by turn
        self._events: queue.SimpleQueue[process.Event | None] = queue.SimpleQueue()
        read, write = os.pipe()
        self._lines = os.fdopen(write, "w", buffering=1)
        self._ended: Future[process.Ended] = pool.submit(
            process.run, called, environ, TIMEOUT, self._events.put, stdin=read
        )

        def over(_: Future[process.Ended]) -> None:
            os.close(read)
            self._events.put(None)

        self._ended.add_done_callback(over)

    def _await(self, name: str) -> process.Event:
        while event := self._events.get():
            if event["event"] == name:
                return event
        raise Lost

    def ready(self) -> None:
        """Wait until it has imported and built all, and asks for its first turn. Raises Lost."""
        self._await("epoch")

    def turn(self, epochs: int = 1) -> None:
        """Have it train for so many epochs. Raises Lost."""
        seconds = 0.0
        for _ in range(epochs):
            with contextlib.suppress(BrokenPipeError):  # it is gone, as the next line finds
                self._lines.write("\n")
            seconds += self._await("trained")["seconds"]
        self.seconds.append(seconds / (epochs * BATCHES))
        time.sleep(SETTLE)

    def close(self) -> None:
        """Tell it that there is no other turn: it writes its facts and ends."""
        with contextlib.suppress(BrokenPipeError):
            self._lines.close()

    def end(self) -> Timed:
        """Close it and wait for its end."""
        self.close()
        return Timed(self._ended.result(), self.seconds[WARM:])


@contextlib.contextmanager
def _started(jobs: Sequence[Job], python: Path, folder: Path) -> Iterator[list[Runner]]:
    """A process for each job, none of which outlives the block."""
    with ThreadPoolExecutor(len(jobs)) as pool, contextlib.ExitStack() as stack:
        try:
            runners = []
            for number, job in enumerate(jobs):
                runners.append(Runner(job, python, folder / str(number), pool))
                stack.callback(runners[-1].close)
            yield runners
        except KeyboardInterrupt:
            process.stop_all()
            raise


def _each(runners: list[Runner], call: Callable[[Runner], None]) -> list[Runner]:
    """Call each in its turn; those that are still there."""
    left = []
    for runner in runners:
        with contextlib.suppress(Lost):
            call(runner)
            left.append(runner)
    return left


def by_turns(jobs: Sequence[Job], python: Path, folder: Path) -> list[Timed]:
    """Seconds a step of each job, in `PAIRS` turns each; the order is turned from round to round.

    The processes leave their facts in folder/0, folder/1 … One that fails leaves the round and the others go on,
    but for the first, which all are compared with. Raises KeyboardInterrupt when all are ended.
    """
    with _started(jobs, python, folder) as runners:
        first, epochs = runners[0], 1
        living = _each(runners, Runner.ready)
        while first in living and len(first.seconds) < WARM + PAIRS:
            if len(first.seconds) == WARM:
                epochs = max(1, math.ceil(TURN / (BATCHES * first.seconds[-1])))
            living = _each(living[::-1], methodcaller("turn", epochs))
        return [runner.end() for runner in runners]
