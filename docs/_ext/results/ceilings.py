"""How much of what a processor can do a run makes use of: the arithmetic that is counted, over a ceiling.

On a CPU the ceiling is NumPy's float32 matrix product, measured at that hour; on a GPU the peak that its maker states.
"""

from __future__ import annotations

from dataclasses import dataclass

from rosetta_host.benchmark.peaks import PEAKS
from rosetta_host.catalog import workloads
from rosetta_host.records.store import BenchmarkRecord, RunRecord

UNKNOWN = "no ceiling known"
GEMM, PEAK = "GEMM", "the published float32 peak"
BEYOND = {
    GEMM: (
        "more than all of GEMM, which is impossible: the rate of the product was low at that time or is not the best "
        "that this processor can do, fewer operations were done than are counted (as by Winograd's algorithm), or work "
        "was left out"
    ),
    PEAK: (
        "more than all of the published float32 peak, which is impossible: fewer operations were done than are counted "
        "(as by Winograd's algorithm) or in fewer bits, or work was left out"
    ),
}


@dataclass(frozen=True)
class Share:
    """The arithmetic of a run over its ceiling, a fraction of 1, and which ceiling."""

    value: float
    of: str

    @property
    def beyond(self) -> str:
        """What it means where it is more than all, which no share can be; nothing of one that can be."""
        return BEYOND[self.of] if self.value > 1 else ""

    @property
    def text(self) -> str:
        """The share in whole percent; of one that cannot be, no number."""
        return f"more than all of {self.of}" if self.beyond else f"{self.value:.0%} of {self.of}"


def share(record: BenchmarkRecord) -> Share | None:
    """What a run made use of; None where its rate or its ceiling is not known."""
    return share_of(record, record.train_rate, record.machine.matmul_rate) if record.train_rate else None


def share_of(record: RunRecord, rate: float, matmul_rate: float | None) -> Share | None:
    """The share of a run that trains at this rate; None where its ceiling is not known.

    rate: samples per second. matmul_rate: FLOP/s of NumPy's matrix product at that time, the ceiling on a CPU.
    """
    of = PEAK if record.device == "gpu" else GEMM
    ceiling = _peak(record) if of == PEAK else matmul_rate
    if not ceiling or record.precision not in (None, "float32"):
        return None
    return Share(rate * workloads.get(record.workload).flop() / ceiling, of)


def _peak(record: RunRecord) -> float | None:
    peak = PEAKS.get(record.machine.gpu or "")
    return peak.rate if peak else None
