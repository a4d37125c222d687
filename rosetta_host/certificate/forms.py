"""What each form computes, in words and formulas; the docstring of a workload's oracle states them."""

from __future__ import annotations

import re

from rosetta_host.catalog import workloads
from rosetta_host.certificate import oracle

ITEM = re.compile(r"^- `(\w+)`: (.*?)(?=^- |^$|\Z)", re.MULTILINE | re.DOTALL)


def explanations(workload: str) -> dict[str, str]:
    """Form -> what its values mean, for each form of a workload. Raises KeyError for a form that is not explained."""
    items = ITEM.findall(workloads.module(workload, "oracle").__doc__ or "")
    texts = {name: " ".join(text.split()).rstrip(";.") for name, text in items}
    return {name: texts[name] for name in oracle.model(workload).forms}
