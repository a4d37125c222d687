"""How often the kernel has killed a process of this control group for want of memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")


def _counters(listed: str) -> Iterator[Path]:
    """The files that may hold the count, the best first, from the lines of /proc/self/cgroup.

    A container often sees its own group at the mount's root, and its path on the machine in /proc.
    """
    for line in listed.splitlines():
        _, controllers, path = line.split(":", 2)
        inside = path.lstrip("/")
        if "memory" in controllers.split(","):
            yield from (MOUNT / "memory" / group / "memory.oom_control" for group in (inside, ""))
        elif not controllers:
            roots = (MOUNT, MOUNT / "unified")
            yield from (root / group / "memory.events" for root in roots for group in (inside, ""))


def oom_kills() -> int | None:
    """The processes of this group, and of those within it, that the kernel's OOM killer has ended since it was made.

    None where the system does not count them: outside Linux, or where the files may not be read.
    """
    try:
        listed = PROC.read_text("utf-8")
    except OSError:
        return None
    for path in _counters(listed):
        try:
            counted = re.search(r"^oom_kill (\d+)$", path.read_text("utf-8"), re.MULTILINE)
        except OSError:
            continue
        if counted:
            return int(counted[1])
    return None
