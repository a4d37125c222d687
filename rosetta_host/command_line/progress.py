"""What the commands print: lines, live progress, and what the host's modules log."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rosetta_host.benchmark import runs

SILENCE = 30.0  # seconds between two lines of progress where the output is no terminal

console = Console(highlight=False, soft_wrap=True)


def say(line: str) -> None:
    console.print(line, markup=False)


def time_left(seconds: float | None) -> str:
    """The end of a line of progress; nothing where nothing is left, or where that is not known yet."""
    return f" · {timedelta(seconds=round(seconds))} left" if seconds else ""


class LogLines(logging.Handler):
    """What the host's modules log, as lines among the others."""

    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))


class Screen:
    """Live progress: one line that follows the run on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int) -> None:
        self.total, self.number, self.printed = total, 0, 0.0
        self.rates: runs.Rates | None = None
        self.live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None

    def __enter__(self) -> Screen:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def begin(self, job: runs.Job) -> None:
        self.number += 1
        self.rates = runs.Rates(job)
        self._show(force=True)

    def event(self, job: runs.Job, event: dict[str, object]) -> None:
        if self.rates:
            self.rates.take(event)
        self._show(force=event["event"] == "trained")

    def _show(self, force: bool) -> None:
        line = f"[{self.number}/{self.total}] {self.rates}{time_left(self.rates.left() if self.rates else None)}"
        if self.live:
            self.live.update(Text(line))
        elif force or time.monotonic() - self.printed > SILENCE:
            self.printed = time.monotonic()
            say(line)
