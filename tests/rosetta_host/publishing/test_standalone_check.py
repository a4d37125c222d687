"""Scripts run as a reader would run them, and what is no proof of that is noticed."""

import re

import pytest

from rosetta_host import __main__ as cli
from rosetta_host.catalog import frameworks
from rosetta_host.environments import environment
from rosetta_host.publishing import standalone_check

MAIN = """

if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    model = init_model(create_symbol())
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
"""


@pytest.fixture
def example(folder):
    """examples/alpha/gru.py, which ends as an example does."""
    path = folder / "gru.py"
    path.write_text(path.read_text("utf-8") + MAIN, "utf-8")
    return path


def script_runs():
    implementations = list(frameworks.implementations().values())
    return list(standalone_check.run_all(implementations, implementations, ["gru"], "cpu", lambda line: None))


def test_a_script_runs_alone(example):
    (one,) = script_runs()
    assert (one.status, one.reason) == ("ok", None)
    assert re.fullmatch(r"alpha gru: runs alone \(\d+ s\)", str(one))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("    return 0.5", '    __import__("rosetta_common")', "imports nothing of this project"),
        ("    return 0.5", '    return float("nan")', "It printed the losses of 0 epochs, not those of 3."),
        ("range(params.epochs)", "range(2)", "It printed the losses of 2 epochs, not those of 3."),
        ('print(f"accuracy', 'str(f"accuracy', "It printed no accuracy."),
        ("float(np.mean(y == 0))", "1.5", "It printed no accuracy."),
        ("    return 0.5", '    open("left", "w").close(); return 0.5', "It left files behind: left."),
        ("    return 0.5", "    raise ValueError('of its own')", "ValueError: of its own"),
        (
            "import time\n",
            "import time\nfrom rosetta_common import weights\n",
            "cannot run alone: `from rosetta_common",
        ),
    ],
)
def test_what_goes_wrong_is_named(example, old, new, reason):
    text = example.read_text("utf-8")
    assert old in text
    example.write_text(text.replace(old, new), "utf-8")
    (one,) = script_runs()
    assert one.status == "failed"
    assert reason in one.reason


def test_a_trap_that_does_not_hold_proves_nothing(example, monkeypatch):
    monkeypatch.setattr(standalone_check, "TRAP", "")
    (one,) = script_runs()
    assert (one.status, one.reason) == ("failed", "It proves nothing: rosetta_common can be imported there.")


def test_what_this_machine_cannot_run_is_told_from_what_fails(example, monkeypatch):
    def ensure(implementation, device="cpu"):
        raise environment.Unsupported("Python 1.0 is missing.")

    monkeypatch.setattr(environment, "ensure", ensure)
    (one,) = script_runs()
    assert (one.status, one.reason) == ("unsupported", "Python 1.0 is missing.")


def test_the_command_says_how_many_and_fails_if_one_does(example, capsys):
    assert cli.main(["standalone", "--workload", "gru"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 1 standalone scripts work"
    example.write_text(example.read_text("utf-8").replace("return 0.5", "return 1 / 0"), "utf-8")
    assert cli.main(["standalone", "alpha"]) == 1
    assert "alpha gru: failed: ZeroDivisionError" in capsys.readouterr().out
