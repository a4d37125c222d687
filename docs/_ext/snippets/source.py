"""Functions of an example as text, taken from its syntax tree. Nothing is imported or executed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from rosetta_common import run
from rosetta_host.catalog.frameworks import VARIANTS
from rosetta_host.publishing.source import Module, NotFound, first_line

__all__ = ["NotFound", "Snippet", "snippet"]

# Each verb has a page of its own, so none is repeated as the helper of another.
VERBS = {*run.VERBS, *VARIANTS}
WHOLE = "all"


@dataclass(frozen=True)
class Snippet:
    """What is shown: the imports that are needed, the helpers that are called, and what was asked for."""

    text: str
    line: int  # of the first thing asked for, in the file


def snippet(path: Path, names: Collection[str]) -> Snippet:
    """The source of `names` in the file: functions, classes, `main` for the `if __name__` block, or `all`.

    Raises NotFound.
    """
    text = path.read_text("utf-8")
    module = Module(text, str(path))
    if WHOLE in names:
        return Snippet(text.strip("\n"), 1)
    asked = [module.find(name) for name in names]
    kept = module.needed(asked, VERBS)
    return Snippet(module.render(kept), min(first_line(statement) for statement in asked))
