"""Paired timing: the unchanged example and its mutants, each in one long process, take alternate turns.

Each process imports, builds and compiles once, and then trains only on request. So a turn is short, its pair follows
within seconds, and other load of the machine affects all alike.
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
from rosetta_host.environments import process

PAIRS, WARM = 5, 2  # measured turns, and warm-up turns before them, in which everything compiles
BATCHES = 4  # of an epoch; the embedded sample has twenty
TURN = 0.75  # minimum seconds of a turn, which has as many epochs as that takes
SETTLE = 0.25  # seconds between two turns: some thread pools spin for a fifth of a second after their last work
TIMEOUT = 1800.0  # seconds for one process, waiting included
EPOCHS = 10**6  # more than there are turns: training ends when the host says so


class WorkerLost(Exception):
    """A process ended before its turns were over."""


class Timed(msgspec.Struct):
    """How the process of one job ended, and its seconds a step in each measured turn."""

    ended: process.Ended
    seconds: list[float]


class Worker:
    """A process that trains for one epoch for each line on its standard input, and sleeps otherwise.

    batches: of an epoch. timeout: seconds for the process, waiting included.
    """

    def __init__(
        self,
        job: Job,
        python: Path,
        folder: Path,
        pool: ThreadPoolExecutor,
        batches: int = BATCHES,
        timeout: float = TIMEOUT,
    ) -> None:
        folder.mkdir()
        self.batches = batches
        samples = str(batches * job.settings.batch_size)
        arguments = command(job, python, folder, "--samples", samples, "--epochs", str(EPOCHS), "--turns")
        self.seconds: list[float] = []  # a step, turn by turn
        self._events: queue.SimpleQueue[process.Event | None] = queue.SimpleQueue()
        read, write = os.pipe()
        self._lines = os.fdopen(write, "w", buffering=1)
        self._ended: Future[process.Ended] = pool.submit(
            process.run, arguments, job.environ(folder), timeout, self._events.put, stdin=read
        )

        def over(_: Future[process.Ended]) -> None:
            os.close(read)
            self._events.put(None)

        self._ended.add_done_callback(over)

    def _await(self, name: str) -> process.Event:
        while event := self._events.get():
            if event["event"] == name:
                return event
        raise WorkerLost

    def ready(self) -> None:
        """Wait until the process has built its model and is ready to train. Raises WorkerLost."""
        self._await("epoch")

    @property
    def is_running(self) -> bool:
        return not self._ended.done()

    def train(self, epochs: int = 1) -> float:
        """Train for so many epochs, and return the seconds of all. Raises WorkerLost."""
        seconds = 0.0
        for _ in range(epochs):
            with contextlib.suppress(BrokenPipeError):  # the process has ended; the next line raises
                self._lines.write("\n")
            seconds += self._await("trained")["seconds"]
        time.sleep(SETTLE)
        return seconds

    def turn(self, epochs: int = 1) -> None:
        """Train for so many epochs, and keep the seconds of a step. Raises WorkerLost."""
        self.seconds.append(self.train(epochs) / (epochs * self.batches))

    def epochs(self, step: float) -> int:
        """How many epochs take at least `TURN` seconds, if a step takes so many."""
        return max(1, math.ceil(TURN / (self.batches * step)))

    def close(self) -> None:
        """End the turns: the process writes its facts and exits."""
        with contextlib.suppress(BrokenPipeError):
            self._lines.close()

    def end(self) -> Timed:
        """Close the process and wait for its end."""
        self.close()
        return Timed(self._ended.result(), self.seconds[WARM:])


@contextlib.contextmanager
def _started(jobs: Sequence[Job], python: Path, folder: Path) -> Iterator[list[Worker]]:
    """A process for each job, none of which outlives the block."""
    with ThreadPoolExecutor(len(jobs)) as pool, contextlib.ExitStack() as stack:
        try:
            workers = []
            for number, job in enumerate(jobs):
                workers.append(Worker(job, python, folder / str(number), pool))
                stack.callback(workers[-1].close)
            yield workers
        except KeyboardInterrupt:
            process.stop_all()
            raise


def _each(workers: list[Worker], call: Callable[[Worker], None]) -> list[Worker]:
    """Call each worker in order, and return those that are still running."""
    living = []
    for worker in workers:
        with contextlib.suppress(WorkerLost):
            call(worker)
            living.append(worker)
    return living


def interleaved(jobs: Sequence[Job], python: Path, folder: Path) -> list[Timed]:
    """Seconds a step of each job, in `PAIRS` turns each. The order reverses from round to round.

    The processes write their facts to folder/0, folder/1 … If one fails, the others go on, except that all end with the
    first, which they are compared with. Raises KeyboardInterrupt after all have ended.
    """
    with _started(jobs, python, folder) as workers:
        first, epochs = workers[0], 1
        living = _each(workers, Worker.ready)
        while first in living and len(first.seconds) < WARM + PAIRS:
            if len(first.seconds) == WARM:
                epochs = first.epochs(first.seconds[-1])
            living = _each(living[::-1], methodcaller("turn", epochs))
        return [worker.end() for worker in workers]
