"""A page for each question about the defaults, with the code that asked it; written when a build starts.

One page for all of them would be too heavy to load. Git ignores the pages. `{operations}` lists them.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

from _ext.core.answers import name_of
from _ext.core.laid_out import lay_out
from _ext.core.links import page_link
from rosetta_host.defaults import spec

ARTICLES = ("a ", "an ", "the ")
PAGE = """---
orphan: true
---
# {title}: the code that asked

{sentence}: each function below builds it from its required arguments alone and returns arrays, from which the host
infers the answers under the function. [All questions](../defaults/probes.md) are asked in this way; the answers of all
frameworks are among [the defaults](../defaults/index.md).

```{{probes}} {question}
```
"""


def title(question: str) -> str:
    """What to call a question in a heading: "Dense layer" of "A dense layer, given its sizes"."""
    name = name_of(question)
    for article in ARTICLES:
        name = name.removeprefix(article)
    return f"{name[0].upper()}{name[1:]}"


def pages() -> dict[str, bytes]:
    """The page of each question."""
    return {
        question: PAGE.format(title=title(question), sentence=sentence, question=question).encode()
        for question, (sentence, _) in spec.QUESTIONS.items()
    }


class Operations(SphinxDirective):
    """A list of links to the pages."""

    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        places = {question: f"{self.config.rosetta_operations}/{question}" for question in spec.QUESTIONS}
        links = [
            page_link(page, title(question), "") for question, page in places.items() if page in self.env.found_docs
        ]
        items = (nodes.list_item("", nodes.paragraph("", "", link)) for link in links)
        return [nodes.bullet_list("", *items, classes=["rosetta-operations"])]


def _start(app: Sphinx) -> None:
    if app.config.rosetta_operations:
        lay_out(Path(app.srcdir, app.config.rosetta_operations), pages())


def setup(app: Sphinx) -> None:
    app.add_config_value("rosetta_operations", "", "env")
    app.connect("builder-inited", _start)
    app.add_directive("operations", Operations)
