"""The block of code that stands above the steps: what the snippets read."""

from __future__ import annotations

import re
from html import unescape
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rosetta_common import data, run


@pytest.mark.parametrize("workload", ["cnn", "gru"])
def test_the_block_runs_as_it_is_copied(site, workload: str) -> None:
    site.page("index", f"```{{helpers}} {workload}\n```")
    assert not site.build()
    code = re.search(r"<pre>(.*?)</pre>", site.html("index"), re.DOTALL)
    assert code
    names: dict[str, Any] = {}
    exec(unescape(re.sub(r"<[^>]+>", "", code[1])), names)
    assert names["params"] == SimpleNamespace(**vars(run.settings_of(workload)))
    x, y = np.arange(20), np.arange(20) + 100

    def epoch(draw: Any) -> list[tuple[list[int], list[int]]]:
        np.random.seed(0)
        return [(batch.tolist(), target.tolist()) for batch, target in draw(x, y, 8)]

    assert epoch(names["minibatches"]) == epoch(data.minibatches)


def test_an_unknown_workload_is_a_warning(site) -> None:
    site.page("index", "```{helpers} cnnn\n```")
    assert "There is no network 'cnnn': did you mean 'cnn'?" in site.build()
