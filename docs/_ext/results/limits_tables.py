"""Tables that are taken from the code, so that they cannot disagree with it."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from _ext.core import store as stores
from _ext.core.directives import OfWorkload
from _ext.core.numbers import Role
from _ext.results.results import table
from rosetta_common import weights
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import ROOT, VARIANTS, WORKLOADS
from rosetta_host.certificate import forms, limits, oracle


class CanonicalWeights(OfWorkload):
    """`{canonical-weights} NETWORK`: names and shapes of the canonical weights."""

    def content_nodes(self) -> list[nodes.Node]:
        shapes = weights.shapes(self.workload)
        body = [
            [nodes.literal("", name), nodes.inline("", " × ".join(map(str, shape)))] for name, shape in shapes.items()
        ]
        return [table(["Name", "Shape"], body, "The canonical weights")]


MUTATION = ROOT / "rosetta_host" / "mutation" / "runner.py"


def constant(name: str, path: Path) -> Any:
    """A constant of a module, read from its source: importing it would need all that fetches data and runs frameworks.

    Raises LookupError.
    """
    for statement in ast.parse(path.read_text("utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return ast.literal_eval(statement.value)
    raise LookupError(f"{path.name} defines no {name}")


def shown(limit: float) -> str:
    """A limit with all its digits: 7.5e-4."""
    digits, power = f"{limit:e}".split("e")
    return f"{float(digits):g}e{int(power)}"


class Limits(SphinxDirective):
    """`{limits}`: what the figures of a certificate are held against."""

    def run(self) -> list[nodes.Node]:
        stated = [limits.of(workload) for workload in WORKLOADS]
        per_workload = [own.checks for own in stated]
        rows = [[name, *(f"at most {shown(own[name])}" for own in per_workload)] for name in per_workload[0]]
        rows.append(["float64: each of these", *[f"at most {shown(limits.FLOAT64_LIMIT)}"] * len(WORKLOADS)])
        rows.append(["precision: rounding", *(f"at least {shown(own.rounding_floor)}" for own in stated)])
        rows.append(["precision: loss", *(f"at least {shown(own.loss_floor)}" for own in stated)])
        rows.append(["done: weights", *[f"at most {limits.WORK_LEFT:g}"] * len(WORKLOADS)])
        body = [[nodes.inline("", text) for text in row] for row in rows]
        title = "Limits in float32, on a CPU and on a GPU"
        networks = [workloads.get(workload).short for workload in WORKLOADS]
        return [table(["Check", *networks], body, title, {*networks})]


class FormValues(SphinxDirective):
    """`{form-values}`: every form that a folder may declare, with its values and what each computes."""

    def run(self) -> list[nodes.Node]:
        body: list[list[nodes.Node]] = []
        for workload in WORKLOADS:
            explained = forms.explanations(workload)
            for name, values in oracle.model(workload).forms.items():
                quoted = ", ".join(f'"{value}"' for value in values)
                texts = nodes.literal("", name), nodes.inline("", quoted), nodes.inline("", f"{explained[name]}.")
                body.append([nodes.inline("", workloads.get(workload).short), *texts])
        head = ["Network", "Form", "Values, the default first", "What they compute"]
        return [table(head, body, "The forms")]


class Constant(Role):
    """{constant}`certificate/precheck.MOST_LINES`: a constant of a module of the host, read from its source."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        module, _, name = self.text.rpartition(".")
        path = ROOT / "rosetta_host" / f"{module}.py"
        try:
            value = constant(name, path)
        except (LookupError, OSError) as error:
            return self.warn(str(error))
        return [nodes.inline("", str(value))], []


class Mutants(SphinxDirective):
    """`{mutation}`: the deliberate errors that a certificate has to catch, and how many the examples carry."""

    def run(self) -> list[nodes.Node]:
        store = stores.store(self.config)
        paths = sorted(store.examples.glob("*/mutants.toml"))
        or_reason = constant("REQUIRED_OR_REASON", MUTATION)
        required = {workload: {**workloads.required(workload, VARIANTS), **or_reason} for workload in WORKLOADS}
        carried = [
            (workload, name)
            for path in paths
            for workload, tables in tomllib.loads(path.read_text("utf-8")).items()
            for name, table in tables.items()
            # What costs time alone has to pass, and what is of a GPU alone is not tried here.
            if table.get("edits") and not table.get("harmless") and table.get("device") != "gpu"
        ]
        body = [
            [
                nodes.inline("", text)
                for text in (workloads.get(workload).short, words, str(carried.count((workload, name))))
            ]
            for workload, errors in required.items()
            for name, words in errors.items()
        ]
        others = sorted({name for workload, name in carried if name not in required.get(workload, {})})
        beside = f" Some examples also carry: {', '.join(others).replace('_', ' ')}." if others else ""
        title = "Errors that a certificate has to catch"
        made = table(["Network", "Error", "Folders that carry it"], body, title, {"Folders that carry it"})
        last = len(or_reason)
        excused = f" An example may leave out the last {last} of each network if its framework cannot make them."
        total = f"There are {len(carried)} errors in {len(paths)} folders."
        return [made, nodes.paragraph("", total + beside + excused)]


def setup(app: Sphinx) -> None:
    app.add_directive("limits", Limits)
    app.add_directive("mutation", Mutants)
    app.add_directive("canonical-weights", CanonicalWeights)
    app.add_directive("form-values", FormValues)
    app.add_role("constant", Constant())
