"""The peaks of GPUs."""

from rosetta_host.benchmark.peaks import PEAKS


def test_a_peak_is_stated_with_its_source():
    assert PEAKS["NVIDIA H100 80GB HBM3"] == (67e12, "NVIDIA H100 Tensor Core GPU data sheet, H100 SXM, FP32")
