"""What a patch changes in an example: the smallest functions that hold its edits, as they are and patched."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from _ext.snippets.source import Snippet
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.mutation.mutants import Mutant
from rosetta_host.publishing.source import first_line

BETWEEN = "\n\n\n"  # two functions

Range = tuple[int, int]  # the first and the last line of a piece of a file, counted from 1


@dataclass(frozen=True)
class Change(Snippet):
    """The pieces as they are, `text`, and patched; and the numbers of the lines that differ, counted from 1."""

    patched: str
    removed: frozenset[int]
    added: frozenset[int]


def change(mutant: Mutant) -> Change:
    """What a mutant changes. Raises UserError where the example is no Python any more once it is patched."""
    text = mutant.implementation.example(mutant.case.workload).read_text("utf-8")
    try:
        ast.parse(mutant.patched())
    except SyntaxError as error:
        where = f"{mutant.implementation.folder.name}/mutants.toml, {mutant.case.workload}.{mutant.name}"
        raise UserError(f"{where}: patched, line {error.lineno} is not Python ({error.msg}).") from None
    lines = text.splitlines(keepends=True)
    ranges = merged([around(text, _lines_of(text, old)) for old, _ in mutant.edits])
    pieces = ["".join(lines[first - 1 : last]) for first, last in ranges]
    margins = [_margin(piece) for piece in pieces]
    before = BETWEEN.join(_shown(piece, margin) for piece, margin in zip(pieces, margins, strict=True))
    after = BETWEEN.join(
        _shown(_edited(piece, mutant.edits), margin) for piece, margin in zip(pieces, margins, strict=True)
    )
    removed, added = differing(before, after)
    return Change(before, ranges[0][0], after, removed, added)


def _lines_of(text: str, part: str) -> Range:
    """The lines on which a part of the text stands."""
    start = text.index(part)
    last = start + len(part) - 1
    return text.count("\n", 0, start) + 1, text.count("\n", 0, last) + 1


def around(text: str, lines: Range) -> Range:
    """The smallest function that holds these lines, or else the statements of the module that they lie in."""
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    holding = [(first, last) for first, last in map(_extent, functions) if first <= lines[0] and lines[1] <= last]
    if holding:
        return min(holding, key=lambda extent: extent[1] - extent[0])
    touched = [extent for extent in map(_extent, tree.body) if extent[0] <= lines[1] and lines[0] <= extent[1]]
    return min([lines[0], *(first for first, _ in touched)]), max([lines[1], *(last for _, last in touched)])


def _extent(statement: ast.stmt) -> Range:
    return first_line(statement), statement.end_lineno or statement.lineno


def merged(ranges: list[Range]) -> list[Range]:
    """The same lines as ranges that do not overlap, from top to bottom."""
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _edited(piece: str, edits: list[tuple[str, str]]) -> str:
    for old, new in edits:
        piece = piece.replace(old, new)
    return piece


def _margin(piece: str) -> int:
    """How far in a piece begins: a method stands further in than a function."""
    return min((len(line) - len(line.lstrip()) for line in piece.splitlines() if line.strip()), default=0)


def _shown(piece: str, margin: int) -> str:
    """A piece without its margin, nor empty lines around it."""
    cut = [line[min(margin, len(line) - len(line.lstrip())) :] for line in piece.splitlines()]
    return "\n".join(cut).strip("\n")


def differing(before: str, after: str) -> tuple[frozenset[int], frozenset[int]]:
    """The numbers of the lines that only the one text has, and of those that only the other has; empty ones apart."""
    old, new = before.splitlines(), after.splitlines()
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    changed = [step for step in steps if step[0] != "equal"]

    def numbers(text: list[str], ranges: Iterator[Range]) -> frozenset[int]:
        return frozenset(i + 1 for first, last in ranges for i in range(first, last) if text[i].strip())

    removed = numbers(old, ((first, last) for _, first, last, _, _ in changed))
    return removed, numbers(new, ((first, last) for _, _, _, first, last in changed))
