"""Python on the pages, with no mark around what has the colour of plain text.

Names and punctuation are most of a code's tokens: marked, they were a tenth of the heaviest page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pygments.lexers.python import PythonLexer
from pygments.token import Name, Punctuation, Text, Whitespace, _TokenType
from sphinx.application import Sphinx

PLAIN = (Name, Name.Namespace, Punctuation, Whitespace)


class PlainNames(PythonLexer):
    """Pygments' Python, with the tokens of PLAIN as text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"stripnl": False, **options})

    def get_tokens_unprocessed(
        self, text: str, stack: tuple[str, ...] = ("root",)
    ) -> Iterator[tuple[int, _TokenType, str]]:
        for index, token, value in super().get_tokens_unprocessed(text, stack):
            yield index, Text if token in PLAIN else token, value


def setup(app: Sphinx) -> None:
    app.add_lexer("python", PlainNames)
