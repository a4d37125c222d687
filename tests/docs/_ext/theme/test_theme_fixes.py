"""What the theme gets wrong is put right, and noticed once the theme has changed. The real pages are in tests/site."""

from __future__ import annotations

import pytest
from sphinx.errors import ExtensionError

from _ext.theme.theme_fixes import REPAIRS, repaired


def test_each_fault_is_put_right_once() -> None:
    body = repaired(" … ".join(REPAIRS))
    assert body.split(" … ") == list(REPAIRS.values())


def test_a_fault_that_is_gone_is_an_error() -> None:
    *others, gone = REPAIRS
    with pytest.raises(ExtensionError, match="hold no") as error:
        repaired("".join(others))
    assert gone in str(error.value)
