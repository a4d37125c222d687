"""Which frameworks a first benchmark of all of them measures first, so that a site is there within minutes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from rosetta_host.catalog.frameworks import Implementation
from rosetta_host.certificate import certify

IMPLEMENTATIONS = 3


def split(implementations: Sequence[Implementation], device: str) -> tuple[list[Implementation], list[Implementation]]:
    """The implementations to benchmark first, and the others.

    First are those declared `shown_first`, then those whose published certificates took least time, then those whose
    locks hold the fewest packages. A retired framework is never first: its interpreter may be missing.
    """
    seconds = certify.published_seconds()

    def order(implementation: Implementation) -> tuple[bool, bool, float, int]:
        certifying = sum(seconds.get((implementation.id, workload), math.inf) for workload in implementation.workloads)
        return (
            implementation.framework.retired,
            not implementation.framework.shown_first,
            certifying,
            _packages(implementation, device),
        )

    first = [
        implementation
        for implementation in sorted(implementations, key=order)[:IMPLEMENTATIONS]
        if not implementation.framework.retired
    ]
    return first, [implementation for implementation in implementations if implementation not in first]


def _packages(implementation: Implementation, device: str) -> int:
    return len(re.findall(r"^[\w.-]+==", implementation.lock(device).read_text("utf-8"), re.MULTILINE))
