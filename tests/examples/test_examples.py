"""What every example keeps, whatever its framework. A new folder is tested without a change here."""

import ast
import re

import pytest

from rosetta_common.run import VERBS
from rosetta_host.catalog import frameworks
from rosetta_host.publishing import instructions

FILES = [
    implementation.example(workload)
    for implementation in frameworks.implementations().values()
    for workload in implementation.workloads
]
PLUMBING = ("time", "argparse", "json", "logging", "pathlib", "subprocess", "sys", "os")


def name(path):
    return f"{path.parent.name}/{path.name}"


@pytest.fixture(params=FILES, ids=name)
def tree(request):
    return ast.parse(request.param.read_text("utf-8"))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_an_example_is_read_whole(path):
    assert len(path.read_text("utf-8").splitlines()) <= 120


def test_the_verbs_come_in_the_order_of_the_steps(tree):
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [function for function in functions if function in VERBS] == list(VERBS)


def test_an_example_holds_nothing_of_our_plumbing(tree):
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {node.module.split(".")[0]}
            if node.module.startswith(("rosetta_", "workloads")):
                assert re.fullmatch(r"rosetta_common\.data|workloads\.\w+", node.module)
    assert not imported & set(PLUMBING)


def test_functions_neither_print_nor_open_files(tree):
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)):
        called = {
            node.func.id
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & {"print", "open", "input"}, function.name


def test_an_example_ends_with_the_six_steps(tree):
    last = tree.body[-1]
    assert isinstance(last, ast.If)
    assert ast.unparse(last.test) == "__name__ == '__main__'"
    calls = [node.func.id for node in ast.walk(last) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    steps = ["load_data", "create_symbol", "init_model", "train", "predict", "evaluate"]
    assert set(steps) <= set(calls)


@pytest.mark.parametrize("device", ["cpu", "gpu"])
@pytest.mark.parametrize(
    "implementation", frameworks.implementations().values(), ids=lambda implementation: implementation.id
)
def test_requirements_are_locked(implementation, device):
    text = implementation.lock(device).read_text("utf-8")
    pinned = re.findall(r"^([A-Za-z0-9_.-]+)==\S+( \\)?$", text, re.MULTILINE)
    assert pinned
    without = [package for package, continued in pinned if not continued]
    for package in without:
        assert re.search(rf"# No hash: .*\n{re.escape(package)}==", text), f"{package} has neither a hash nor a reason"
    assert not re.search(r"https?://|file:|^ *# via -r /|--find-links|--index-url", text)


@pytest.mark.parametrize("device", ["cpu", "gpu"])
@pytest.mark.parametrize(
    "implementation", frameworks.implementations().values(), ids=lambda implementation: implementation.id
)
def test_a_lock_is_made_from_the_pins_beside_it(implementation, device):
    lock = implementation.lock(device)
    locked = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", lock.read_text("utf-8"), re.MULTILINE))
    pins = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[.*\])?==(\S+)", lock.with_suffix(".in").read_text("utf-8"), re.MULTILINE)
    assert pins
    for name, version in pins:
        assert locked[name.lower().replace("_", "-")] == version


@pytest.mark.parametrize(
    "implementation", frameworks.implementations().values(), ids=lambda implementation: implementation.id
)
def test_the_pins_for_a_gpu_say_so_at_their_head(implementation):
    if implementation.environment.requirements_gpu:
        assert instructions.gpu_note(implementation).startswith("For a GPU")
