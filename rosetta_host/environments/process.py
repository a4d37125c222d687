"""One run of an example in a process of its own: bounded in time, ended with all its children.

A guard stands between the host and the process: see `guard`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from rosetta_host.catalog.frameworks import ROOT
from rosetta_host.environments import cgroup, guard
from rosetta_host.records.store import Status

LOG_LINES, LOG_CHARACTERS = 40, 1000  # of a log that are kept, and of each of its lines
LOG_TAIL = 2**20  # bytes of a log that are read for what ended the process
MOST_OUTPUT = 2**30  # bytes that a process may print: more fills the disk
LONGEST_EVENT = 2**16  # bytes of a line
POLL = 0.05  # seconds between two looks at a process
INTERRUPTED = "It was interrupted."
GRACE = 2 * guard.GRACE + 1  # seconds that a guard has to end all; then it is ended as well
FRAME = re.compile(r'\s*File "(?!<\w+>")([^"]+)", line (\d+)')  # of a file: no <string> or <stdin>
INSTALLED = "/lib/python"  # in the path of a standard or an installed module
# The line on which Python or C++ names the exception that ended the process, or the runner a fault of the example.
EXCEPTION = re.compile(
    r"(?:[A-Za-z_]\w*\.)*(?P<type>[A-Za-z_]\w*(?:Error|Exception|Interrupt)|error)(?::|$)"
    r"|terminate called after throwing an instance of "
)
# How an allocator names what it lacks: as a type of exception, or in the message.
MEMORY_TYPE = re.compile(r"MemoryError$|OutOfMemory|ResourceExhausted")
MEMORY_WORDS = re.compile(
    r"std::bad_alloc|RESOURCE_EXHAUSTED|CUDA out of memory|cudaMalloc\b.*out of memory|CUDA_ERROR_OUT_OF_MEMORY"
    r"|cudaErrorMemoryAllocation|[Cc]an(?:'t|not) allocate memory"
)

# What moves a terminal's cursor, colors its text, or cannot be shown at all.
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

Event = dict[str, Any]
# The fields that a reader of these events relies on.
FIELDS: dict[str, dict[str, type]] = {
    "stage": {"name": str},
    "epoch": {"epoch": int, "samples": int},
    "progress": {"samples": int},
    "trained": {"seconds": float, "loss": float, "samples": int},
    "ended": {"peak_resident": int},
}

_running: set[subprocess.Popen[bytes]] = set()
_stopping = threading.Event()


class Ended(msgspec.Struct):
    """How a process ended: status as in a record, one sentence of reason unless ok, the tail of its log.

    peak_resident: bytes, the largest resident set that it or one of its descendants had; None where it never started.
    """

    status: Status
    reason: str | None
    log: str
    seconds: float
    peak_resident: int | None = None


class _Stopped(Exception):
    """The host ended a process before its own end."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.outcome = status, reason


def guarded(command: Sequence[str | Path], report: int | None = None) -> list[str | Path]:
    """The command under a guard: it ends with this process, and so does everything that it starts.

    report: the descriptor on which the guard writes the event "ended".
    """
    number = "-" if report is None else str(report)
    return [sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), number, *command]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a guard and all that it watches."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with contextlib.suppress(ProcessLookupError):  # of a guard that was killed itself, its group may be left
        os.killpg(process.pid, signal.SIGKILL)


def stop_all() -> None:
    """End every running process; each comes back as interrupted. For Ctrl-C while threads wait for them."""
    _stopping.set()
    for process in list(_running):
        _end(process)


class _Listener(threading.Thread):
    """Passes a process's events on, and keeps what the guard reports at its end."""

    def __init__(self, descriptor: int, on_event: Callable[[Event], None]) -> None:
        super().__init__(daemon=True)
        self.descriptor, self.on_event = descriptor, on_event
        self.peak_resident: int | None = None

    def run(self) -> None:
        with os.fdopen(self.descriptor, "rb") as lines:
            while line := lines.readline(LONGEST_EVENT):
                event = _event(line)
                if event and event["event"] == "ended":
                    self.peak_resident = event["peak_resident"]
                elif event:
                    self.on_event(event)


def _event(line: bytes) -> Event | None:
    """The event that a line holds; None for anything else that a process may write there."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        return None
    fields = FIELDS.get(event["event"], {})
    return event if all(isinstance(event.get(name), kind) for name, kind in fields.items()) else None


def _wait(process: subprocess.Popen[bytes], log: BinaryIO, timeout: float, halt: threading.Event | None) -> int:
    """Its exit code. Raises _Stopped where it is halted before, prints too much, or `timeout` seconds are over."""
    deadline = time.monotonic() + timeout
    while (code := process.poll()) is None:
        if time.monotonic() > deadline:
            raise _Stopped("timeout", f"It was stopped after {timeout:.0f} seconds.")
        if halt is not None and halt.is_set():
            raise _Stopped("interrupted", INTERRUPTED)
        if os.fstat(log.fileno()).st_size > MOST_OUTPUT:
            raise _Stopped("failed", f"It was stopped because it printed more than {MOST_OUTPUT / 1e6:.0f} MB.")
        time.sleep(POLL)
    if _stopping.is_set():
        raise _Stopped("interrupted", INTERRUPTED)
    return code


def _printed(log: BinaryIO) -> str:
    """The end of what a process printed, fit for a record: without control characters and this machine's paths."""
    log.seek(max(0, os.fstat(log.fileno()).st_size - LOG_TAIL))
    lines = CONTROL.sub("", without_local_paths(log.read().decode("utf-8", "replace"))).splitlines()
    return "\n".join(line if len(line) <= LOG_CHARACTERS else line[:LOG_CHARACTERS] + " …" for line in lines)


def _judge(code: int, log: str, oom_killed: bool, peak: int | None) -> tuple[Status, str | None]:
    """The status and reason of a process that ended by itself; `oom` needs the kernel's word or the allocator's.

    oom_killed: the kernel killed processes of this control group for want of memory while it ran. peak: the largest
    resident set, bytes.
    """
    if code == 0:
        return "ok", None
    lines = [line for line in log.splitlines() if line.strip()] or ["it printed nothing"]
    last = lines[-1].strip()
    held = "" if peak is None else f" It held at most {peak / 1e6:.0f} MB."
    if code == -signal.SIGKILL and oom_killed:
        return "oom", f"The kernel killed the process because memory ran out ({last}).{held}"
    if lack := _out_of_memory(lines):
        return "oom", f"The process ran out of memory ({lack}).{held}"
    if code < 0:
        return "failed", f"The process was killed by {_signal_name(-code)} ({last})."
    return "failed", last.removeprefix("error: ") + (_place(lines) if EXCEPTION.match(lines[-1]) else "")


def _place(lines: Sequence[str]) -> str:
    """Where an exception came through last outside of installed packages, as " (cnn.py, line 12)"."""
    frames = [frame for line in lines if (frame := FRAME.match(line)) and INSTALLED not in frame[1]]
    return f" ({Path(frames[-1][1]).name}, line {frames[-1][2]})" if frames else ""


def _out_of_memory(lines: Sequence[str]) -> str | None:
    """The line on which an allocator says that it ended the process: the last exception's, or the last of the log.

    What stands before may be a warning, or a fault that the example has dealt with.
    """
    for line in reversed(lines):
        if named := EXCEPTION.match(line):
            if MEMORY_TYPE.search(named["type"] or "") or MEMORY_WORDS.search(line):
                return line.strip()
            break
    return lines[-1].strip() if MEMORY_WORDS.search(lines[-1]) else None


def _rose(before: int | None, after: int | None) -> bool:
    return before is not None and after is not None and after > before


def _signal_name(number: int) -> str:
    """A signal as "signal 9 (SIGKILL)"; those that have no name have their number."""
    name = next((member.name for member in signal.Signals if member == number), None)
    return f"signal {number} ({name})" if name else f"signal {number}"


def without_local_paths(log: str) -> str:
    """A log without what is of this machine only: it may be published, with a record."""
    log = re.sub(re.escape(tempfile.gettempdir()) + r"/rosetta-\w+", "<temporary folder>", log).replace(str(ROOT), ".")
    home = str(Path.home())
    return log.replace(home, "~") if len(home) > 1 else log


# What a process of this project's gets of the user's environment, where it is set: who and where the user is, the
# commands that compile, the language, and which of several GPUs. Anything else could change what a locked run computes.
INHERITED = ("HOME", "USER", "LOGNAME", "PATH", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "CUDA_VISIBLE_DEVICES")


def inherited() -> dict[str, str]:
    """The variables of the user's environment that every process of a framework gets."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def run(
    command: list[str | Path],
    environ: dict[str, str],
    timeout: float,
    on_event: Callable[[Event], None] = lambda event: None,
    folder: Path = ROOT,
    events: bool = True,
    stdin: int = subprocess.DEVNULL,
    halt: threading.Event | None = None,
) -> Ended:
    """Run `command --events FD` in a folder, passing its events on, until it ends or `timeout` seconds are over.

    events: False for a command that knows of none, and is run as it stands. stdin: a descriptor that it reads.
    halt: ends the process when another thread sets it. That and Ctrl-C end all that it started and come back as status
    "interrupted", not as an exception: the caller still has a record to write.
    """
    if _stopping.is_set():
        return Ended("interrupted", INTERRUPTED, "", 0.0)
    read, write = os.pipe()
    start, oom_kills = time.monotonic(), cgroup.oom_kills()
    outcome: tuple[Status, str | None] | None = None
    with tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                guarded([*command, "--events", str(write)] if events else command, write),
                env=environ,
                cwd=folder,
                stdin=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[write],
                start_new_session=True,
            )
        except OSError as error:
            os.close(read)
            return Ended("failed", f"{command[0]} could not be started: {error.strerror}.", "", 0.0)
        finally:
            os.close(write)
        _running.add(process)
        if _stopping.is_set():  # a stop after the check above does not list this process
            _end(process)
        listener = _Listener(read, on_event)
        listener.start()
        code = 0
        try:
            code = _wait(process, log, timeout, halt)
        except _Stopped as stopped:
            outcome = stopped.outcome
        except KeyboardInterrupt:
            outcome = "interrupted", INTERRUPTED
        _running.discard(process)
        _end(process)
        listener.join(GRACE)
        text = _printed(log)
    peak = listener.peak_resident
    status, reason = outcome or _judge(code, text, _rose(oom_kills, cgroup.oom_kills()), peak)
    return Ended(status, reason, "\n".join(text.splitlines()[-LOG_LINES:]), time.monotonic() - start, peak)
