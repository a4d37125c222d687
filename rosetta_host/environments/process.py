"""One run of an example in a process of its own: bounded in time, killed with all its children, its end named."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from rosetta_host.catalog.frameworks import ROOT
from rosetta_host.environments import cgroup
from rosetta_host.records.store import Status

LOG_LINES = 40
POLL = 0.05  # seconds between two looks at a process
INTERRUPTED = "It was interrupted."
GRACE = 3.0  # seconds between SIGTERM and SIGKILL
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

Event = dict[str, Any]

_running: set[subprocess.Popen[bytes]] = set()
_stopping = threading.Event()


class Ended(msgspec.Struct):
    """How a process ended: status as in a record, one sentence of reason unless ok, the tail of its log."""

    status: Status
    reason: str | None
    log: str
    seconds: float


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and every descendant that stayed in its group; none may outlive the host's interest."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = _signal_group(process, number)
        deadline = time.monotonic() + GRACE
        while left and time.monotonic() < deadline:
            time.sleep(POLL)
            left = _signal_group(process, 0)
        if not left:
            break
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to what is left of the group, 0 to ask only; False where nothing is left."""
    process.poll()  # reaps the leader, which as a zombie would count as a member
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def stop_all() -> None:
    """End every running process; each comes back as interrupted. For Ctrl-C while threads wait for them."""
    _stopping.set()
    for process in list(_running):
        kill_group(process)


def _listen(descriptor: int, on_event: Callable[[Event], None]) -> None:
    with os.fdopen(descriptor) as lines:
        for line in lines:
            on_event(json.loads(line))


def _wait(process: subprocess.Popen[bytes], deadline: float, halt: threading.Event | None) -> int:
    """Its exit code. Raises InterruptedError where it is halted before, TimeoutError once the deadline is over."""
    while (code := process.poll()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError
        if halt is not None and halt.is_set():
            raise InterruptedError
        time.sleep(POLL)
    return code


def _judge(code: int, log: str, oom_killed: bool) -> tuple[Status, str | None]:
    """The status and reason of a process that ended by itself; `oom` needs the kernel's word or the allocator's.

    oom_killed: the kernel killed processes of this control group for want of memory while it ran.
    """
    if code == 0:
        return "ok", None
    lines = [line for line in log.splitlines() if line.strip()] or ["it printed nothing"]
    last = lines[-1].strip()
    if code == -signal.SIGKILL and oom_killed:
        return "oom", f"The kernel killed the process because memory ran out ({last})."
    if lack := _out_of_memory(lines):
        return "oom", f"The process ran out of memory ({lack})."
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
    name = next((one.name for one in signal.Signals if one == number), None)
    return f"signal {number} ({name})" if name else f"signal {number}"


def anywhere(log: str) -> str:
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
    halt: ends the process when another thread sets it. That and Ctrl-C end the process group and come back as status
    "interrupted", not as an exception: the caller still has a record to write.
    """
    if _stopping.is_set():
        return Ended("interrupted", INTERRUPTED, "", 0.0)
    read, write = os.pipe()
    start, oom_kills = time.monotonic(), cgroup.oom_kills()
    outcome: tuple[Status, str | None] | None
    with tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                [*command, "--events", str(write)] if events else command,
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
        if _stopping.is_set():  # since it was asked above: what was to be stopped was listed without this one
            kill_group(process)
        listener = threading.Thread(target=_listen, args=(read, on_event), daemon=True)
        listener.start()
        try:
            code = _wait(process, start + timeout, halt)
            listener.join(GRACE)
            outcome = ("interrupted", INTERRUPTED) if _stopping.is_set() else None
        except TimeoutError:
            outcome = ("timeout", f"It was stopped after {timeout:.0f} seconds.")
        except (KeyboardInterrupt, InterruptedError):
            outcome = ("interrupted", INTERRUPTED)
        _running.discard(process)
        kill_group(process)
        log.seek(0)
        text = anywhere(log.read().decode("utf-8", "replace"))
    status, reason = outcome or _judge(code, text, _rose(oom_kills, cgroup.oom_kills()))
    return Ended(status, reason, "\n".join(text.splitlines()[-LOG_LINES:]), time.monotonic() - start)
