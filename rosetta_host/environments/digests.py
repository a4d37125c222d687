"""What a certificate holds for, as digests: the example and all that runs, times and judges it.

Code is compared by its syntax tree without comments and docstrings, so that prose may change.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from rosetta_host.catalog import syntax, workloads
from rosetta_host.catalog.frameworks import ROOT, WORKLOADS, Implementation, UserError, Variable
from rosetta_host.environments import external_python

# Keys of framework.toml that change no run: prose for a reader, and where a compile cache is. They may change.
PROSE = {"name", "since", "last_release", "home_page", "retired", "successor", "why_alive", "needs", "reason"}
PROSE |= {"threads_reason", "slow_because", "get_python", "compile_cache", "shown_first"}
PROSE |= {"compiled_since_schema"}  # how the records of a past schema are read

OF_A_VARIABLE = {"device"}  # where it is set: it counts by its being there or not
BORROWED = "borrowed"  # the name of the digest of what another implementation's environment sets
EXPLICIT = "explicit"  # the name of the digest of explicit.toml
JUDGE = "judge"  # the name of the digest that a certificate has beside those of the run that it is of

# What times a run, and what decides whether a certificate holds; the second takes the embedded sample as well.
RUNNER = ("rosetta_common/run.py", "rosetta_common/record.py")
JUDGE_ROOTS = ("rosetta_host/certificate/judge.py", "rosetta_common/trace.py")
JUDGED_BY = ("limits", "oracle", "protocol", "weights")  # modules of a workload, imported by their names
NOT_INSTALLED = {f"{workload}.py" for workload in WORKLOADS}
NOT_INSTALLED |= {"defaults.py", "explicit.toml", "mutants.toml", "framework.toml"}


def _plain(node: object) -> object:
    """A syntax tree as nested lists. `ast.dump` changes with Python (3.13 leaves empty lists out); this does not."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, []) and name != "kind"]
    return [type(node).__name__, *([name, _plain(value)] for name, value in fields)]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return tree


def _sha(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def example_digest(path: Path) -> str:
    """SHA-256 of a file's syntax tree, without comments and docstrings."""
    return text_digest(path.read_text("utf-8"), str(path))


@functools.cache  # the site asks for the same few hundred texts thousands of times, a third of its build
def text_digest(text: str, where: str = "the text") -> str:
    """SHA-256 of a text's syntax tree, without comments and docstrings."""
    return _sha(json.dumps(_plain(_without_docstrings(syntax.parse(text, where)))).encode())


@functools.cache  # by text: each of the site's verdicts asks for the same few files
def _imported_names(text: str) -> tuple[str, ...]:
    """The dotted names that a text imports by `from`: modules, and what is taken of them."""
    names: list[str] = []
    for node in ast.walk(syntax.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


def _imported(path: Path, packages: tuple[str, ...]) -> Iterator[Path]:
    """The modules of these packages that a file imports itself."""
    for name in _imported_names(path.read_text("utf-8")):
        if any(f"{name}.".startswith(f"{package}.") for package in packages):
            stem = ROOT / name.replace(".", "/")
            yield from (path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.exists())


def _closure(files: Iterable[Path], *packages: str) -> set[Path]:
    """The modules of these packages that the files import, directly or through one another."""
    modules: set[Path] = set()
    queue = list(files)
    while queue:
        new = {*_imported(queue.pop(), packages)} - modules
        modules |= new
        queue += new
    return modules


def shared_modules(path: Path) -> list[Path]:
    """The files of `rosetta_common` and of its workload that an example's numbers depend on, sorted."""
    return sorted(_closure([path], "rosetta_common", "workloads"))


def setup_files(implementation: Implementation) -> list[Path]:
    """The set-up step and the files of its folder that it may read, sorted; none where there is no such step."""
    if implementation.environment.setup is None:
        return []
    others = (
        path
        for path in implementation.environment_folder.iterdir()
        if path.is_file() and path.name not in NOT_INSTALLED
    )
    return sorted(path for path in others if not path.name.startswith("requirements"))


def environment_digest(implementation: Implementation, device: str = "cpu") -> str:
    """SHA-256 of what makes the environment: the lock, and the set-up step with its files; or what was handed over."""
    if external_digest := external_python.digest():
        return external_digest
    lock = implementation.lock(device)
    if not lock.is_file():
        name = lock.parent.name
        raise UserError(f"{name}/{lock.name}: the lock is missing; run: nox -s locks -- {name}")
    files = [lock, *setup_files(implementation)]
    return _sha(implementation.environment.python.encode(), *(path.read_bytes() for path in files))


def installation_digest(implementation: Implementation, device: str = "cpu") -> str:
    """SHA-256 of an environment as it is installed: `environment_digest`, and what the installer is told besides.

    Those are its variables for this device and the files that they name. Without any it is `environment_digest`. A
    record has no need of it: its digest of the declarations holds the variables.
    """
    variables = implementation.install_variables(device)
    if external_python.digest() or not variables:
        return environment_digest(implementation, device)
    named = sorted({*implementation.named_files()} & {*variables.values()})
    files = [(implementation.environment_folder / name).read_bytes() for name in named]
    return _sha(
        environment_digest(implementation, device).encode(), json.dumps(variables, sort_keys=True).encode(), *files
    )


def _facts(declared: object, device: str) -> object:
    """What framework.toml declares for a device, without its prose, and without what is of another device alone."""
    if not isinstance(declared, dict):
        return declared
    counts = {key: value for key, value in declared.items() if key not in {*PROSE, *OF_A_VARIABLE}}
    return {key: _facts(value, device) for key, value in counts.items() if not _of_another(value, device)}


def _of_another(declared: object, device: str) -> bool:
    """Whether a table is of another device, or holds nothing else."""
    if not isinstance(declared, dict) or not declared:
        return False
    return declared.get("device", device) != device or all(_of_another(value, device) for value in declared.values())


def declared_digest(implementation: Implementation, workload: str, device: str = "cpu") -> str:
    """SHA-256 of what framework.toml declares of this implementation, workload and device, prose left out."""
    others = {*WORKLOADS} - {workload}
    declared = {key: value for key, value in implementation.raw.items() if key not in others}
    return _sha(json.dumps(_facts(declared, device), sort_keys=True).encode())


def borrowed_digest(implementation: Implementation, device: str = "cpu") -> dict[str, str]:
    """SHA-256 of the variables of another implementation's environment, by the name `BORROWED`; nothing for its owner.

    The owner's declarations hold them already. Those of an implementation that borrows hold the owner's name alone, so
    without this digest a certificate misses a change of a backend's flags."""
    if implementation.environment_id == implementation.id:
        return {}
    tables = {"install": implementation.environment.install, "variables": implementation.environment.variables}
    declared = {
        table: {name: _said(variable) for name, variable in variables.items()} for table, variables in tables.items()
    }
    return {BORROWED: _sha(json.dumps(_facts(declared, device), sort_keys=True).encode())}


def explicit_digest(implementation: Implementation) -> dict[str, str]:
    """SHA-256 of the folder's explicit.toml without its comments, by the name `EXPLICIT`; nothing where there is none.

    A file that is not valid has a digest as well, of which no answer is.
    """
    path = implementation.folder / "explicit.toml"
    if not path.exists():
        return {}
    try:
        declared: object = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError:
        declared = path.read_text("utf-8")
    return {EXPLICIT: _sha(json.dumps(declared, sort_keys=True).encode())}


def _said(variable: Variable) -> dict[str, str]:
    """What a variable's table says, without what it leaves open."""
    return {key: value for key, value in msgspec.structs.asdict(variable).items() if value not in (None, False)}


def _files_digest(paths: Iterable[Path]) -> str:
    """SHA-256 of these modules, without comments and docstrings."""
    return _sha(*(example_digest(path).encode() for path in paths))


def runner_digest() -> str:
    """SHA-256 of the code that calls an example and times it."""
    return _files_digest(ROOT / name for name in RUNNER)


def judge_modules(workload: str) -> list[Path]:
    """What decides whether a certificate holds: the judge, what it asks of the workload, and all that they import."""
    roots = {ROOT / name for name in JUDGE_ROOTS}
    folder = ROOT / workloads.WORKLOADS.name / workload
    roots |= {folder / f"{name}.py" for name in JUDGED_BY}
    modules = roots | _closure(roots, "rosetta_common", "rosetta_host.certificate", f"workloads.{workload}")
    modules -= {folder / "definition.py"}  # names and addresses
    return sorted(modules - {ROOT / name for name in RUNNER})  # which have a digest of their own


@functools.cache  # the sample is of a few MB
def _sample_digest(workload: str) -> str:
    files = sorted(path for path in workloads.sample(workload).rglob("*") if path.is_file() and path.suffix != ".md")
    return _sha(*(path.read_bytes() for path in files))


def judge_digest(workload: str) -> str:
    """SHA-256 of what decides whether a certificate holds: limits, reference, protocol, and the samples it trains on.

    A certificate that another judge made proves nothing by the rules of this one.
    """
    return _sha(_files_digest(judge_modules(workload)).encode(), _sample_digest(workload).encode())


def digests(implementation: Implementation, workload: str, device: str = "cpu") -> dict[str, str]:
    """The digests that a run and its certificate must share."""
    example = implementation.example(workload)
    return {
        "example": example_digest(example),
        "shared": _sha(*(example_digest(path).encode() for path in shared_modules(example))),
        "framework": declared_digest(implementation, workload, device),
        "lock": environment_digest(implementation, device),
        "runner": runner_digest(),
        **borrowed_digest(implementation, device),
    }


def certificate_digests(implementation: Implementation, workload: str, device: str = "cpu") -> dict[str, str]:
    """The digests that a certificate holds for: those of a run, and that of the judge."""
    return {**digests(implementation, workload, device), JUDGE: judge_digest(workload)}


def differing(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """The names of the digests that differ, or that only one of two records has; nothing for two of the same.

    This is the one rule by which records are of the same code. A record without digests is of no known code.
    """
    if not first and not second:
        return ["all"]
    return [name for name in {**first, **second} if first.get(name) != second.get(name)]
