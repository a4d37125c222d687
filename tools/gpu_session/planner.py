"""Which measurement is next: the order of the tasks, the time that each may take, and what a stopped one leaves.

Nothing here knows what a task does, or which clock runs, so that a test can rehearse a session in no time.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

GRACE = 10.0  # seconds that a task has to write its record between SIGTERM and SIGKILL
CLOSING = 5.0  # seconds at the end for the last archive
PATIENCE = 3.0  # times its estimate: what takes longer may hang, and costs the tasks behind it
POLL = 0.2  # seconds between two looks at the running tasks


@dataclasses.dataclass(frozen=True)
class Task:
    """One measurement.

    value: what its record is worth, beside those of the others. seconds: the estimate of its duration. shares: whether
    others may run beside it, because it times nothing. needs: the key of the task without whose success it is of no
    worth.
    """

    key: str
    value: float
    seconds: float
    shares: bool = False
    needs: str | None = None


class Running(Protocol):
    """A task that was started. `poll` says whether it has ended; `stop` asks it to; `kill` leaves no process of it."""

    def poll(self) -> bool: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


class Clock(Protocol):
    """Seconds since any fixed moment."""

    def now(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


@dataclasses.dataclass
class _Started:
    task: Task
    running: Running
    since: float
    until: float
    stopped: bool = False


def order(tasks: Sequence[Task], slots: int) -> list[Task]:
    """The tasks by value per second of the machine, the highest first.

    slots: how many tasks that share run at once; each costs its share of the machine.
    """
    sharing = max(1, min(slots, sum(task.shares for task in tasks)))

    def rate(task: Task) -> float:
        return task.value / (task.seconds / sharing if task.shares else task.seconds)

    return sorted(tasks, key=rate, reverse=True)


class Given:
    """The seconds that a stopped task was given in vain, kept in a file for the next session."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seconds: dict[str, float] = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def estimate(self, task: Task) -> Task:
        """The task, with twice what it was given as its estimate if that is longer."""
        return dataclasses.replace(task, seconds=max(task.seconds, 2 * self.seconds.get(task.key, 0.0)))

    def add(self, key: str, seconds: float) -> None:
        """Keep it, whole or not at all."""
        self.seconds[key] = seconds
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.seconds, indent=1), "utf-8")
        os.replace(part, self.path)


class Session:
    """Runs tasks until none is left that ends in time.

    statuses: asks the records for the status of every task that has one. start: starts a
    task. keep: called with no argument after each end, to archive the records. deadline: of the clock; no process of
    the session is left at that moment.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        statuses: Callable[[], Mapping[str, str]],
        start: Callable[[Task], Running],
        keep: Callable[[], object],
        clock: Clock,
        deadline: float,
        slots: int,
        given: Given,
        report: Callable[[str], None],
    ) -> None:
        self.clock, self.deadline, self.slots, self.given = clock, deadline, slots, given
        self.statuses, self.start, self.keep, self.report = statuses, start, keep, report
        self.known = dict(statuses())
        self.waiting = order([given.estimate(task) for task in tasks if task.key not in self.known], slots)
        self.running: list[_Started] = []

    def run(self) -> None:
        """Run the tasks. A failure of one is its record's matter; Ctrl-C stops those that run and keeps all records."""
        self.keep()
        try:
            while True:
                self._collect()
                if task := self._next():
                    self._begin(task)
                elif self.running:
                    self.clock.sleep(POLL)
                else:
                    break
        finally:
            for started in self.running:
                started.running.kill()
            self.keep()
        for task in self.waiting:
            self.report(f"{task.key}: left for the next session, {self._reason(task)}")

    def _left(self) -> float:
        """Seconds that a task can still have."""
        return self.deadline - CLOSING - GRACE - self.clock.now()

    def _begin(self, task: Task) -> None:
        self.waiting.remove(task)
        now = self.clock.now()
        self.report(f"{task.key}: started; about {task.seconds:.0f} s")
        self.running.append(_Started(task, self.start(task), now, now + PATIENCE * task.seconds))

    def _collect(self) -> None:
        """Stop the tasks whose time is over, and take the results of those that ended."""
        for started in list(self.running):
            now = self.clock.now()
            if started.running.poll() or (started.stopped and now >= started.until):
                self._end(started)
            elif not started.stopped and (self._left() <= 0 or (now >= started.until and self._others_fit())):
                self.given.add(started.task.key, now - started.since)
                started.stopped, started.until = True, now + GRACE
                started.running.stop()

    def _end(self, started: _Started) -> None:
        """Leave nothing of a task that has ended or must, and take its records."""
        seconds = self.clock.now() - started.since
        started.running.kill()
        self.running.remove(started)
        self.known = dict(self.statuses())
        self.keep()
        status = "stopped" if started.stopped else self.known.get(started.task.key, "ended without a record")
        self.report(f"{started.task.key}: {status} after {seconds:.0f} s")

    def _others_fit(self) -> bool:
        """Whether a task waits that would end in time; if none does, one that is late may as well go on."""
        return any(self._fits(task) for task in self.waiting)

    def _fits(self, task: Task) -> bool:
        return task.seconds <= self._left() and (task.needs is None or self.known.get(task.needs) == "ok")

    def _next(self) -> Task | None:
        """The task to start now, or None where one must wait, or nothing fits.

        While a task that runs alone waits for those that run, others that end before them may begin.
        """
        now, beside = self.clock.now(), [started.task for started in self.running]
        free = len(beside) < self.slots and all(task.shares for task in beside)
        last = max((started.since + started.task.seconds for started in self.running), default=now)
        delays = False
        for task in filter(self._fits, self.waiting):
            if not beside or (free and task.shares and (not delays or now + task.seconds <= last)):
                return task
            delays = delays or not task.shares
        return None

    def _reason(self, task: Task) -> str:
        if task.needs and self.known.get(task.needs) != "ok":
            return f"for {task.needs} has not succeeded."
        return f"for it takes about {task.seconds:.0f} s."
