"""What machine this is: named in every record, with the rate of its float32 matrix product."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from rosetta_host.records.store import Machine

SYSTEM = Path("/sys/devices/system/cpu")


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


def copy_rate(size: int = 2**22, trials: int = 20) -> float:
    """Bytes per second that NumPy reads and writes as it copies float32 numbers, the best of a few trials.

    The array is about as large as the weights of a network, so that the same caches hold it.
    """
    source = np.ones(size, np.float32)
    target, seconds = source.copy(), []
    for _ in range(trials):
        start = time.perf_counter()
        np.copyto(target, source)
        seconds.append(time.perf_counter() - start)
    return 2 * source.nbytes / min(seconds)


def measured(where: Machine) -> Machine:
    """This machine with its rates, of which those that it has already are kept."""
    return msgspec.structs.replace(
        where, matmul_rate=where.matmul_rate or matmul_rate(), copy_rate=where.copy_rate or copy_rate()
    )


class Counters(NamedTuple):
    """What the system counts since it booted.

    ticks: of all cores. stolen: those of them that the hypervisor gave to other guests. waited: seconds in which some
    process waited for a core. clock: seconds. None: the system does not count it.
    """

    ticks: int | None
    stolen: int | None
    waited: float | None
    clock: float


def counters() -> Counters:
    """The counters as they are now."""
    ticks = [int(word) for word in _text(Path("/proc/stat")).partition("\n")[0].split()[1:9]]  # guests count as users
    waited = re.match(r"some .*total=(\d+)", _text(Path("/proc/pressure/cpu")))
    return Counters(
        sum(ticks) if len(ticks) == 8 else None,
        ticks[7] if len(ticks) == 8 else None,
        int(waited[1]) / 1e6 if waited else None,
        time.monotonic(),
    )


def strain(before: Counters, after: Counters) -> tuple[float | None, float | None]:
    """The steal and the pressure between two readings, as records hold them; None where the system counts none."""
    ticks = (after.ticks or 0) - (before.ticks or 0)
    steal = max(0, (after.stolen or 0) - (before.stolen or 0)) / ticks if ticks > 0 else None
    if before.waited is None or after.waited is None or after.clock <= before.clock:
        return steal, None
    return steal, min(1.0, (after.waited - before.waited) / (after.clock - before.clock))


def _text(path: Path) -> str:
    """What one of the system's files holds; nothing where it is not there."""
    try:
        return path.read_text("utf-8").strip()
    except OSError:
        return ""


def _hypervisor() -> str | None:
    """The kind of the virtual machine; "unknown" where the processor alone states that it is one."""
    try:
        command = ["systemd-detect-virt", "--vm"]
        kind = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        kind = ""
    if kind and kind != "none":
        return kind
    return "unknown" if "hypervisor" in (_of_processor("flags") or "").split() else None


def _microarchitecture() -> str | None:
    """The processor's microarchitecture; None where the host runs in a Python that lacks archspec."""
    try:
        from archspec import cpu
    except ImportError:
        return None
    name: str = cpu.host().name
    return name


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
        boot=_text(Path("/proc/sys/kernel/random/boot_id")) or None,
        hypervisor=_hypervisor(),
        microarchitecture=_microarchitecture(),
        governor=_text(SYSTEM / "cpu0/cpufreq/scaling_governor") or None,
        smt={"0": False, "1": True}.get(_text(SYSTEM / "smt/active")),
    )
