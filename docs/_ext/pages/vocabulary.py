"""The names of a framework that a step of an example uses, read from its code: what a reader looks up."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from _ext.snippets.source import VERBS
from rosetta_host.publishing.source import Module, NotFound, bound_by, first_line

NO_FRAMEWORK = {np.__name__, "rosetta_common", "workloads", *sys.stdlib_module_names}
# Methods that name nothing of a framework: those of containers and arrays, which tensors copy.
COMMON_METHODS = {"get", "items", "keys", "values", *dir(list), *dir(str), *dir(np.ndarray)}


def vocabulary(path: Path, step: str) -> list[str]:
    """The framework's functions and classes that a step and its helpers name, as `nn.Conv2d`, and the methods that
    they call, as `.backward()`; in the order of the file, each once. Empty without such a step."""
    try:
        module = Module(path.read_text("utf-8"), str(path))
        kept = module.needed([module.find(step)], VERBS)
    except NotFound:
        return []
    imported = {bound_by(alias): root for root, alias in _imports(module.statements)}
    names = {name for name, root in imported.items() if root not in NO_FRAMEWORK}
    own = {"self", *_fields(module.statements), *imported}
    code = [part for part in sorted(kept, key=first_line) if not isinstance(part, ast.Import | ast.ImportFrom)]
    return list(dict.fromkeys(name for part in code for name in _named(part, names, own)))


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
