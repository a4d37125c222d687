"""Notebooks as they are executed: on the sample, beside the locked packages, which are not written to."""

import json
import os
import sys
from pathlib import Path

import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.environments import environment
from rosetta_host.environments.environment import Unsupported
from rosetta_host.publishing import kernels, notebooks

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
MAIN = """

if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
"""
VARIABLES = '[environment.variables]\nKEPT = { value = "{environment}/kept", reason = "r" }\n'


@pytest.fixture
def example(folder):
    """examples/alpha/gru.py, which ends as an example does, on the Python that runs the tests."""
    toml = folder / "framework.toml"
    toml.write_text(toml.read_text("utf-8").replace("3.11", VERSION) + VARIABLES, "utf-8")
    path = folder / "gru.py"
    functions, _, _ = path.read_text("utf-8").partition("\n\nif __name__")
    path.write_text(functions + MAIN, "utf-8")
    return path


def make(folder):
    implementation = frameworks.implementations()["alpha"]
    return implementation, kernels.make(implementation, [implementation], "gru", folder)


def printed(path):
    book = json.loads(path.read_text("utf-8"))
    outputs = [output for cell in book["cells"] for output in cell.get("outputs", [])]
    return "".join("".join(output["text"]) for output in outputs)


def change(example, old, new):
    text = example.read_text("utf-8")
    assert old in text
    example.write_text(text.replace(old, new), "utf-8")


def test_a_notebook_is_executed_on_the_sample_for_one_epoch(example, tmp_path):
    change(example, "    return 0.5", "    print(sum([20, 22]), file=__import__('sys').stderr); return 0.5")
    implementation, path = make(tmp_path / "notebooks")
    output = printed(path).splitlines()
    assert output[0] == "int32 (1280, 150)"
    assert [line for line in output if line.startswith("epoch")] == ["epoch 1: loss 0.5000"]
    assert [line.partition(":")[0] for line in output if line.startswith("acc")] == ["accuracy"]
    assert "a note" not in path.read_text("utf-8").partition("outputs")[2].replace(example.read_text("utf-8"), "").join(
        output
    )
    assert notebooks.state(implementation, [implementation], "gru", path.parent).state == "current"
    assert [one.name for one in path.parent.iterdir()] == ["alpha-gru.ipynb"]


def test_what_a_run_keeps_in_its_environment_is_kept_elsewhere(example, tmp_path):
    change(example, "    return 0.5", "    open(os.environ['KEPT'], 'w').close(); return 0.5")
    make(tmp_path)
    assert not (Path(sys.executable).parents[1] / "kept").exists()
    assert not (environment.folder_of(frameworks.implementations()["alpha"]) / "kept").exists()


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("    return 1 / 0", "ZeroDivisionError: division by zero"),
        ("    print(os.path.expanduser('~')); return 0.5", "its output names .*, a folder of this machine"),
        ("    os._exit(3)", "Kernel died"),
        ("    __import__('rosetta_common')", "No module named 'rosetta_common'"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_nothing_is_written(example, tmp_path, new, reason):
    change(example, "    return 0.5", new)
    with pytest.raises(UserError, match=reason) as error:
        make(tmp_path / "notebooks")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "notebooks").exists()


def test_what_is_current_is_not_executed_again(example, tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    monkeypatch.setattr(
        kernels,
        "make",
        lambda implementation, implementations, workload: tmp_path / f"{implementation.id}-{workload}.ipynb",
    )
    implementations, messages = list(frameworks.implementations().values()), []
    assert list(kernels.make_all(implementations, implementations, ["gru"], False, messages.append)) == ["ok"]
    monkeypatch.setattr(notebooks, "state", lambda implementation, *_: notebooks.Notebook(tmp_path, "current"))
    assert list(kernels.make_all(implementations, implementations, ["gru"], False, messages.append)) == ["ok"]
    assert list(kernels.make_all(implementations, implementations, ["gru"], True, messages.append)) == ["ok"]
    made = f"alpha gru: {os.path.relpath(tmp_path)}/alpha-gru.ipynb (0 s)"
    assert messages == [made, "alpha gru: current", made]


def test_every_python_of_an_implementation_has_a_kernel():
    for implementation in frameworks.implementations().values():
        assert "ipykernel==" in kernels.lock(implementation.environment.python).read_text("utf-8")
    assert kernels.lock("3.99").name == "kernel.txt"
    with pytest.raises(Unsupported, match=r"no kernel for Python 3\.5: add requirements/kernel-3\.5\.in"):
        kernels.lock("3.5")
