"""A script cut into cells: by verb, in order, complete; and whether an executed notebook is still of that script."""

from __future__ import annotations

import ast
import json
from itertools import groupby
from pathlib import Path

import pytest

from rosetta_common.run import VERBS
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Implementation, UserError
from rosetta_host.publishing import notebooks, standalone
from rosetta_host.publishing.notebooks import Cell

GROUPS = [
    list(group)
    for _, group in groupby(frameworks.implementations().values(), lambda implementation: implementation.folder.name)
]
REAL = [
    pytest.param(implementation, implementations, w, id=f"{implementation.id}-{w}")
    for implementations in GROUPS
    for implementation in implementations
    for w in implementation.workloads
]


def code(found: list[Cell]) -> list[str]:
    return [cell.text for cell in found if cell.kind == "code"]


def tree(text: str) -> list[str]:
    return [ast.unparse(statement) for statement in ast.parse(text).body]


@pytest.mark.parametrize(("implementation", "implementations", "workload"), REAL)
def test_every_statement_of_a_script_is_in_its_notebook_and_in_order(
    implementation: Implementation, implementations: list[Implementation], workload: str
) -> None:
    script = standalone.script(implementations, workload)
    statements = ast.parse(script.text).body[1:]  # the docstring is the first cell's text
    main = statements.pop()
    own = [ast.unparse(statement) for statement in statements]
    steps = [ast.unparse(statement) for statement in main.body]
    found = tree("\n".join(code(notebooks.cells(script, implementation))))
    added = [text for text in found if text not in own + steps]
    assert [text for text in found if text in own] == own
    assert [text for text in found if text in steps] == steps
    shown = ("print(", f"{script.params}.epochs = 1", "import_weights(model", "for name, weight in export_weights")
    assert all(text.startswith(shown) for text in added), added


@pytest.mark.parametrize(("implementation", "implementations", "workload"), REAL)
def test_a_step_of_the_run_comes_after_the_verb_that_it_calls(
    implementation: Implementation, implementations: list[Implementation], workload: str
) -> None:
    known: set[str] = set()
    for text in code(notebooks.cells(standalone.script(implementations, workload), implementation)):
        defined = {one.name for one in ast.parse(text).body if isinstance(one, ast.FunctionDef)}
        assert len(defined & set(notebooks.HEADINGS)) <= 1
        called = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
        assert defined or not (called & set(VERBS)) - known
        known |= defined


def test_a_step_waits_for_what_its_verb_calls_and_nothing_is_lost() -> None:
    text = """def init_model(symbol):
    return helper(symbol)


def export_weights(model):
    return model


def helper(symbol):
    return export_weights(symbol)


if __name__ == "__main__":
    model = init_model(
        None
    )
"""
    script = standalone.Script("It.", "import os", {"The example": text}, "params")
    found = code(notebooks.cells(script, next(iter(frameworks.implementations().values()))))
    first, rest = text.partition("\n\n\n")[0], text.partition("\n\n\n")[2].partition("\n\n\nif")[0]
    shown = notebooks.MOVED["export_weights"]
    assert found == ["import os", first, rest, "model = init_model(\n    None\n)", shown]


def test_a_notebook_says_what_it_is_and_that_it_ran_on_the_sample() -> None:
    (implementation,) = next(implementations for implementations in GROUPS if len(implementations) == 1)
    script = standalone.script([implementation], "cnn")
    first, *others = notebooks.cells(script, implementation)
    assert first.text.startswith(f"# {script.docstring.splitlines()[0].rstrip('.')}\n")
    assert f"was run** with {implementation.name} " in first.text
    assert "few samples" in first.text
    headings = [cell.text.lstrip("# ") for cell in others if cell.text.startswith("### ")]
    verbs = [name for name in notebooks.HEADINGS if f"\ndef {name}(" in script.text]
    assert headings == [notebooks.HEADINGS[name] for name in verbs]


def test_the_percent_format_marks_text_as_comments() -> None:
    found = notebooks.percent([Cell("markdown", "# Title\n\nText"), Cell("code", "x = 1\n\n\ny = 2")])
    assert found == "# %% [markdown]\n# # Title\n#\n# Text\n\n# %%\nx = 1\n\n\ny = 2\n"


@pytest.fixture
def written(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Implementation, Path]:
    """An implementation with a folder of its own, and a notebook of its present code and lock."""
    folder = tmp_path / "examples" / "alpha"
    folder.mkdir(parents=True)
    toml = 'name="Alpha"\npackage="alpha"\nsince="2020"\nhome_page="h"\n[environment]\npython="3.11"\n'
    (folder / "framework.toml").write_text(toml, "utf-8")
    (folder / "requirements.txt").write_text("alpha==1\n", "utf-8")
    text = "from workloads.gru import imdb_for_library\n\n\ndef load_data():\n    return imdb_for_library()\n"
    (folder / "gru.py").write_text(text, "utf-8")
    implementation = frameworks.implementations(tmp_path / "examples")["alpha"]
    digests = notebooks.digests(standalone.script([implementation], "gru"), implementation)
    path = notebooks.path(implementation, "gru", tmp_path)
    path.write_text(json.dumps({"metadata": {notebooks.KEY: {"digests": digests}}}), "utf-8")
    return implementation, path


def state(implementation: Implementation, path: Path) -> tuple[str, str]:
    found = notebooks.state(implementation, [implementation], "gru", path.parent)
    return found.state, found.why


def test_a_notebook_of_the_present_code_and_lock_is_current(written: tuple[Implementation, Path]) -> None:
    implementation, path = written
    assert state(implementation, path) == ("current", "")
    example = implementation.example("gru")
    example.write_text("# A comment.\n" + example.read_text("utf-8"), "utf-8")
    assert state(implementation, path)[0] == "current"


def test_another_code_or_lock_makes_it_stale(written: tuple[Implementation, Path]) -> None:
    implementation, path = written
    (implementation.folder / "requirements.txt").write_text("alpha==2\n", "utf-8")
    assert state(implementation, path) == ("stale", "the lock changed since it ran")
    example = implementation.example("gru")
    example.write_text(example.read_text("utf-8").replace("library()\n", "library(one_hot=True)\n"), "utf-8")
    assert state(implementation, path) == ("stale", "the code and the lock changed since it ran")


def test_the_shared_helpers_are_part_of_its_code(
    written: tuple[Implementation, Path], monkeypatch, tmp_path: Path
) -> None:
    implementation, path = written
    shared = tmp_path / "shared"
    shared.mkdir()
    for name in ("standalone_data", "data"):
        text = (standalone.SHARED / f"{name}.py").read_text("utf-8")
        (shared / f"{name}.py").write_text(text.replace("timeout=60", "timeout=61"), "utf-8")
    monkeypatch.setattr(standalone, "SHARED", shared)
    assert state(implementation, path) == ("stale", "the code changed since it ran")


def test_a_missing_notebook_is_missing(written: tuple[Implementation, Path]) -> None:
    implementation, path = written
    path.unlink()
    assert state(implementation, path) == ("missing", "not run yet")


@pytest.mark.parametrize("content", ["", "{}", '{"metadata": {"rosetta": 3}}', '{"metadata": {"rosetta": {}}}'])
def test_a_file_that_is_no_executed_notebook_is_one_sentence(
    written: tuple[Implementation, Path], content: str
) -> None:
    implementation, path = written
    path.write_text(content, "utf-8")
    with pytest.raises(UserError, match=r"^alpha-gru\.ipynb "):
        state(implementation, path)
