"""What a patch changes, and how much of an example is shown for it."""

from __future__ import annotations

import json

import pytest

from _ext.lessons.diff import around, change, differing, merged
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.mutation import mutants

EXAMPLE = '''"""An example."""

import numpy as np

RATE = 0.5
NAMES = ["a", "b"]


class Net:
    size = 3

    def forward(self, x):
        # A remark.
        y = x + RATE

        return y


@np.vectorize
def train(x):
    def inner(y):
        return 2 * y

    return inner(x)
'''


@pytest.fixture
def changed(site):
    """changed([old, new], …) -> what these edits change in EXAMPLE."""

    def make(*edits: tuple[str, str]):
        folder = site.examples / "ada"
        (folder / "cnn.py").write_text(EXAMPLE, "utf-8")
        (folder / "mutants.toml").write_text(f"[cnn.wrong]\nedits = {json.dumps(edits)}\n", "utf-8")
        return change(mutants.offered(frameworks.implementations(site.examples)["ada"], "cnn")["wrong"])

    return make


def test_the_smallest_function_is_shown_as_it_is_and_patched(changed) -> None:
    found = changed(("x + RATE", "x - RATE"))
    assert found.text == "def forward(self, x):\n    # A remark.\n    y = x + RATE\n\n    return y"
    assert found.patched == found.text.replace("+", "-")
    assert (found.removed, found.added) == ({3}, {3})
    assert found.line == 12


def test_a_function_in_a_function_is_enough(changed) -> None:
    assert changed(("2 * y", "3 * y")).text == "def inner(y):\n    return 2 * y"


def test_decorators_belong_to_a_function(changed) -> None:
    assert changed(("return inner(x)", "return inner(-x)")).text.startswith("@np.vectorize\ndef train(x):")


def test_what_stands_in_no_function_is_shown_by_statements(changed) -> None:
    assert changed(("RATE = 0.5", "RATE = 5")).text == "RATE = 0.5"
    assert changed(("size = 3", "size = 4")).text.startswith("class Net:\n    size = 3\n")


def test_an_edit_over_two_statements_shows_both(changed) -> None:
    found = changed(('0.5\nNAMES = ["a"', '5\nNAMES = ["c"'))
    assert found.text == 'RATE = 0.5\nNAMES = ["a", "b"]'
    assert found.patched == 'RATE = 5\nNAMES = ["c", "b"]'
    assert (found.removed, found.added) == ({1, 2}, {1, 2})


def test_edits_in_several_functions_show_each_of_them(changed) -> None:
    found = changed(("2 * y", "3 * y"), ("x + RATE", "x"))
    assert found.text.startswith("def forward(self, x):")
    assert found.text.endswith("\n\n\ndef inner(y):\n    return 2 * y")
    assert found.patched.endswith("\n\n\ndef inner(y):\n    return 3 * y")


def test_lines_that_come_or_go_are_marked_on_one_side_and_empty_ones_on_none(changed) -> None:
    found = changed(("        # A remark.\n", "\n        # A remark.\n        x = 2 * x\n"))
    assert not found.removed
    assert [found.patched.splitlines()[i - 1].strip() for i in sorted(found.added)] == ["x = 2 * x"]
    gone = changed(("        y = x + RATE\n\n", ""))
    assert (gone.removed, gone.added) == ({3}, frozenset())


def test_a_patch_that_leaves_no_python_is_named(changed) -> None:
    with pytest.raises(UserError, match=r"ada/mutants.toml, cnn.wrong: patched, line 16 is not Python"):
        changed(("return y", "return return"))


def test_ranges() -> None:
    assert around("a = 1\n\nb = 2\n", (2, 2)) == (2, 2)
    assert merged([(5, 9), (1, 2), (6, 12), (3, 4)]) == [(1, 2), (3, 4), (5, 12)]


def test_differing_lines() -> None:
    assert differing("a\nb\nc", "a\nB\nc\nd") == ({2}, {2, 4})
    assert differing("a", "a") == (frozenset(), frozenset())
