"""The names of a framework that code uses, read from its syntax tree: what a reader looks up."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from _ext.snippets.source import VERBS
from rosetta_host.publishing.source import Module, NotFound, bound_by, first_line

NO_FRAMEWORK = {np.__name__, "rosetta_common", "workloads", *sys.stdlib_module_names}
# Methods that name nothing of a framework: those of containers and arrays, which tensors copy.
COMMON_METHODS = {"get", "items", "keys", "values", *dir(list), *dir(str), *dir(np.ndarray)}
MOST_QUESTIONS = 3  # functions of a defaults.py that may share a name: a convolution is in three


def vocabulary(path: Path, step: str) -> list[str]:
    """The framework's functions and classes that a step and its helpers name, as `nn.Conv2d`, and the methods that
    they call, as `.backward()`; in the order of the file, each once. Empty without such a step."""
    try:
        module = Module(path.read_text("utf-8"), str(path))
        kept = module.needed([module.find(step)], VERBS)
    except NotFound:
        return []
    code = [part for part in sorted(kept, key=first_line) if not isinstance(part, ast.Import | ast.ImportFrom)]
    return list(dict.fromkeys(name for part in code for name in _named(part, *_known(module))))


def names_of_questions(path: Path) -> dict[str, list[str]]:
    """Function of a defaults.py -> what it asks about, as the framework calls it; empty where there is no such file.

    A name that more than `MOST_QUESTIONS` functions share, as that of a tensor, is about none of them. Classes are
    named alone; otherwise all functions, and without these the methods.
    """
    try:
        module = Module(path.read_text("utf-8"), str(path))
    except (OSError, NotFound):
        return {}
    known = _known(module)
    names = {
        part.name: list(dict.fromkeys(name for line in part.body for name in _named(line, *known)))
        for part in module.statements
        if isinstance(part, ast.FunctionDef)
    }
    shared = Counter(name for own in names.values() for name in own)
    return {
        function: _principal([name for name in own if shared[name] <= MOST_QUESTIONS])
        for function, own in names.items()
    }


def _principal(names: list[str]) -> list[str]:
    """The classes among these names; without any the functions, and without those the methods."""
    functions = [name for name in names if not name.startswith(".")]
    classes = [name for name in functions if name.rpartition(".")[2][:1].isupper()]
    return classes or functions or names


def _known(module: Module) -> tuple[set[str], set[str]]:
    """The names that the module imports from its framework; and whose methods name nothing of the framework."""
    imported = {bound_by(alias): root for root, alias in _imports(module.statements)}
    framework = {name for name, root in imported.items() if root not in NO_FRAMEWORK}
    return framework, {"self", *_fields(module.statements), *imported}


def _imports(statements: list[ast.stmt]) -> Iterator[tuple[str, ast.alias]]:
    """The first part of each imported module's name, with what the statement binds."""
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from ((alias.name.partition(".")[0], alias) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield from (((statement.module or "").partition(".")[0], alias) for alias in statement.names)


def _fields(statements: list[ast.stmt]) -> Iterator[str]:
    """What an example calls the parts of its model, as `model.network`."""
    for node in (node for statement in statements for node in ast.walk(statement)):
        if isinstance(node, ast.Call) and _chain(node.func)[-1:] == ["SimpleNamespace"]:
            yield from (f"model.{keyword.arg}" for keyword in node.keywords)


def _named(node: ast.AST, framework: set[str], own: set[str]) -> Iterator[str]:
    """The names below a node, from left to right. own: whose methods are not listed: the example's own, and modules."""
    chain = _chain(node)
    if chain and chain[0] in framework:
        yield ".".join(chain)
        return
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        owner, method = _chain(node.func.value), node.func.attr
        is_own = owner and (owner[0] in own or ".".join([*owner, method]) in own)
        if not is_own and method not in COMMON_METHODS and not method.startswith("_"):
            yield f".{method}()"
    for child in ast.iter_child_nodes(node):
        yield from _named(child, framework, own)


def _chain(node: ast.AST) -> list[str]:
    """The parts of a dotted name; empty for everything else."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute) and (owner := _chain(node.value)):
        return [*owner, node.attr]
    return []
