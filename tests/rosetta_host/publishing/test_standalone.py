"""An example as one script: all that it needs is in it, and nothing of this project's plumbing."""

from __future__ import annotations

import ast
import builtins
import hashlib
import os
import re
import subprocess
import symtable
import sys
from itertools import groupby
from pathlib import Path

import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.publishing import standalone

TOML = 'name="Alpha"\npackage="alpha"\nsince="2020"\nhome_page="h"\n[environment]\npython="3.11"\n'
EXAMPLE = '''"""A GRU on IMDB in Alpha."""

import alpha
import numpy as np

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library
from workloads.gru import params as settings

# Why it is ten.
SIZE = 10  # units


def load_data():
    return imdb_for_library(one_hot=True)


def train(model, x, y):
    return [alpha.step(np.sum(batch), settings.units) for batch in minibatches(x, y, settings.batch_size)]


if __name__ == "__main__":
    train(None, *load_data()[::2])
'''


def folders() -> list[list[frameworks.Implementation]]:
    implementations = frameworks.implementations().values()
    return [list(group) for _, group in groupby(implementations, lambda implementation: implementation.folder.name)]


REAL = [
    pytest.param(implementations, w, id=f"{implementations[0].folder.name}-{w}")
    for implementations in folders()
    for w in implementations[0].workloads
]


def alpha(tmp_path: Path, text: str = EXAMPLE, workload: str = "gru") -> standalone.Script:
    folder = tmp_path / "examples" / "alpha"
    folder.mkdir(parents=True)
    (folder / "framework.toml").write_text(TOML, "utf-8")
    (folder / "requirements.txt").write_text("alpha==1.2\n", "utf-8")
    (folder / f"{workload}.py").write_text(text, "utf-8")
    return standalone.script(list(frameworks.implementations(tmp_path / "examples").values()), workload)


def defined(table: symtable.SymbolTable) -> set[str]:
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    return names | {child.get_name() for child in table.get_children()} | set(vars(builtins)) | {"__name__"}


def used(table: symtable.SymbolTable) -> set[str]:
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return names.union(*map(used, table.get_children()))


def imported(text: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(text)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize(("implementations", "workload"), REAL)
def test_every_example_becomes_a_script_that_holds_all_it_uses(
    implementations: list[frameworks.Implementation], workload: str
) -> None:
    text = standalone.script(implementations, workload).text
    table = symtable.symtable(text, workload, "exec")
    assert not used(table) - defined(table)
    assert not {name for name in imported(text) if name.startswith(standalone.PACKAGES)}
    ast.parse(text, feature_version=(3, 6))


@pytest.mark.parametrize(("implementations", "workload"), REAL)
def test_every_example_stands_in_its_script_as_it_is(
    implementations: list[frameworks.Implementation], workload: str
) -> None:
    own = implementations[0].example(workload).read_text("utf-8")
    last_import = own.rindex("\nfrom workloads.")
    body = own[own.index("\n", last_import + 1) :].strip("\n")
    text = standalone.script(implementations, workload).text
    assert text.endswith("\n" + body + "\n")
    assert {name for name in imported(own) if not name.startswith(standalone.PACKAGES)} <= imported(text)
    assert ast.get_docstring(ast.parse(own)) in text


@pytest.mark.parametrize(("implementations", "workload"), REAL)
def test_nothing_of_the_runner_and_of_the_other_network_comes_along(
    implementations: list[frameworks.Implementation], workload: str
) -> None:
    helpers = "\n".join([*standalone.script(implementations, workload).sections.values()][:2])
    others = {"cnn": ["imdb", "vocabulary", "zipfile"], "gru": ["cifar", "momentum", "IMAGE"]}[workload]
    for name in ("on_batch", "WORKLOADS", "glob.glob", "source = None", *others):
        assert name not in helpers, name


def test_the_parts_come_in_the_order_in_which_one_reads(tmp_path: Path) -> None:
    text = alpha(tmp_path).text
    order = ['"""A GRU on IMDB in Alpha.', "uv pip", "import os", "import numpy as np", "settings = SimpleNamespace("]
    order += [
        "source = SimpleNamespace(",
        "def located",
        "def minibatches",
        "# Why it is ten.",
        "def train",
        "__main__",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_hyper_parameters_go_by_the_examples_own_name_for_them(tmp_path: Path) -> None:
    text = alpha(tmp_path).text
    assert "settings = SimpleNamespace(\n    classes=2," in text
    assert "words >= settings.vocabulary" in text
    assert "dtype=settings.dtype" in text
    assert "params" not in text


def run(tmp_path: Path, served: bytes | None) -> subprocess.CompletedProcess[str]:
    """Run the script in an empty folder; a file with this content, or none, stands in for the publisher's server."""
    archive, work, script = tmp_path / "imdb.npz", tmp_path / "work", tmp_path / "script.py"
    if served is not None:
        archive.write_bytes(served)
    text = alpha(tmp_path, EXAMPLE.replace("import alpha\n", "")).text
    text = re.sub('url=".*"', f'url="{archive.as_uri()}"', text)
    script.write_text(re.sub('sha256=".*"', f'sha256="{hashlib.sha256(served or b"").hexdigest()}"', text), "utf-8")
    work.mkdir()
    environ = {name: value for name, value in os.environ.items() if name != "ROSETTA_DATA"}
    command = [sys.executable, str(script)]
    return subprocess.run(command, cwd=work, env=environ, capture_output=True, text=True, check=False)


def test_a_script_without_network_ends_with_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    ended = run(tmp_path, None)
    assert ended.returncode == 1
    fetching, sentence = ended.stderr.splitlines()
    assert fetching.startswith("fetching file:")
    assert re.match("IMDB could not be fetched from file:.* let ROSETTA_DATA name a folder that holds", sentence)
    assert not list((tmp_path / "work").iterdir())


def test_a_script_whose_data_is_damaged_says_so_in_one_sentence(tmp_path: Path) -> None:
    ended = run(tmp_path, b"no archive")
    assert ended.returncode == 1
    _, sentence = ended.stderr.splitlines()
    assert re.match(r"data/imdb.npz is not the IMDB archive \(.*\): fetch or unpack the data again\.$", sentence)


def test_imports_are_merged_and_sorted(tmp_path: Path) -> None:
    text = EXAMPLE.replace(
        "import alpha\n", "import os\nfrom types import SimpleNamespace  # for the model\n\nimport alpha\n"
    )
    lines = alpha(tmp_path, text).imports.splitlines()
    assert lines[-3:] == ["", "import alpha", "import numpy as np"]
    assert lines[-4] == "from types import SimpleNamespace  # for the model"
    assert lines.count("import os") == 1
    assert lines[:-4] == sorted(lines[:-4])


def test_a_script_that_reads_no_data_holds_no_fetching(tmp_path: Path) -> None:
    text = alpha(
        tmp_path,
        EXAMPLE.replace("from workloads.gru import imdb_for_library\n", "").replace(
            "imdb_for_library(one_hot=True)", "0"
        ),
    ).text
    assert "def minibatches" in text
    assert not {"urllib.request", "hashlib"} & imported(text)
    assert "sha256" not in text


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "import alpha\n",
            "import alpha\nfrom rosetta_common import weights\n",
            "line 4, .*import weights`. Only names",
        ),
        ("import alpha\n", "import alpha\nimport rosetta_common.data\n", "line 4, .*`import rosetta_common.data`"),
        (
            "workloads.gru import params",
            "workloads.cnn import params",
            "line 8, .*`. Only .* workloads.gru,",
        ),
        ("minibatches\nfrom", "minibatches as batches\nfrom", "line 6, .*minibatches as batches`"),
        (
            "    return imdb",
            "    from workloads.gru import read\n    return imdb",
            "line 15, .*head of the file",
        ),
        ("SIZE = 10", "source = 10", "in such a script 'source' is the name of a helper"),
        ("SIZE = 10", "minibatches = 10", "'minibatches' is the name of a helper"),
        ("import alpha\n", "import alpha\nimport shutil as os\n", "'os' is the name of a helper"),
        ("def load_data", "def fetch", "'fetch' is the name of a helper"),
        ("import alpha\n", 'print "old"\n', "examples/alpha/gru.py: line 3 is not Python"),
    ],
)
def test_what_cannot_run_alone_is_refused_where_it_stands(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(UserError, match=problem):
        alpha(tmp_path, EXAMPLE.replace(old, new, 1))


def test_what_hangs_on_a_hook_goes_and_other_conditions_stay() -> None:
    text = "hook = None\nother = 1\n\ndef f(x):\n    if hook is not None:\n        hook(\n            x)\n"
    text += "    if other is not None:\n        pass\n    if hook is None:\n        return 2\n    return x\n"
    assert standalone.without_hooks(text) == (
        "hook = None\nother = 1\n\ndef f(x):\n    if other is not None:\n        pass\n"
        "    if hook is None:\n        return 2\n    return x"
    )
