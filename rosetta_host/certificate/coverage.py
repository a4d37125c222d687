"""How much of an example a certificate executed, function by function.

If a framework runs the Python itself, each line is traced. If it translates a function and runs the translation, no
line is: such a function counts as called if a function of its name ran from a file that the framework wrote, and as
compiled if the framework read its source.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from rosetta_host.catalog import syntax
from rosetta_host.records.codes import Coverage
from rosetta_host.records.store import Executed

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> dict[str, _Function]:
    """The functions at the top of a module by name, and the methods of its classes as "Loader.__len__"."""
    by_name: dict[str, _Function] = {}
    for node in tree.body:
        if isinstance(node, _Function):
            by_name[node.name] = node
        elif isinstance(node, ast.ClassDef):
            by_name |= {f"{node.name}.{method.name}": method for method in node.body if isinstance(method, _Function)}
    return by_name


def _statements(function: _Function) -> Iterator[ast.stmt]:
    """The statements of a function at any depth, without its docstring."""
    for node in ast.walk(function):
        documents = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and node is not function and not documents:
            yield node


def _lines(statement: ast.stmt) -> range:
    """The lines of a statement; of one that holds others, those of its head."""
    body = getattr(statement, "body", None)
    end = body[0].lineno - 1 if body else statement.end_lineno or statement.lineno
    return range(statement.lineno, max(end, statement.lineno) + 1)


def executed(
    path: Path, lines: Collection[int], elsewhere: Collection[str] = (), sources: Collection[int] = ()
) -> dict[str, Executed]:
    """Function -> how much of it ran, for all functions of an example.

    lines: the numbers of the lines of the file that ran. elsewhere: names of functions that ran from generated files.
    sources: the numbers of the lines where functions begin, decorators included, whose source was read.
    """
    ran = set(lines)

    def executed_of(name: str, function: _Function) -> Executed:
        statements = list(_statements(function))
        done = sum(bool(ran.intersection(_lines(statement))) for statement in statements)
        if done == len(statements):
            return Executed(Coverage.EVERY_LINE)
        if done:
            return Executed(Coverage.SOME_LINES, (done, len(statements)))
        bare = name.rpartition(".")[2]
        if any(called == bare or called.endswith(f"_{bare}") for called in elsewhere):
            return Executed(Coverage.CALLED)
        first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
        return Executed(Coverage.COMPILED if first in sources else Coverage.NOT_RUN)

    tree = syntax.parse(path.read_text("utf-8"))
    return {name: executed_of(name, function) for name, function in functions(tree).items()}


def together(several: Collection[Mapping[str, Executed]]) -> dict[str, Executed]:
    """The best coverage of each function in several certificates of one example."""
    order = list(Coverage)

    def worth(executed: Executed) -> tuple[int, int]:
        return order.index(executed.code), executed.lines[0] if executed.lines else 0

    merged: dict[str, Executed] = {}
    for functions_of_one in several:
        for name, executed in functions_of_one.items():
            merged[name] = max(merged.get(name, executed), executed, key=worth)
    return merged
