"""How much of each function a list of lines says was executed."""

import pytest

from rosetta_common.host import coverage

EXAMPLE = '''"""An example."""
import fast


@fast.compiled
def step(x):
    """One step."""
    y = x + 1
    return y


def train(model, x):
    """An epoch."""
    for batch in (
        x
    ):
        step(batch)
    if model:
        return helper()
    return None


def helper():
    return 1


class Loader:
    def __len__(self):
        return 1
'''


def line(text):
    return EXAMPLE.splitlines().index(text) + 1


@pytest.fixture
def executed(tmp_path):
    """executed(texts): what these lines of the example say of its functions."""
    path = tmp_path / "cnn.py"
    path.write_text(EXAMPLE)
    return lambda texts: coverage.executed(path, [line(text) for text in texts])


LOOP, STEP, IF, NONE = "        x", "        step(batch)", "    if model:", "    return None"


def test_each_function_is_told_apart(executed):
    found = executed([LOOP, STEP, IF, NONE, "        return 1"])
    assert found == {
        "step": "called",
        "train": "4 of 5 lines",
        "helper": "not executed",
        "Loader.__len__": "every line",
    }


def test_a_head_that_ran_is_not_its_body(executed):
    assert executed([LOOP])["train"] == "1 of 5 lines"
    assert executed([LOOP])["step"] == "not executed"


def test_a_name_that_only_an_idle_line_holds_was_not_called(executed):
    assert executed([IF])["helper"] == "not executed"


def test_several_certificates_say_the_best_of_each_function():
    states = ["not executed", "called", "2 of 11 lines", "10 of 11 lines", "every line"]
    for better in range(len(states)):
        for worse in range(better + 1):
            assert coverage.together([{"f": states[worse]}, {"f": states[better]}]) == {"f": states[better]}
            assert coverage.together([{"f": states[better]}, {"f": states[worse]}]) == {"f": states[better]}
