"""Tables that are taken from the code, so that they cannot disagree with it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from rosetta_common import weights
from rosetta_common.host.catalogue import ROOT, WORKLOADS

from . import store as stores
from .results import _Workload, table


class CanonicalWeights(_Workload):
    """`{canonical-weights} cnn`: names and shapes of the canonical weights."""

    def content_nodes(self) -> list[nodes.Node]:
        stores.note(self.env, Path(weights.__file__))
        shapes = weights.shapes(self.workload)
        body = [
            [nodes.literal("", name), nodes.inline("", " × ".join(map(str, shape)))] for name, shape in shapes.items()
        ]
        return [table(["Name", "Shape"], body, "The canonical weights")]


CERTIFICATE = ROOT / "rosetta_common" / "host" / "certificate.py"


def constant(name: str) -> Any:
    """A constant of certificate.py, read from its source: importing it would need all that fetches data."""
    for statement in ast.parse(CERTIFICATE.read_text("utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return ast.literal_eval(statement.value)
    raise LookupError(f"{CERTIFICATE.name} defines no {name}")


class Limits(SphinxDirective):
    """`{limits}`: what the figures of a certificate are held against."""

    def run(self) -> list[nodes.Node]:
        stores.note(self.env, CERTIFICATE)
        limits = constant("LIMITS")
        body = [
            [nodes.inline("", name), *(nodes.inline("", f"{limits[workload][name]:.0e}") for workload in WORKLOADS)]
            for name in limits[WORKLOADS[0]]
        ]
        body.append(
            [
                nodes.inline("", "float64: all of them"),
                *(nodes.inline("", f"{constant('FLOAT64_LIMIT'):.0e}") for _ in WORKLOADS),
            ]
        )
        return [table(["Check", *map(str.upper, WORKLOADS)], body, "Limits in float32 on a CPU", {"CNN", "GRU"})]


def setup(app: Sphinx) -> None:
    app.add_directive("limits", Limits)
    app.add_directive("canonical-weights", CanonicalWeights)
