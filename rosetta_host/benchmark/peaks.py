"""The peak rates of GPUs, with which measured rates are compared."""

from __future__ import annotations

from typing import NamedTuple


class Peak(NamedTuple):
    """The float32 rate that a GPU's maker states, in FLOP/s, without its TF32 mode; and where that is stated."""

    rate: float
    source: str


# The name that the driver gives a GPU -> its peak.
PEAKS = {
    "NVIDIA H100 80GB HBM3": Peak(67e12, "NVIDIA H100 Tensor Core GPU data sheet, H100 SXM, FP32"),
    "NVIDIA H200": Peak(67e12, "NVIDIA H200 Tensor Core GPU data sheet, H200 SXM, FP32"),
}
