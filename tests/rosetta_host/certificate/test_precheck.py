"""What is wrong with a folder is said before anything trains: all of it at once, with file and line."""

import logging

import pytest

from rosetta_host import __main__ as cli
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import WORKLOADS, UserError
from rosetta_host.certificate import judge, oracle, precheck
from rosetta_host.environments import external_python

INTRODUCTION = "nothing is trained before this is fixed:"


def cases():
    return list(frameworks.implementations()["alpha"].cases(list(WORKLOADS)))


def findings(require=precheck.require):
    with pytest.raises(UserError) as error:
        require(cases(), "cpu")
    introduction, *lines = str(error.value).split("\n  ")
    assert introduction == INTRODUCTION
    return lines


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def example(folder):
    return cases()[0].implementation.example(cases()[0].workload)


def line_of(path, text):
    return next(number for number, line in enumerate(path.read_text("utf-8").splitlines(), 1) if text in line)


def test_a_good_folder_passes(folder):
    precheck.require(cases(), "cpu")
    precheck.require_loaded(cases(), "cpu")


def test_every_finding_is_told_at_once(folder, example):
    edit(example, "def evaluate(", "def evaluated(")
    (folder / "requirements.txt").unlink()
    assert findings() == [
        f"alpha/{example.name}: it lacks the function evaluate.",
        "alpha/requirements.txt: the lock is missing; run: nox -s locks -- alpha",
    ]


def test_functions_out_of_order_are_named(example):
    text = example.read_text("utf-8")
    start, end = text.index("def predict("), text.index("def evaluate(")
    example.write_text(text.replace(text[start:end], "").replace("def train(", text[start:end] + "def train("), "utf-8")
    assert findings() == [
        f"alpha/{example.name}, line {line_of(example, 'def train')}: train must come before predict."
    ]


def test_a_function_that_is_still_to_be_written_says_what_it_returns(example):
    edit(example, "    return dict(model)", '    raise NotImplementedError("Return the weights.")')
    where = f"alpha/{example.name}, line {line_of(example, 'def export_weights')}"
    assert findings() == [f"{where}: export_weights is not written yet. Return the weights."]


@pytest.mark.parametrize(("old", "new"), [('"__main__"', '"__init__"'), ("    predict(model, x_test)\n", "")])
def test_a_file_ends_with_the_steps(example, old, new):
    edit(example, old, new)
    (finding,) = findings()
    assert finding.startswith(f"alpha/{example.name}, line {line_of(example, 'if __name__')}: the file must end with")


def test_a_syntax_error_has_its_line(example):
    edit(example, "def load_data():", "def load_data()")
    line = line_of(example, "def load_data()")
    assert findings() == [f"alpha/{example.name}, line {line}: this is not valid Python: expected ':'."]


def test_a_long_file_is_a_warning(example, caplog):
    example.write_text("# A comment.\n" * precheck.MOST_LINES + example.read_text("utf-8"), "utf-8")
    with caplog.at_level(logging.WARNING):
        precheck.require(cases(), "cpu")
    assert f"keep it to {precheck.MOST_LINES}" in caplog.text


def test_an_unknown_form_value_and_weight_have_file_and_line(folder):
    workload = cases()[0].workload
    name, values = next(iter(oracle.model(workload).forms.items()))
    toml = folder / "framework.toml"
    law = '{ law = "normal", scale = 1.0, reason = "r" }'
    toml.write_text(
        toml.read_text("utf-8")
        + f'[{workload}.forms]\n{name} = "neither"\nno_form = "x"\n[{workload}.start]\nno_weight = {law}\n',
        "utf-8",
    )
    value, form, weight = findings()
    assert value.startswith(f'alpha/framework.toml, line {line_of(toml, name)}: {name} is "{values[0]}" or')
    assert form.startswith(
        f'alpha/framework.toml, line {line_of(toml, "no_form")}: the {workload} has no form "no_form"'
    )
    assert weight.startswith(
        f"alpha/framework.toml, line {line_of(toml, 'no_weight')}: [{workload}.start] names no_weight"
    )


@pytest.mark.parametrize(
    ("pins", "finding"),
    [
        ("# NumPy\nnumpy==2.3.6\n", ", line 2: numpy==2.3.6 is not in requirements.txt; run: nox -s locks -- alpha"),
        ("numpy\nJax==0.6\n", ", line 2: Jax==0.6 is not in requirements.txt; run: nox -s locks -- alpha"),
        ("# none yet\n", ": it lists no package. List those that you import, as NAME==VERSION."),
        (None, ": the file is missing. List in it the packages that you import, as NAME==VERSION."),
    ],
)
def test_a_lock_is_made_from_its_pins(folder, pins, finding):
    path = folder / "requirements.in"
    path.unlink() if pins is None else path.write_text(pins, "utf-8")
    assert findings() == [f"alpha/requirements.in{finding}"]


def test_an_external_python_needs_no_lock(folder, monkeypatch):
    monkeypatch.setattr(external_python, "python", lambda: folder / "python")
    (folder / "requirements.txt").unlink()
    precheck.require(cases(), "cpu")


@pytest.mark.parametrize(
    ("returned", "finding"),
    [
        ("x, x, y", "returns 3 values, not x_train, x_test, y_train, y_test."),
        ("x.astype(np.float64), x, y, y", "returns x_train as float64; convert it to float32."),
        ("x, list(x), y, y", "returns x_test as list; return a NumPy array."),
        ("x, x, y[1:], y", "returns 4 samples in x_train and 3 labels in y_train."),
    ],
)
def test_the_data_are_looked_at_before_training(example, returned, finding):
    arrays = "    x, y = np.zeros((4, 2), np.float32), np.zeros(4, int)\n"
    edit(example, "    return imdb_for_library()", f"{arrays}    return {returned}")
    where = f"alpha/{example.name}, line {line_of(example, 'def load_data')}"
    assert findings(precheck.require_loaded) == [f"{where}: load_data {finding}"]


def test_an_example_that_cannot_be_imported_has_file_and_line(example):
    edit(example, "import time\n", "import time\nimport no_such_framework\n")
    (finding,) = findings(precheck.require_loaded)
    assert finding.startswith(f"alpha/{example.name}: load_data does not run: ModuleNotFoundError: No module named")
    assert finding.endswith(f"({example.name}, line {line_of(example, 'no_such_framework')})")


@pytest.mark.parametrize("command", ["certificate", "benchmark", "mutation"])
def test_a_command_ends_before_anything_runs(folder, example, monkeypatch, capsys, command):
    monkeypatch.setattr(judge, "checks", lambda *arguments: pytest.fail("something ran"))
    edit(example, "def evaluate(", "def evaluated(")
    (folder / "requirements.txt").unlink()
    assert cli.main([command, "alpha"]) == 2
    out = capsys.readouterr().out
    assert out.startswith(f"error: {INTRODUCTION}\n  alpha/{example.name}: it lacks the function evaluate.\n")
    assert "Traceback" not in out


def test_the_certificate_looks_at_the_data_first(example, monkeypatch, capsys):
    monkeypatch.setattr(judge, "checks", lambda *arguments: pytest.fail("something ran"))
    edit(example, "    return imdb_for_library()", "    return 1, 2, 3")
    assert cli.main(["certificate", "alpha"]) == 2
    assert "load_data" in capsys.readouterr().out
