"""Functions as text, out of a syntax tree."""

from __future__ import annotations

import ast
import builtins
import symtable
from pathlib import Path

import pytest

from _ext.snippets.source import VERBS, NotFound, snippet
from rosetta_host.catalog import frameworks

TEXT = '''"""A file for Python 3.6: % formatting, a type comment, no f-string."""

import os
import a.b
import numpy as np
from lib import one, two as second, three

# Why it is so large.
SIZE = 10  # units
UNUSED = 3
np.seterr(all="ignore")
os.nice(1)


class Cell(object):
    """A helper by inheritance."""

    def size(self):
        return SIZE


class Layer(Cell):
    def forward(self, x):  # type: ignore
        return helper(x)


def helper(x):
    """Calls another."""
    return inner(x) + np.zeros(1)


def inner(x):
    return x


def shadow(helper, second):
    SIZE = helper
    return SIZE + second


# This stands right above.
@three(level=SIZE)
def train(model, x):
    layer = Layer()
    print("%s" % layer)
    return layer.forward(x), predict(model, x)


def predict(model, x):
    return a.b.c(second(x))


if __name__ == "__main__":
    print(predict(None, np.ones(3)), UNUSED)
'''


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "cnn.py"
    path.write_text(TEXT, "utf-8")
    return path


def test_decorator_comment_and_body_are_verbatim(path: Path) -> None:
    text = snippet(path, ["train"]).text
    expected = TEXT[TEXT.index("# This stands") : TEXT.index("def predict")].strip()
    assert text.endswith(expected)


def test_helpers_come_along_however_indirect(path: Path) -> None:
    text = snippet(path, ["train"]).text
    for needed in ("class Cell", "class Layer", "def helper", "def inner", "# Why it is so large.\nSIZE = 10  # units"):
        assert needed in text
    assert text.index("class Cell") < text.index("class Layer") < text.index("def helper") < text.index("def train")


def test_what_is_not_used_stays_out(path: Path) -> None:
    text = snippet(path, ["train"]).text
    for other in ("UNUSED", "import os", "os.nice", "def shadow", "__main__", "import a.b", "one"):
        assert other not in text


def test_another_verb_is_no_helper(path: Path) -> None:
    assert "def predict" not in snippet(path, ["train"]).text


def test_imports_are_trimmed_to_the_names_in_use(path: Path) -> None:
    assert snippet(path, ["train"]).text.startswith("import numpy as np\nfrom lib import three\n")
    assert snippet(path, ["predict"]).text.startswith("import a.b\nfrom lib import two as second\n")


def test_a_bare_call_comes_with_what_it_sets_up(path: Path) -> None:
    assert 'np.seterr(all="ignore")' in snippet(path, ["helper"]).text
    assert "np.seterr" not in snippet(path, ["predict"]).text


def test_local_names_are_not_the_modules(path: Path) -> None:
    assert snippet(path, ["shadow"]).text.startswith("def shadow")


def test_several_functions_stand_in_the_order_of_the_file(path: Path) -> None:
    text = snippet(path, ["predict", "inner"]).text
    assert text.index("def inner") < text.index("def predict")


def test_main_and_all(path: Path) -> None:
    main = snippet(path, ["main"]).text
    assert main.endswith(TEXT[TEXT.index("if __name__") :].strip())
    assert "import numpy as np" in main
    assert "UNUSED = 3" in main
    assert "def predict" not in main
    assert snippet(path, ["all"]).text == TEXT.strip()


def test_line_is_that_of_the_decorator(path: Path) -> None:
    assert snippet(path, ["train"]).line == TEXT[: TEXT.index("@three")].count("\n") + 1


@pytest.mark.parametrize("name", ["trian", "SIZE", "size"])
def test_unknown_function(path: Path, name: str) -> None:
    with pytest.raises(NotFound, match=name):
        snippet(path, [name])


def test_no_main_block(tmp_path: Path) -> None:
    (tmp_path / "cnn.py").write_text("x = 1\n", "utf-8")
    with pytest.raises(NotFound, match="__name__"):
        snippet(tmp_path / "cnn.py", ["main"])


def test_not_python(tmp_path: Path) -> None:
    (tmp_path / "cnn.py").write_text('print "old"\n', "utf-8")
    with pytest.raises(NotFound, match="line 1"):
        snippet(tmp_path / "cnn.py", ["train"])


def test_a_switch_of_what_is_left_out_of_an_import_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "cnn.py"
    path.write_text("from a import one, two\n\ntwo.switch()\n\n\ndef train():\n    return one\n", "utf-8")
    assert snippet(path, ["train"]).text == "from a import one\n\n\ndef train():\n    return one"
    path.write_text(path.read_text("utf-8").replace("return one", "return one, two"), "utf-8")
    assert "two.switch()" in snippet(path, ["train"]).text


EXAMPLES = [
    implementation.example(workload)
    for implementation in frameworks.implementations().values()
    for workload in implementation.workloads
]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_snippet_of_an_example_defines_all_that_it_uses(path: Path) -> None:
    functions = [node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)]
    for name in {*functions, "main"}:
        table = symtable.symtable(snippet(path, [name]).text, name, "exec")
        defined = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
        defined |= {child.get_name() for child in table.get_children()} | VERBS | set(vars(builtins)) | {"__name__"}
        assert not _used(table) - defined, f"{name} is shown without something it uses"


def _used(table: symtable.SymbolTable) -> set[str]:
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return names.union(*(_used(child) for child in table.get_children()))
