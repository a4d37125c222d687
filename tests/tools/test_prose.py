"""The rules of style: each finds what it is for, and leaves alone what only looks like it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tools import prose
from tools.prose import ROOT, SPELLING, STYLE

# The words that a rule finds, in a sentence; each rule has one at least.
BAD = [
    ("the optimiser", "optimiser"),
    ("It was Initialised twice", "Initialised"),
    ("serialisation", "serialisation"),
    ("we analyse it", "analyse"),
    ("its behaviours", "behaviours"),
    ("colourful", "colourful"),
    ("labelled data", "labelled"),
    ("the centre", "centre"),
    ("a licence", "licence"),
    ("its judgement", "judgement"),
    ("an artefact", "artefact"),
    ("grey", "grey"),
    ("Drop-out is off", "Drop-out"),
    ("a soft-max", "soft-max"),
    ("a max-pool", "max-pool"),
    ("two back\nends", "back ends"),
    ("Install it, else it fails", "else"),
    ("It ends. Who reads on is lost.", "Who"),
    ("A paragraph.\n\nWho reads on is lost.", "Who"),
    ("a page for who reads", "for who"),
    ("It waits, for\nthey are slow", ", for they"),
    ("It waits, for the machine is slow", ", for the machine is"),
    ("does it unasked", "unasked"),
    ("the code of today", "of today"),
    ("the foretold time", "foretold"),
    ("where that is to be had", "to be had"),
    ("You are told the rest", "told"),
    ("Told nothing, it drops", "Told"),
    ("the reason stands below", "stands"),
    ("timed by turns", "by turns"),
    ("the float64 lane", "lane"),
    ("it has teeth", "teeth"),
    ("the verbs of an example", "verbs"),
    ("a Python as found", "Python as found"),
    ("the law of the weights", "law"),
    ("the movement of a weight", "movement"),
    ("the other doors", "doors"),
    ("the parity of a row", "parity"),
]
GOOD = [
    "the optimizer initializes, and the exercise is otherwise precise",
    "It recognizes a promise, a premise and the size of an array.",
    "something else, nobody else, everyone else, nowhere else, what else, or else",
    "Who is it for? Anyone who reads; those who write.",
    "a GPU, for example one that is old, and a list for a framework that is retired",
    "two frameworks, for which there is no lock",
    "The check tells the two steps apart, and telling them apart is cheap.",
    "GEMM stands for a matrix product; one row stands out.",
    "The error message says so. You say so.",
    "It leaves room for a mistake, and allows it.",
    "lawful, planes, adverbs, disparity, outdoors",
    "An effort four times as long, colorful, a model labeled and canceled",
]


@pytest.mark.parametrize(("text", "found"), BAD, ids=[found for _, found in BAD])
def test_what_is_found(text: str, found: str) -> None:
    assert [it.text for it in prose.findings(text, SPELLING + STYLE)] == [found]


def test_every_rule_is_seen_to_find_something() -> None:
    seen = {it.rule for text, _ in BAD for it in prose.findings(text, SPELLING + STYLE)}
    assert seen == {*SPELLING, *STYLE}


@pytest.mark.parametrize("text", GOOD)
def test_what_is_left_alone(text: str) -> None:
    assert not prose.findings(text, SPELLING + STYLE)


PAGE = """\
---
title: lane
---
# A page

`lane` and ``a `lane` too``, [a link](lane.md), <https://example.org/lane>, {term}`lane`

```sh
nox --lane full
```

:::{lane}
:lane: quick
A lane in a block.
:::

<!-- lane -->
[lane]: https://example.org/lane
The last
lane.
"""


def test_a_page_without_its_code_and_links() -> None:
    found = prose.findings(prose.markdown(PAGE), STYLE)
    assert [(it.line, it.text) for it in found] == [(14, "lane"), (20, "lane")]
    assert len(prose.markdown(PAGE).splitlines()) == len(PAGE.splitlines())


MODULE = '''\
"""An optimiser.

And `optimiser` as a name.
"""

optimiser = "optimiser"  # the colour


def f():
    """Its behaviour tells of a lane."""
    return "grey"
'''


def test_comments_and_docstrings_of_a_module_and_their_spelling_alone(tmp_path) -> None:
    path = tmp_path / "module.py"
    path.write_text(MODULE, "utf-8")
    assert [(it.line, it.text) for it in prose.check(path)] == [(1, "optimiser"), (6, "colour"), (10, "behaviour")]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.prose", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_program_names_the_place_and_what_to_write(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A page\n\nThe optimiser.\n", "utf-8")
    done = run(str(page))
    assert done.returncode == 1
    assert done.stdout.startswith(f"{page}:3: 'optimiser'; write: -ize")
    assert len(done.stdout.splitlines()) == 1
    page.write_text("# A page\n\nThe optimizer.\n", "utf-8")
    done = run(str(page))
    assert (done.returncode, done.stdout) == (0, "")


def test_by_default_it_reads_every_page_and_module_that_git_does_not_ignore() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in prose.files()}
    assert {"README.md", "docs/index.md", "tools/prose.py", "examples/pytorch/cnn.py"} <= found
    assert not [name for name in found if name.startswith((".nox", ".venv", "docs/_build"))]
