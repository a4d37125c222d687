"""Python on the pages, with no mark around what has the color of plain text, nor around operators.

These are most of a code's tokens: marked, names and punctuation were a tenth of the heaviest page, and operators
another fifteenth. An operator's color is given up for it: in code that is read for its names and its keywords it
says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pygments.lexers.python import PythonLexer
from pygments.token import Name, Operator, Punctuation, Text, Whitespace, _TokenType
from sphinx.application import Sphinx

PLAIN = (Name, Name.Namespace, Punctuation, Whitespace)
UNMARKED = (*PLAIN, Operator)


class PlainNames(PythonLexer):
    """Pygments' Python, with the tokens of UNMARKED as text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"stripnl": False, **options})

    def get_tokens_unprocessed(
        self, text: str, stack: tuple[str, ...] = ("root",)
    ) -> Iterator[tuple[int, _TokenType, str]]:
        for index, token, value in super().get_tokens_unprocessed(text, stack):
            yield index, Text if token in UNMARKED else token, value


def setup(app: Sphinx) -> None:
    app.add_lexer("python", PlainNames)
