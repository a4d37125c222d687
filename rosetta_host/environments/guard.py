"""Runs a command, and lets nothing that it starts outlive it, this guard or the host.

`python guard.py HOST REPORT COMMAND …`, as `process.guarded` writes it. The guard ends like the command: with its exit
code, or by the same signal. SIGTERM ends the command with everything that it started; so does the end of the host, even
by SIGKILL. The guard also ends processes that left their parent, its group or its session, because the kernel hands
orphans to the nearest subreaper. Outside Linux there is no subreaper, and the guard does not notice the host's end. If
the guard itself is killed, the command ends with it, and the host ends the rest of their group; processes that left the
group go on.

It is a script of the standard library alone: a start without this project's imports takes hundredths of a second.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import time

GRACE = 3.0  # seconds between SIGTERM and SIGKILL
POLL = 0.02  # seconds between two looks at what is left
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # of Linux' prctl
WAITED = {signal.SIGCHLD, signal.SIGTERM}
NOT_STARTED = 127  # the exit code of a shell for a command that cannot be started
# What Python ignores from its start on, and the guard as well: Ctrl-C is for the command and the host.
IGNORED = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT)

Ends = dict[int, tuple[int, int]]  # process -> its wait status, and the largest resident set, bytes


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _start(command: list[str], guard: int) -> None:
    """Become the command, in a process that the kernel ends with the guard."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guard:  # it ended before the kernel knew
        os._exit(NOT_STARTED)
    for number in IGNORED:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WAITED)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]} could not be started: {error.strerror}.\n".encode())
        os._exit(NOT_STARTED)


def _reap(ends: Ends) -> bool:
    """Collect the children that have ended; whether others are left."""
    while True:
        try:
            process, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if not process:
            return True
        ends[process] = status, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def parents() -> dict[int, int]:
    """Process -> its parent, of all processes."""
    if not os.path.isdir("/proc/self"):
        with os.popen("ps -A -o pid=,ppid=") as listed:
            return {int(process): int(parent) for process, parent in map(str.split, listed)}
    parent_of = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:
                parent_of[int(name)] = int(stat.read().rpartition(b")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
    return parent_of


def descendants(ancestor: int) -> set[int]:
    """The children of a process, their children, and so on."""
    of_parent: dict[int, list[int]] = {}
    for process, parent in parents().items():
        of_parent.setdefault(parent, []).append(process)
    family, queue = set[int](), [ancestor]
    while queue:
        children = of_parent.get(queue.pop(), [])
        family.update(children)
        queue += children
    return family


def _send(processes: set[int], number: int) -> None:
    for process in processes:
        try:
            os.kill(process, number)
        except OSError:  # it has ended, or is another user's
            continue


def _watch(child: int, ends: Ends) -> None:
    """Wait until the command has ended, or somebody asks the guard to end."""
    _reap(ends)
    while child not in ends and signal.sigwait(WAITED) != signal.SIGTERM:
        _reap(ends)


def _end_all(ends: Ends) -> None:
    """End all that is left: each process is asked once, given time to comply, and then killed."""
    asked, deadline = set[int](), time.monotonic() + GRACE
    while _reap(ends):
        left = descendants(os.getpid())
        if time.monotonic() < deadline:
            _send(left - asked, signal.SIGTERM)
            asked |= left
        else:
            _send(left, signal.SIGKILL)
        time.sleep(POLL)


def _end_like(status: int) -> None:
    """End this process as the command ended."""
    if not os.WIFSIGNALED(status):
        os._exit(os.waitstatus_to_exitcode(status))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the command has left its own, if any
    number = os.WTERMSIG(status)
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)


def main(host: int, report: int | None, command: list[str]) -> None:
    """Run the command to its end; write its largest resident set to the descriptor `report`, as an event."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, WAITED)
    if os.getppid() != host:
        return
    guard, ends = os.getpid(), Ends()
    child = os.fork()
    if not child:
        _start(command, guard)
    _watch(child, ends)
    _end_all(ends)
    status, peak = ends[child]
    if report is not None:
        os.set_blocking(report, False)
        with contextlib.suppress(OSError):  # nobody reads
            # A line of its own, whatever the command left unfinished.
            os.write(report, b'\n{"event": "ended", "peak_resident": %d}\n' % peak)
    _end_like(status)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if sys.argv[2] != "-" else None, sys.argv[3:])
