"""A Python file's top level as text: which statements a name needs, and their own lines. Read, never imported.

The host's Python parses the file, whatever Python the file itself is for. A name is found by what it
is called, never by line number or by a marker that can drift.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Collection, Iterator

from rosetta_host.catalog import syntax

MAIN = "main"


class NotFound(LookupError):
    """The file has no such function or class, or no `if __name__` block, or is not Python."""


def first_line(statement: ast.stmt) -> int:
    """The line on which a statement begins, its decorators counted."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def is_main(statement: ast.stmt) -> bool:
    """Whether a statement is the `if __name__ == "__main__"` block."""
    return isinstance(statement, ast.If) and "__name__" in {
        node.id for node in ast.walk(statement.test) if isinstance(node, ast.Name)
    }


def bound(statement: ast.stmt) -> set[str]:
    """The module's names that a statement at the top level defines."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    names = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.alias):
            names.add(bound_by(node))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
    return names


def bound_by(alias: ast.alias) -> str:
    """The name that one part of an import statement defines."""
    return alias.asname or alias.name.partition(".")[0]


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that this scope, and every scope in it, looks up in the module."""
    outermost = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() if outermost else symbol.is_global():
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals(child)


class Module:
    """A file's top level: its statements, what each defines, and what each needs. Raises NotFound: not Python."""

    def __init__(self, text: str, path: str) -> None:
        self.text, self.path = text, path
        self.lines = text.splitlines()
        try:
            self.statements = syntax.parse(text, path).body
        except SyntaxError as error:
            raise NotFound(f"line {error.lineno} is not Python ({error.msg})") from None
        self.bound = {statement: bound(statement) for statement in self.statements}

    def find(self, name: str) -> ast.stmt:
        """The function or class of this name, or the block that `main` stands for. Raises NotFound."""
        for statement in self.statements:
            if name == MAIN and is_main(statement):
                return statement
            if isinstance(statement, ast.FunctionDef | ast.ClassDef) and statement.name == name:
                return statement
        raise NotFound("no `if __name__` block" if name == MAIN else f"no function {name!r}")

    def needed(self, asked: list[ast.stmt], apart: Collection[str] = ()) -> dict[ast.stmt, set[str]]:
        """Statement -> the names of it that are wanted, over all that `asked` calls, however indirectly.

        apart: names that others provide, and that are not followed.
        """
        kept: dict[ast.stmt, set[str]] = {statement: set() for statement in asked}
        queue = list(asked)
        while queue:
            names = self.lookups(queue.pop()).difference(apart)
            for statement in self.statements:
                wanted = names & self.bound[statement]
                if not wanted or is_main(statement):
                    continue
                if statement not in kept:
                    queue.append(statement)
                kept.setdefault(statement, set()).update(wanted)
        return kept | {statement: set() for statement in self.settings(kept)}

    def settings(self, kept: dict[ast.stmt, set[str]]) -> Iterator[ast.stmt]:
        """Bare calls and the like that define nothing but set up something that is kept: a switch of the framework."""
        defined = set().union(*self.bound.values())
        imports = ast.Import | ast.ImportFrom  # of which only the wanted names are kept
        present = set().union(
            *(names if isinstance(part, imports) else self.bound[part] for part, names in kept.items())
        )
        for statement in self.statements:
            if not self.bound[statement] and not is_main(statement):
                used = self.lookups(statement) & defined
                if used and used <= present:
                    yield statement

    def lookups(self, statement: ast.stmt) -> set[str]:
        """The module's names that a statement uses, by the compiler's own scoping rules."""
        text = "\n".join(self.lines[first_line(statement) - 1 : statement.end_lineno])
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
        names = [alias for alias in statement.names if bound_by(alias) in wanted]
        if len(names) == len(statement.names):
            return self.verbatim(statement)
        if isinstance(statement, ast.Import):
            return ast.unparse(ast.Import(names))
        return ast.unparse(ast.ImportFrom(statement.module, names, statement.level))

    def verbatim(self, statement: ast.stmt) -> str:
        """The lines of a statement, with its decorators and the comment that stands right above it."""
        first = first_line(statement) - 1
        while first > 0 and self.lines[first - 1].startswith("#"):
            first -= 1
        return "\n".join(self.lines[first : statement.end_lineno])
