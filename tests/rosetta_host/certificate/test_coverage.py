"""How much of each function a list of lines says was executed."""

import pytest

from rosetta_host.certificate import coverage
from rosetta_host.records.codes import Coverage
from rosetta_host.records.store import Executed

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
        "step": Executed(Coverage.CALLED),
        "train": Executed(Coverage.SOME_LINES, (4, 5)),
        "helper": Executed(Coverage.NOT_RUN),
        "Loader.__len__": Executed(Coverage.EVERY_LINE),
    }


def test_a_head_that_ran_is_not_its_body(executed):
    assert executed([LOOP])["train"] == Executed(Coverage.SOME_LINES, (1, 5))


@pytest.mark.parametrize(("other", "code"), [("step", "called"), ("tf__step", "called"), ("misstep", "not_run")])
def test_a_translation_is_known_by_its_name(executed, other, code):
    assert executed([], [other])["step"].code == code


@pytest.mark.parametrize(
    ("begins", "elsewhere", "code"),
    [
        ("@fast.compiled", [], "compiled"),
        ("@fast.compiled", ["fast__step"], "called"),
        ("def helper():", [], "not_run"),
    ],
)
def test_what_was_compiled_is_known_by_the_line_where_its_source_begins(executed, begins, elsewhere, code):
    assert executed([], elsewhere, [line(begins)])["step"].code == code


def test_several_certificates_say_the_best_of_each_function():
    states = [Executed(code) for code in (Coverage.NOT_RUN, Coverage.COMPILED, Coverage.CALLED)]
    states += [Executed(Coverage.SOME_LINES, (lines, 11)) for lines in (2, 10)] + [Executed(Coverage.EVERY_LINE)]
    for better in range(len(states)):
        for worse in range(better + 1):
            assert coverage.together([{"f": states[worse]}, {"f": states[better]}]) == {"f": states[better]}
            assert coverage.together([{"f": states[better]}, {"f": states[worse]}]) == {"f": states[better]}
