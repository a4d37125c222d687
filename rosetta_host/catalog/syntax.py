"""Syntax trees of Python files, from any thread."""

from __future__ import annotations

import ast
import threading

_parsing = threading.Lock()


def parse(text: str, where: str = "the text") -> ast.Module:
    """The syntax tree of a text. Raises SyntaxError.

    One at a time: Python 3.11 keeps one depth for the trees of all threads and raises SystemError if they disagree.
    """
    with _parsing:
        return ast.parse(text, where)
