"""Functions of an example as text, taken from its syntax tree.

The host's Python parses the file, whatever Python the example itself is for. Nothing is imported or
executed. A name is found by what it is called, never by line number or by a marker that can drift.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from rosetta_common import run
from rosetta_common.host.catalogue import VARIANTS

# Each verb has a page of its own, so none is repeated as the helper of another.
VERBS = {*run.VERBS, *VARIANTS}
WHOLE, MAIN = "all", "main"


class NotFound(LookupError):
    """The file has no such function, or no `if __name__` block, or is not Python."""


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
    try:
        module = _Module(text, str(path))
    except SyntaxError as error:
        raise NotFound(f"line {error.lineno} is not Python ({error.msg})") from None
    if WHOLE in names:
        return Snippet(text.strip("\n"), 1)
    asked = [module.find(name) for name in names]
    kept = module.needed(asked)
    first = min(_first_line(statement) for statement in asked)
    return Snippet(module.render(kept), first)


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in {
        node.id for node in ast.walk(statement.test) if isinstance(node, ast.Name)
    }


def _bound(statement: ast.stmt) -> set[str]:
    """The module's names that a statement at the top level defines."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    names = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
    return names


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that this scope, and every scope in it, looks up in the module."""
    outermost = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() if outermost else symbol.is_global():
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals(child)


class _Module:
    """An example's top level: its statements, what each defines, and what each needs."""

    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self.lines = text.splitlines()
        self.statements = ast.parse(text, path).body

    def find(self, name: str) -> ast.stmt:
        for statement in self.statements:
            if name == MAIN and _is_main(statement):
                return statement
            if isinstance(statement, ast.FunctionDef | ast.ClassDef) and statement.name == name:
                return statement
        raise NotFound("no `if __name__` block" if name == MAIN else f"no function {name!r}")

    def needed(self, asked: list[ast.stmt]) -> dict[ast.stmt, set[str]]:
        """Statement -> the names of it that are wanted, over all that `asked` calls, however indirectly."""
        kept: dict[ast.stmt, set[str]] = {statement: set() for statement in asked}
        queue = list(asked)
        while queue:
            names = self.lookups(queue.pop()).difference(VERBS)
            for statement in self.statements:
                wanted = names & _bound(statement)
                if not wanted or _is_main(statement):
                    continue
                if statement not in kept:
                    queue.append(statement)
                kept.setdefault(statement, set()).update(wanted)
        return kept | {statement: set() for statement in self.settings(kept)}

    def settings(self, kept: dict[ast.stmt, set[str]]) -> Iterator[ast.stmt]:
        """Bare calls and the like that define nothing but set up something that is kept: a switch of the framework."""
        known = set().union(*(_bound(statement) for statement in self.statements))
        present = set().union(*(_bound(statement) for statement in kept))
        for statement in self.statements:
            if not _bound(statement) and not _is_main(statement):
                used = self.lookups(statement) & known
                if used and used <= present:
                    yield statement

    def lookups(self, statement: ast.stmt) -> set[str]:
        """The module's names that a statement uses, by the compiler's own scoping rules."""
        text = "\n".join(self.lines[_first_line(statement) - 1 : statement.end_lineno])
        return set(_globals(symtable.symtable(text, self.path, "exec")))

    def render(self, kept: dict[ast.stmt, set[str]]) -> str:
        """The kept statements in the order of the file; imports close together, the rest two lines apart."""
        imports, rest = [], []
        for statement in self.statements:
            if statement not in kept:
                continue
            if isinstance(statement, ast.Import | ast.ImportFrom):
                imports.append(self.import_line(statement, kept[statement]))
            else:
                rest.append(self.verbatim(statement))
        return "\n\n\n".join((["\n".join(imports)] if imports else []) + rest)

    def import_line(self, statement: ast.Import | ast.ImportFrom, wanted: set[str]) -> str:
        """An import, with only the wanted names of `from x import a, b`."""
        names = [alias for alias in statement.names if (alias.asname or alias.name.partition(".")[0]) in wanted]
        if len(names) == len(statement.names):
            return self.verbatim(statement)
        if isinstance(statement, ast.Import):
            return ast.unparse(ast.Import(names))
        return ast.unparse(ast.ImportFrom(statement.module, names, statement.level))

    def verbatim(self, statement: ast.stmt) -> str:
        """The lines of a statement, with its decorators and the comment that stands right above it."""
        first = _first_line(statement) - 1
        while first > 0 and self.lines[first - 1].startswith("#"):
            first -= 1
        return "\n".join(self.lines[first : statement.end_lineno])
