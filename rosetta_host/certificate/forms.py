"""What each form computes, in words and formulas; the docstring of the oracle states them.

It imports the oracle alone, so that the site can read it without what runs frameworks.
"""

from __future__ import annotations

import re

from rosetta_host.certificate import oracle

ITEM = re.compile(r"^- (\w+), `(\w+)`: (.*?)(?=^- |\Z)", re.MULTILINE | re.DOTALL)


def explanations(workload: str) -> dict[str, str]:
    """Form -> what its values mean, for each form of a workload. Raises KeyError for a form that is not explained."""
    items = ITEM.findall(oracle.__doc__ or "")
    texts = {name: " ".join(text.split()).rstrip(";.") for owner, name, text in items if owner.lower() == workload}
    return {name: texts[name] for name in oracle.FORMS[workload]}
