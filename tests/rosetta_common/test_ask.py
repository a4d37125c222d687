"""What `ask` writes down of a defaults.py: answers, refusals, and each as soon as it is there."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

PROBES = """
import os


def doubled(x):
    return 2 * x


def several(x):
    return [x, x + 1]


def named(x):
    return {"shape": x.shape}


def what(number):
    return {"is_tuple": isinstance(number, tuple), "value": number}


def refuses(x):
    raise TypeError("no arrays of " + str(x.dtype) + "\\nand a long story")


def spoils(x):
    x *= 0
    return x


def ends(x):
    os._exit(3)


class Scaling:
    def __init__(self, factor=2):
        super(Scaling, self).__init__()
        self.factor = factor

    def apply(self, x, shift=0):
        return self.factor * x + shift


one = 1


def scaled(x):
    return Scaling().apply(x)


def named_shift(x):
    return Scaling().apply(x, shift=1)
"""
X = {"array": "x"}


@pytest.fixture
def ask(tmp_path):
    """A function that asks (name, function, arguments, line); returns the folder with what came, and how it ended.

    line: of an explicit.toml; none where it is left out.
    """
    (tmp_path / "defaults.py").write_text(PROBES)
    np.savez(str(tmp_path / "given.npz"), x=np.arange(3.0))

    def asked(*calls):
        questions = [
            {"name": name, "function": function, "arguments": args, "explicit": line[0] if line else None}
            for name, function, args, *line in calls
        ]
        (tmp_path / "questions.json").write_text(json.dumps(questions))
        command = [sys.executable, "-m", "rosetta_common", "ask", str(tmp_path / "defaults.py")]
        process = subprocess.Popen(
            [*command, "--folder", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
        )
        _, errors = process.communicate()
        return tmp_path, process.returncode, errors.decode()

    return asked


def loaded(folder, name):
    with np.load(str(folder / (name + ".npz"))) as file:
        return {key: file[key] for key in file.files}


def test_arrays_lists_and_dicts_are_kept(ask):
    folder, code, errors = ask(("a", "doubled", [X]), ("b", "several", [X]), ("c", "named", [X]))
    assert code == 0, errors
    assert loaded(folder, "a")["0"].tolist() == [0, 2, 4]
    assert loaded(folder, "b")["1"].tolist() == [1, 2, 3]
    assert loaded(folder, "c")["shape"].tolist() == [3]
    with open(str(folder / "result.json")) as file:
        assert "numpy" in json.load(file)["packages"]


def test_a_list_comes_as_a_tuple_and_a_number_as_it_is(ask):
    folder, _, _ = ask(("pair", "what", [[3, 3]]), ("one", "what", [3]))
    assert loaded(folder, "pair")["is_tuple"]
    assert loaded(folder, "one")["value"] == 3


def test_a_refusal_is_the_error_in_one_line_and_the_next_is_asked(ask):
    folder, code, _ = ask(("no", "refuses", [X]), ("yes", "doubled", [X]))
    assert (folder / "no.txt").read_text(encoding="utf-8") == "TypeError: no arrays of float64 and a long story"
    assert loaded(folder, "yes")["0"].tolist() == [0, 2, 4]
    assert code == 0


def test_a_function_that_spoils_its_argument_spoils_no_other(ask):
    folder, _, _ = ask(("first", "spoils", [X]), ("second", "doubled", [X]))
    assert loaded(folder, "second")["0"].tolist() == [0, 2, 4]


def test_what_was_answered_outlives_the_process(ask):
    folder, code, _ = ask(("before", "doubled", [X]), ("end", "ends", [X]), ("after", "doubled", [X]))
    assert code == 3
    assert (folder / "before.npz").exists()
    assert not (folder / "after.npz").exists()


def test_a_function_that_is_not_there_is_one_sentence(ask):
    _, code, errors = ask(("odd", "nothing_of_the_kind", []))
    assert code == 1
    assert errors.strip().endswith("defaults.py has no function nothing_of_the_kind.")
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Scaling(..., factor=3)", [0, 3, 6]),
        ("Scaling(..., factor=one + 4)", [0, 5, 10]),
        ("Scaling.apply(..., shift=7)", [7, 9, 11]),
        ("scaling = Scaling(...); scaling.factor = -one", [0, -1, -2]),
        ("y = Scaling.apply(...); y = y.sum()", 6),
    ],
)
def test_a_line_changes_the_call_that_it_writes_out_and_only_while_it_is_asked(ask, line, expected):
    folder, code, errors = ask(("before", "scaled", [X]), ("line", "scaled", [X], line), ("after", "scaled", [X]))
    assert code == 0, errors
    assert loaded(folder, "line")["0"].tolist() == expected
    for name in ("before", "after"):
        assert loaded(folder, name)["0"].tolist() == [0, 2, 4]


def test_a_line_replaces_an_argument_that_the_function_names(ask):
    """A framework that insists on an argument shows what another value of it does."""
    folder, _, _ = ask(("named", "named_shift", [X], "Scaling.apply(..., shift=7)"))
    assert loaded(folder, "named")["0"].tolist() == [7, 9, 11]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Scaling(..., factr=3)", "TypeError: __init__() got an unexpected keyword argument 'factr'"),
        ("Scalding(..., factor=3)", "NameError: name 'Scalding' is not defined"),
        ("Scaling.aply(..., shift=3)", "aply"),
        ("several(..., x=3)", "NotWritten: the function makes no such call"),
    ],
)
def test_a_line_that_fits_no_call_is_a_refusal(ask, line, message):
    folder, code, _ = ask(("line", "scaled", [X], line), ("after", "scaled", [X]))
    refusal = (folder / "line.txt").read_text(encoding="utf-8")
    assert message in refusal.replace("Scaling.__init__", "__init__")
    assert loaded(folder, "after")["0"].tolist() == [0, 2, 4]
    assert code == 0
