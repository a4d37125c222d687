"""How much of each function a list of lines says was executed."""

import pytest

from rosetta_host.certificate import coverage

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
    return lambda texts, *others: coverage.executed(path, [line(text) for text in texts], *others)


LOOP, STEP, IF, NONE = "        x", "        step(batch)", "    if model:", "    return None"


def test_each_function_is_told_apart(executed):
    found = executed([LOOP, STEP, IF, NONE, "        return 1"], ["fast__step"])
    assert found == {
        "step": "called",
        "train": "4 of 5 lines",
        "helper": "not executed",
        "Loader.__len__": "every line",
    }


def test_a_head_that_ran_is_not_its_body(executed):
    assert executed([LOOP])["train"] == "1 of 5 lines"


@pytest.mark.parametrize(("other", "state"), [("step", "called"), ("tf__step", "called"), ("misstep", "not executed")])
def test_a_translation_is_known_by_its_name(executed, other, state):
    assert executed([], [other])["step"] == state


@pytest.mark.parametrize(
    ("begins", "elsewhere", "state"),
    [
        ("@fast.compiled", [], "compiled from its source"),
        ("@fast.compiled", ["fast__step"], "called"),
        ("def helper():", [], "not executed"),
    ],
)
def test_what_was_compiled_is_known_by_the_line_where_its_source_begins(executed, begins, elsewhere, state):
    assert executed([], elsewhere, [line(begins)])["step"] == state


def test_several_certificates_say_the_best_of_each_function():
    states = ["not executed", "compiled from its source", "called", "2 of 11 lines", "10 of 11 lines", "every line"]
    for better in range(len(states)):
        for worse in range(better + 1):
            assert coverage.together([{"f": states[worse]}, {"f": states[better]}]) == {"f": states[better]}
            assert coverage.together([{"f": states[better]}, {"f": states[worse]}]) == {"f": states[better]}
