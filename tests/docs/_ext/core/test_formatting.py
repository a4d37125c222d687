"""Facts of records in words."""

from __future__ import annotations

import pytest

from _ext.core import formatting
from rosetta_host.catalog.frameworks import VARIANTS


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00123, "1.23 ms"),
        (0.012, "12.0 ms"),
        (0.105, "105 ms"),
        (0.9999, "1.00 s"),
        (1.234, "1.23 s"),
        (105.2, "105 s"),
    ],
)
def test_a_step_has_three_figures(seconds: float, text: str) -> None:
    assert formatting.duration(seconds) == text


def test_every_variant_has_a_text() -> None:
    assert {*VARIANTS} <= formatting.VARIANTS.keys()
