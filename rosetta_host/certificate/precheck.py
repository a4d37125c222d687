"""The mistakes in a folder that can be found before its example trains, all at once.

Only `require_loaded` runs the example, and only its `load_data`.
"""

from __future__ import annotations

import ast
import itertools
import json
import logging
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rosetta_common import weights
from rosetta_common.run import VERBS
from rosetta_host.catalog.frameworks import Case, Implementation, UserError
from rosetta_host.certificate import oracle
from rosetta_host.environments import environment, external_python, process

MOST_LINES = 120  # a length that a reader can take in as a whole
MAIN = ("load_data", "create_symbol", "init_model", "train", "predict", "evaluate")  # what the last block calls
PIN = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?(?:==([^\s;]+))?")
TIMEOUT = 300.0  # seconds to import a framework and to read the data
LOAD = """
import json, sys
from rosetta_common.run import load_example
arrays = load_example(sys.argv[1]).load_data()
facts = [[type(array).__name__, str(getattr(array, "dtype", "")), len(array)] for array in arrays]
with open(sys.argv[2], "w") as file:
    json.dump(facts, file)
"""

log = logging.getLogger(__name__)


def require(cases: Iterable[Case], device: str) -> None:
    """Raise UserError with all findings of these cases; a file that is too long is a warning."""
    examples = {(case.implementation.id, case.workload): case for case in cases}.values()
    files = {case.implementation.example(case.workload): None for case in examples}
    for path in files:
        if (length := len(path.read_text("utf-8").splitlines())) > MOST_LINES:
            log.warning("%s has %d lines; keep it to %d, which the tests require.", _at(path), length, MOST_LINES)
    findings = [finding for path in files for finding in _structure(path)]
    findings += [finding for case in examples for finding in _declared(case.implementation, case.workload)]
    findings += [finding for case in examples for finding in _lock(case.implementation, device)]
    _raise(findings)


def require_loaded(cases: Iterable[Case], device: str) -> None:
    """Raise UserError with the mistakes in the data that these cases' examples load, in their environments."""
    examples = {(case.implementation.id, case.workload): case for case in cases}.values()
    _raise([finding for case in examples for finding in _loaded(case, device)])


def _raise(findings: list[str]) -> None:
    findings = list(dict.fromkeys(findings))  # the backends of a folder share its files
    if findings:
        raise UserError("\n  ".join(["nothing is trained before this is fixed:", *findings]))


def _at(path: Path, line: int | None = None) -> str:
    return f"{path.parent.name}/{path.name}" + (f", line {line}" if line else "")


def _structure(path: Path) -> Iterator[str]:
    """Check that every function is there, written, and in order, and that the file ends with its main block."""
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except SyntaxError as error:
        yield f"{_at(path, error.lineno)}: this is not valid Python: {error.msg}."
        return
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in VERBS}
    if missing := [name for name in VERBS if name not in functions]:
        yield f"{_at(path)}: it lacks the function {', '.join(missing)}."
    order = list(functions)
    for before, after in itertools.pairwise(order):
        if VERBS.index(before) > VERBS.index(after):
            yield f"{_at(path, functions[after].lineno)}: {after} must come before {before}."
    for name, function in functions.items():
        if todo := _unwritten(function):
            yield f"{_at(path, function.lineno)}: {name} is not written yet. {todo}"
    if not (tree.body and _is_main(tree.body[-1])):
        line = tree.body[-1].lineno if tree.body else None
        yield f'{_at(path, line)}: the file must end with `if __name__ == "__main__":`, which calls {", ".join(MAIN)}.'


def _unwritten(function: ast.FunctionDef) -> str | None:
    """The message of a function that only raises NotImplementedError; None for any other function."""
    statement = function.body[-1]
    if isinstance(statement, ast.Raise) and isinstance(statement.exc, ast.Call) and len(function.body) <= 2:
        name, arguments = ast.unparse(statement.exc.func), statement.exc.args
        if name == "NotImplementedError" and arguments and isinstance(arguments[0], ast.Constant):
            return str(arguments[0].value)
    return None


def _is_main(statement: ast.stmt) -> bool:
    if not (isinstance(statement, ast.If) and ast.unparse(statement.test) == "__name__ == '__main__'"):
        return False
    return {*MAIN} <= {ast.unparse(node.func) for node in ast.walk(statement) if isinstance(node, ast.Call)}


def _declared(implementation: Implementation, workload: str) -> Iterator[str]:
    """Check that the forms in framework.toml, and the weights whose distribution it states, exist."""
    path, declared = implementation.folder / "framework.toml", implementation.workload(workload)
    for name, value in declared.forms.items():
        try:
            oracle.settle(workload, {name: value})
        except ValueError as error:
            yield f"{_at(path, _line_of(path, name))}: {error}"
    shapes = weights.shapes(workload)
    for name in declared.start:
        if name not in shapes:
            weight = f"{_at(path, _line_of(path, name))}: [{workload}.start] names {name}"
            yield f"{weight}, which is no weight of this network: it has {', '.join(shapes)}."


def _line_of(path: Path, key: str) -> int | None:
    """The first line of a TOML file that sets this key."""
    lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
    return next((number for number, line in lines if re.search(rf'(?<![\w-]){re.escape(key)}"?\s*=', line)), None)


def _lock(implementation: Implementation, device: str) -> Iterator[str]:
    """Check that the lock exists, and was made from the pins beside it."""
    if external_python.python():
        return
    path = implementation.lock(device)
    pins = path.with_suffix(".in")
    if not pins.is_file():
        yield f"{_at(pins)}: the file is missing. List in it the packages that you import, as NAME==VERSION."
        return
    pinned = {number: match for number, match in _pins(pins) if match}
    if not pinned:
        yield f"{_at(pins)}: it lists no package. List those that you import, as NAME==VERSION."
        return
    command = f"run: nox -s locks -- {implementation.environment_folder.name}"
    if not path.is_file():
        yield f"{_at(path)}: the lock is missing; {command}"
        return
    locked = {_normal(match[1]): match[2] for _, match in _pins(path) if match}
    for number, match in pinned.items():
        if _normal(match[1]) not in locked or match[2] not in (None, locked[_normal(match[1])]):
            yield f"{_at(pins, number)}: {match[0]} is not in {path.name}; {command}"


def _pins(path: Path) -> Iterator[tuple[int, re.Match[str] | None]]:
    """Each line number of a requirements file, with the match of the package that the line pins."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        yield number, PIN.match(line)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _loaded(case: Case, device: str) -> Iterator[str]:
    """Check that `load_data` returns NumPy arrays, as many samples as labels, none wider than float32."""
    implementation, path = case.implementation, case.implementation.example(case.workload)
    try:
        python = environment.ensure(implementation, device)
    except environment.Unsupported:  # the certificate's record says so
        return
    environ = environment.variables(
        implementation, case.workload, environment.threads(implementation, case.workload), device
    )
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        result = Path(folder) / "loaded.json"
        ended = process.run([python, "-c", LOAD, path, result], environ, TIMEOUT, events=False)
        if ended.status == "interrupted":
            raise KeyboardInterrupt
        if ended.status != "ok":
            yield f"{_at(path)}: load_data does not run: {ended.reason}"
            return
        facts = json.loads(result.read_text("utf-8"))
    line = next(
        number for number, text in enumerate(path.read_text("utf-8").splitlines(), 1) if "def load_data" in text
    )
    yield from (f"{_at(path, line)}: load_data {finding}" for finding in _wrong_data(facts))


def _wrong_data(facts: list[Any]) -> Iterator[str]:
    names = ("x_train", "x_test", "y_train", "y_test")
    if len(facts) != len(names):
        yield f"returns {len(facts)} values, not {', '.join(names)}."
        return
    for name, (kind, dtype, _) in zip(names, facts, strict=True):
        if kind != "ndarray":
            yield f"returns {name} as {kind}; return a NumPy array."
        elif dtype == "float64":
            yield f"returns {name} as float64; convert it to float32."
    for x, y in ((0, 2), (1, 3)):
        if facts[x][2] != facts[y][2]:
            yield f"returns {facts[x][2]} samples in {names[x]} and {facts[y][2]} labels in {names[y]}."
