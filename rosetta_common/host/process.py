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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from rosetta_common.host.catalogue import ROOT
from rosetta_common.host.records import Status

LOG_LINES = 40
POLL = 0.05  # seconds between two looks at a process
INTERRUPTED = "It was interrupted."
GRACE = 3.0  # seconds between SIGTERM and SIGKILL
# How frameworks say that memory ran out, where the kernel does not say it by killing them.
OUT_OF_MEMORY = ("MemoryError", "std::bad_alloc", "out of memory", "RESOURCE_EXHAUSTED", "can't allocate memory")

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
        deadline = time.monotonic() + GRACE
        while _signal_group(process, number) and time.monotonic() < deadline:
            time.sleep(0.05)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to what is left of the group; False where nothing is left."""
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


def _judge(code: int, log: str) -> tuple[Status, str | None]:
    if code == 0:
        return "ok", None
    last = next((line.strip() for line in reversed(log.splitlines()) if line.strip()), "it printed nothing")
    if code == -signal.SIGKILL or any(words in log for words in OUT_OF_MEMORY):
        return "oom", f"The process ran out of memory ({last})."
    if code < 0:
        return "failed", f"The process was ended by {signal.Signals(-code).name} ({last})."
    return "failed", last.removeprefix("error: ")


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
    start = time.monotonic()
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
    status, reason = outcome or _judge(code, text)
    return Ended(status, reason, "\n".join(text.splitlines()[-LOG_LINES:]), time.monotonic() - start)
