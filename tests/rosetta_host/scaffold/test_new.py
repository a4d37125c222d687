"""A new folder is valid, names all that is left to write, and is written whole or not at all."""

import ast
import inspect
import re
import shutil
import tomllib

import msgspec
import pytest

from rosetta_host import __main__ as cli
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import WORKLOADS, UserError
from rosetta_host.certificate import oracle, precheck
from rosetta_host.mutation import mutants, runner
from rosetta_host.scaffold import new


@pytest.fixture
def examples(tmp_path, monkeypatch):
    """The folder of examples, with one framework that pages show first."""
    (model,) = (
        implementation
        for implementation in frameworks.implementations().values()
        if implementation.framework.shown_first
    )
    path = tmp_path / "examples"
    shutil.copytree(model.folder, path / model.folder.name)
    monkeypatch.setattr(frameworks, "EXAMPLES", path)
    return path


@pytest.fixture
def implementation(examples):
    new.create("my_framework")
    return frameworks.implementations()["my_framework"]


def test_the_folder_is_valid_and_has_every_workload(implementation):
    assert implementation.name == "My Framework"
    assert implementation.workloads == list(WORKLOADS)
    for workload in WORKLOADS:
        text = (implementation.folder / "framework.toml").read_text("utf-8")
        assert all(f'\n# {name} = "{value}"\n' in text for name, value in oracle.settle(workload).items())
        assert mutants.offered(implementation, workload) == {}


def test_the_functions_are_those_of_an_example_with_its_arguments(implementation):
    model = next(one for one in frameworks.implementations().values() if one.framework.shown_first)
    for workload in WORKLOADS:
        arguments = [
            {
                node.name: ast.unparse(node.args)
                for node in ast.parse(one.example(workload).read_text("utf-8")).body
                if isinstance(node, ast.FunctionDef) and node.name in precheck.VERBS
            }
            for one in (implementation, model)
        ]
        assert arguments[0] == arguments[1]
        assert list(arguments[0]) == list(precheck.VERBS)


def test_the_certificate_says_what_is_left_to_do_and_nothing_else(implementation):
    with pytest.raises(UserError) as error:
        precheck.require(implementation.cases(list(WORKLOADS)), "cpu")
    _, *findings = str(error.value).split("\n  ")
    unwritten = [finding for finding in findings if "is not written yet. " in finding]
    assert len(unwritten) == len(WORKLOADS) * len(precheck.VERBS)
    assert [finding for finding in findings if finding not in unwritten] == [
        "my_framework/requirements.in: it lists no package. List those that you import, as NAME==VERSION."
    ]


def test_every_key_of_framework_toml_is_explained(implementation):
    text = (implementation.folder / "framework.toml").read_text("utf-8")
    for struct in (frameworks.Framework, frameworks.Environment, frameworks.Example):
        for field in msgspec.structs.fields(struct):
            assert f"{field.name} = " in text or f"{field.name}]" in text, field.name
    assert all(line.startswith(("#", "[")) or "=" in line for line in text.splitlines() if line)


def test_what_is_commented_out_is_valid_as_well(implementation):
    toml = implementation.folder / "framework.toml"
    lines = [line.removeprefix("# ") for line in toml.read_text("utf-8").splitlines()]
    keys = [line for line in lines if re.match(r"\w+ = |\[", line)]
    raw = tomllib.loads("\n".join(keys))
    raw.pop("backend")
    for workload in WORKLOADS:
        msgspec.convert(raw.pop(workload), frameworks.Example)
    assert msgspec.convert(raw, frameworks.Framework).retired


def test_the_required_mutants_are_valid_once_they_are_uncommented(implementation):
    text = (implementation.folder / "mutants.toml").read_text("utf-8")
    lines = [line.removeprefix("# ") for line in text.splitlines() if line.startswith(("# [", "# edits"))]
    tables = tomllib.loads("\n".join(lines))
    for workload in WORKLOADS:
        assert list(tables[workload]) == [*runner.required(workload), *runner.REQUIRED_OR_REASON]


@pytest.mark.parametrize("name", ["my-framework", "MyFramework", "2layer", "", "../up", "mine.py"])
def test_a_name_that_cannot_be_writes_nothing(examples, name):
    before = sorted(examples.iterdir())
    with pytest.raises(UserError, match="A folder cannot be called"):
        new.create(name)
    assert sorted(examples.iterdir()) == before


def test_a_folder_that_is_there_stays_as_it_is(implementation):
    (implementation.folder / "requirements.in").write_text("mine==1.0\n", "utf-8")
    with pytest.raises(UserError, match="examples/my_framework is there already"):
        new.create("my_framework")
    assert (implementation.folder / "requirements.in").read_text("utf-8") == "mine==1.0\n"


def test_what_fails_leaves_nothing_behind(examples, monkeypatch):
    before = sorted(examples.parent.rglob("*"))
    write = new.Path.write_text

    def full(path, *arguments):
        if path.suffix == ".toml":
            raise OSError("the disk is full")
        return write(path, *arguments)

    monkeypatch.setattr(new.Path, "write_text", full)
    with pytest.raises(OSError, match="the disk is full"):
        new.create("my_framework")
    assert sorted(examples.parent.rglob("*")) == before


def test_the_command_prints_what_comes_next(examples, capsys):
    assert cli.main(["new", "mine"]) == 0
    out = capsys.readouterr().out
    assert "nox -s locks -- mine\n" in out
    assert all(f"nox -s certificate -- --workload {workload} mine\n" in out for workload in WORKLOADS)
    assert cli.main(["new", "my-framework"]) == 2
    assert capsys.readouterr().out.startswith("error: A folder cannot be called 'my-framework'")


def test_an_unfinished_function_raises(implementation):
    for workload in WORKLOADS:
        namespace = {"__name__": "example"}
        exec(implementation.example(workload).read_text("utf-8"), namespace)
        for name in precheck.VERBS:
            function = namespace[name]
            with pytest.raises(NotImplementedError, match=r"\.$"):
                function(*[None] * len(inspect.signature(function).parameters))
