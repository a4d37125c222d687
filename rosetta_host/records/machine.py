"""What machine this is: named in every record, with the rate of its float32 matrix product."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time

import numpy as np

from rosetta_host.records.store import Machine


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _of_processor(key: str) -> str | None:
    """What /proc/cpuinfo says of the first processor under this key; None where there is no such file or key."""
    try:
        with open("/proc/cpuinfo") as file:
            match = re.search(rf"^{key}\s*:\s*(.+)$", file.read(), re.MULTILINE)
    except OSError:
        return None
    return match.group(1).strip() if match else None


def vendor() -> str | None:
    """Who made the processor: "GenuineIntel", "AuthenticAMD" …; None where the system does not say."""
    return _of_processor("vendor_id")


def _cpu() -> str:
    """The processor's name; with its family and model where a virtual machine keeps back the number in its name.

    Without a number, a name such as "AMD EPYC" stands for machines of which one trains three times as fast.
    """
    name = _of_processor("model name") or platform.processor() or platform.machine()
    name = " ".join(re.sub(r"\((?:R|TM)\)|\b(?:CPU|Processor)\b", "", name).split())
    family, model = _of_processor("cpu family"), _of_processor("model")
    return name if re.search(r"\d", name) or not (family and model) else f"{name} (family {family}, model {model})"


def gpu() -> tuple[str, str] | None:
    """Name and driver of the first GPU, or None where there is none."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    name, _, driver = listed.splitlines()[0].partition(", ") if listed.strip() else ("", "", "")
    return (name, driver) if name else None


def matmul_rate(size: int = 2048, trials: int = 5) -> float:
    """Float32 operations a second of NumPy's matrix product, the best of a few: what the machine has to give."""
    a = np.ones((size, size), np.float32)
    seconds = []
    for _ in range(trials):
        start = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)


def describe(name: str | None = None) -> Machine:
    """This machine for a record; `name` overrides the one made of its processor and cores."""
    cpu, count = _cpu(), cores()
    device = gpu()
    name = name or f"{device[0] if device else cpu}, {count} {'core' if count == 1 else 'cores'}"
    return Machine(
        id=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"),
        name=name,
        cpu=cpu,
        cores=count,
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        gpu=device[0] if device else None,
        driver=device[1] if device else None,
    )
