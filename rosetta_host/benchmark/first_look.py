"""Which frameworks a first benchmark of all of them measures first, so that a site is there within minutes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from rosetta_host.catalog.frameworks import Row
from rosetta_host.certificate import certify

ROWS = 3


def split(rows: Sequence[Row], device: str) -> tuple[list[Row], list[Row]]:
    """The rows to benchmark first, and the others.

    First are those declared `shown_first`, then those whose published certificates took least time, then those whose
    locks hold the fewest packages. A retired framework is never first: its interpreter may be missing.
    """
    seconds = certify.published_seconds()

    def order(row: Row) -> tuple[bool, bool, float, int]:
        certifying = sum(seconds.get((row.id, workload), math.inf) for workload in row.workloads)
        return row.framework.retired, not row.framework.shown_first, certifying, _packages(row, device)

    first = [row for row in sorted(rows, key=order)[:ROWS] if not row.framework.retired]
    return first, [row for row in rows if row not in first]


def _packages(row: Row, device: str) -> int:
    return len(re.findall(r"^[\w.-]+==", row.lock(device).read_text("utf-8"), re.MULTILINE))
