"""What a certificate executed of its example, function by function, from the lines that ran in it.

Where a framework runs the Python itself, each line is seen. Where it translates a function and runs the translation,
none is: such a function counts as called if a function of its name ran from a file that the framework wrote, and as
compiled if the framework asked for its source.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

EVERY, CALLED, COMPILED, NOT = "every line", "called", "compiled from its source", "not executed"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> dict[str, _Function]:
    """The functions at the top of a module by name, and the methods of its classes as "Loader.__len__"."""
    found: dict[str, _Function] = {}
    for node in tree.body:
        if isinstance(node, _Function):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{method.name}": method for method in node.body if isinstance(method, _Function)}
    return found


def _statements(function: _Function) -> Iterator[ast.stmt]:
    """The statements of a function, however deep, but for its docstring."""
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
) -> dict[str, str]:
    """Function -> "every line", "6 of 7 lines" or one of the other states above, for all functions of an example.

    lines: the numbers of the lines of the file that ran. elsewhere: names of functions that ran from generated files.
    sources: the numbers of the lines where functions begin, decorators included, whose source was asked for.
    """
    ran = set(lines)

    def state(name: str, function: _Function) -> str:
        statements = list(_statements(function))
        done = sum(bool(ran.intersection(_lines(statement))) for statement in statements)
        if done == len(statements):
            return EVERY
        if done:
            return f"{done} of {len(statements)} lines"
        bare = name.rpartition(".")[2]
        if any(other == bare or other.endswith(f"_{bare}") for other in elsewhere):
            return CALLED
        first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
        return COMPILED if first in sources else NOT

    return {name: state(name, function) for name, function in functions(ast.parse(path.read_text("utf-8"))).items()}


def together(several: Collection[Mapping[str, str]]) -> dict[str, str]:
    """What several certificates of one example executed: of each function, what the best of them says."""
    order = (NOT, COMPILED, CALLED)

    def worth(state: str) -> tuple[int, int]:
        if state in order:
            return order.index(state), 0
        return (3, 0) if state == EVERY else (2, int(state.partition(" ")[0]))

    merged: dict[str, str] = {}
    for one in several:
        for name, state in one.items():
            merged[name] = max(merged.get(name, NOT), state, key=worth)
    return merged
