"""`{feeds}`: in a sentence, which examples draw their mini-batches from the shared generator. Read from their code."""

from __future__ import annotations

import ast
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from _ext.core import store as stores
from _ext.core.folders import by_folder
from _ext.core.numbers import Role
from _ext.snippets.source import VERBS
from rosetta_host.catalog.frameworks import WORKLOADS
from rosetta_host.publishing.source import Module, NotFound

GENERATOR = "minibatches"  # of rosetta_common/data.py


def shares(path: Path) -> bool:
    """Whether `train` of an example, with the helpers that it calls, draws from the shared generator."""
    try:
        module = Module(path.read_text("utf-8"), str(path))
        kept = module.needed([module.find("train")], VERBS)
    except NotFound:
        return False
    named = (node for statement in kept for node in ast.walk(statement) if isinstance(node, ast.Name))
    return any(node.id == GENERATOR for node in named)


def sentence(others: list[str]) -> str:
    """The sentence, from the names of the frameworks that draw their own batches in at least one example."""
    if not others:
        return "All examples draw their mini-batches from one shared generator."
    names = " and ".join(filter(None, (", ".join(others[:-1]), others[-1])))
    return (
        f"The examples draw their mini-batches from one shared generator, except those of {names}, where the "
        "framework itself shuffles the data and draws the mini-batches."
    )


class Feeds(Role):
    """The sentence; the text names what it is about, `batches`, and nothing else is known."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        if self.text != "batches":
            return self.warn(f"{self.text!r} is not known; write {{feeds}}`batches`")
        store = stores.store(self.config)
        paths = {
            implementations[0].title: [
                path for workload in WORKLOADS if (path := implementations[0].example(workload)).exists()
            ]
            for implementations in by_folder(store.implementations.values()).values()
        }
        others = [title for title, of_folder in paths.items() if not all(map(shares, of_folder))]
        return [nodes.inline("", sentence(sorted(others, key=str.casefold)))], []


def setup(app: Sphinx) -> None:
    app.add_role("feeds", Feeds())
