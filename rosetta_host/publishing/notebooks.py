"""The scripts as notebooks: cut into cells by verb, each under a heading, and the state of those that were executed.

Executed notebooks lie in docs/notebooks, `<implementation>-<workload>.ipynb`; each states the digests of its code and
its lock, so that one of other code or another lock is recognized as stale. `kernels` executes them."""

from __future__ import annotations

import ast
import json
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from rosetta_host.catalog import syntax
from rosetta_host.catalog.frameworks import ROOT, TUNED, Implementation, UserError
from rosetta_host.environments.digests import environment_digest, text_digest
from rosetta_host.publishing import instructions, standalone
from rosetta_host.publishing.source import Module, is_main
from rosetta_host.publishing.standalone import Script

FOLDER = ROOT / "docs" / "notebooks"
KEY = "rosetta"  # of this project's part of a notebook's metadata

HEADINGS = {
    "load_data": "Load data",
    "create_symbol": "The network",
    "init_model": "Loss, optimizer and initial weights",
    "train": "Training on mini-batches",
    "train_with_loader": "Training with the framework's own data loader",
    "train_compiled": "Training, compiled",
    "train_eager": "Training, step by step",
    TUNED: "Training, tuned",
    "predict": "Predict",
    "evaluate": "Evaluate",
    "export_weights": "Moving weights: out",
    "import_weights": "Moving weights: in",
}
# The functions whose arrays a notebook shows, beside the output of the script.
SHOWN = {"load_data", "predict"}
MOVED = {
    "export_weights": "for name, weight in export_weights(model).items():\n    print(name, weight.dtype, weight.shape)",
    "import_weights": "import_weights(model, export_weights(model))",
}
RAN = (
    "**This notebook was run** with {name} on Python {python}, for one epoch on the few samples that come with "
    "{project}: enough to see that it works, far too few to learn from. What was written to standard error is left out."
)
KEPT_SHORT = "One epoch only. To train in earnest, take this line out, and fetch the data as the text above says."
ONE_EPOCH = "{params}.epochs = 1"

State = Literal["current", "stale", "missing"]


class Cell(msgspec.Struct, frozen=True):
    """One cell: Markdown or code."""

    kind: Literal["markdown", "code"]
    text: str


class Notebook(msgspec.Struct, frozen=True):
    """An implementation's notebook: its state, and in words why it is not current."""

    path: Path
    state: State
    why: str = ""


def path(implementation: Implementation, workload: str, folder: Path | None = None) -> Path:
    """Where an implementation's executed notebook lies."""
    return (folder or FOLDER) / f"{implementation.id}-{workload}.ipynb"


def cells(script: Script, implementation: Implementation) -> list[Cell]:
    """A script as cells: head, hyperparameters, data, and the example with each step of its run below its verb."""
    title, _, rest = script.docstring.partition("\n")
    name = f"{implementation.name} {instructions.version(implementation) or ''}".strip()
    ran = RAN.format(name=name, python=implementation.environment.python, project=standalone.PROJECT)
    result = [Cell("markdown", f"# {title.rstrip('.')}\n\n{ran}\n{rest}"), Cell("code", script.imports)]
    *shared, (heading, example) = script.sections.items()
    for number, (title, code) in enumerate(shared):
        result += [Cell("markdown", f"## {title}"), Cell("code", code)]
        if number == 0:
            result += [Cell("markdown", KEPT_SHORT), Cell("code", ONE_EPOCH.format(params=script.params))]
    return [*result, Cell("markdown", f"## {heading}"), *_example(example)]


def _example(text: str) -> Iterator[Cell]:
    """The example's cells, one a verb with what stands between it and the verb before; the run's steps in between."""
    module = Module(text, "the example")
    verbs = [
        statement
        for statement in module.statements
        if isinstance(statement, ast.FunctionDef) and statement.name in HEADINGS
    ]
    main = next(
        (statement for statement in module.statements if isinstance(statement, ast.If) and is_main(statement)), None
    )
    steps = _placed(module, main, [verb.name for verb in verbs])
    start = 0
    for verb in verbs:
        end = verb.end_lineno or 0
        if verb is verbs[-1]:  # the lines below the last verb belong to it
            end = main.lineno - 1 if main else len(module.lines)
        yield Cell("markdown", f"### {HEADINGS[verb.name]}")
        yield Cell("code", "\n".join(module.lines[start:end]).strip("\n"))
        yield from (Cell("code", step) for step in steps[verb.name])
        start = end


def _placed(module: Module, main: ast.If | None, verbs: list[str]) -> dict[str, list[str]]:
    """The steps of a run in order, each after the last verb that it needs, directly or indirectly."""
    placed: dict[str, list[str]] = {verb: [] for verb in verbs}
    position = 0
    for step in _steps(module, main, verbs) if main else ():
        called = [module.find(name) for name in _names(syntax.parse(step)) if name in verbs]
        needed = {statement.name for statement in module.needed(called) if isinstance(statement, ast.FunctionDef)}
        position = max([position, *(number for number, verb in enumerate(verbs) if verb in needed)])
        placed[verbs[position]].append(step)
    return placed


def _steps(module: Module, main: ast.If, verbs: list[str]) -> Iterator[str]:
    """The statements of the `if __name__` block, each with what a notebook shows beside it, and the weights moved."""
    for statement in main.body:
        step = textwrap.dedent("\n".join(module.lines[statement.lineno - 1 : statement.end_lineno]))
        if isinstance(statement, ast.Assign) and set(_names(statement.value)) & SHOWN:
            step += "".join(f"\nprint({name}.dtype, {name}.shape)" for name in _names(statement.targets[0]))
        yield step
    yield from (MOVED[verb] for verb in verbs if verb in MOVED)


def _names(tree: ast.AST) -> list[str]:
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]


def percent(notebook_cells: Iterable[Cell]) -> str:
    """The cells as a script in the percent format, which editors and jupytext read."""
    blocks = []
    for cell in notebook_cells:
        if cell.kind == "markdown":
            blocks.append("# %% [markdown]\n" + "\n".join(f"# {line}".rstrip() for line in cell.text.splitlines()))
        else:
            blocks.append("# %%\n" + cell.text)
    return "\n\n".join(blocks) + "\n"


def digests(script: Script, implementation: Implementation) -> dict[str, str]:
    """The digests of a notebook: of the code of its cells, without comments and docstrings, and of the lock."""
    code = "\n".join(cell.text for cell in cells(script, implementation) if cell.kind == "code")
    return {"code": text_digest(code), "lock": environment_digest(implementation)}


def state(
    implementation: Implementation, implementations: list[Implementation], workload: str, folder: Path | None = None
) -> Notebook:
    """Whether a notebook is there and current. Raises UserError where the file is another implementation's."""
    where = path(implementation, workload, folder)
    if not where.exists():
        return Notebook(where, "missing", "not run yet")
    before = _metadata(where).get("digests")
    now = digests(standalone.script(implementations, workload), implementation)
    if not isinstance(before, dict):
        raise UserError(
            f"{where.name} does not say what it is a run of: remove it, or run nox -s notebooks -- {implementation.id}."
        )
    changed = [name for name, digest in now.items() if before.get(name) != digest]
    return (
        Notebook(where, "stale", f"the {' and the '.join(changed)} changed since it ran")
        if changed
        else Notebook(where, "current")
    )


def _metadata(where: Path) -> dict[str, Any]:
    """This project's part of a notebook's metadata. Raises UserError."""
    try:
        metadata = json.loads(where.read_text("utf-8"))["metadata"][KEY]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{where.name} is not an executed notebook of this project ({type(error).__name__}).") from None
    return metadata if isinstance(metadata, dict) else {}
