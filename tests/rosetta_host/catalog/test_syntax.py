"""Syntax trees, from any thread."""

from __future__ import annotations

import ast
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rosetta_host.catalog import syntax


def test_threads_parse_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    parse, at_work, most = ast.parse, [], []

    def slow(text: str, where: str) -> ast.Module:
        at_work.append(text)
        time.sleep(0.01)
        most.append(len(at_work))
        at_work.remove(text)
        return parse(text, where)

    monkeypatch.setattr(ast, "parse", slow)
    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(syntax.parse, ["x = 1"] * 8))
    assert max(most) == 1
    assert {ast.unparse(tree) for tree in trees} == {"x = 1"}


def test_what_is_not_python_is_an_error() -> None:
    with pytest.raises(SyntaxError) as error:
        syntax.parse("def", "some.py")
    assert error.value.filename == "some.py"
