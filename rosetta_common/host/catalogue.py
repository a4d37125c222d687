"""The one list of frameworks: what examples/*/framework.toml say, checked and typed.

A row is what a benchmark runs and a table shows: a folder, or a folder on one of its back ends
(ids `keras2-cntk`, `keras2-theano`). Everywhere else the id is the folder's name.
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
WORKLOADS = ("cnn", "gru")
VARIANTS = ("train_with_loader", "train_compiled")


class UserError(Exception):
    """A user's mistake or a machine's lack, in one clear sentence: shown without a traceback."""


class Variable(msgspec.Struct, forbid_unknown_fields=True):
    """An environment variable of a framework's process, and why it is set. `{threads}` is filled in."""

    value: str
    reason: str


class Tolerance(msgspec.Struct, forbid_unknown_fields=True):
    """A limit of the certificate that is wider than the project's, and the measurement that explains it."""

    limit: float
    reason: str


class Environment(msgspec.Struct, forbid_unknown_fields=True):
    """How a row's environment is made.

    python: "3.11". requirements: the lock for the CPU, in the folder. setup: a script of the
    folder, run with the environment's Python after the install. install: variables for uv.
    variables: variables of the framework's processes. get_python: how to come by an old interpreter.
    """

    python: str
    requirements: str = "requirements.txt"
    requirements_gpu: str | None = None
    setup: str | None = None
    get_python: str | None = None
    install: dict[str, Variable] = {}
    variables: dict[str, Variable] = {}


class Law(msgspec.Struct, forbid_unknown_fields=True):
    """The law of a weight at the start, where it is not the project's: uniform or normal, by bound or deviation."""

    law: str
    scale: float
    reason: str


class Workload(msgspec.Struct, forbid_unknown_fields=True):
    """What a framework declares of its cnn.py or gru.py.

    float64: it computes in float64 too, so that the certificate has a float64 lane. forms: which of
    the forms known to the oracle it computes. partial_batch: it trains on the last, smaller batch.
    threads: how many it runs best with, where that is not all cores. start: weight name -> Law.
    """

    float64: bool = False
    forms: dict[str, str] = {}
    partial_batch: bool = False
    threads: int | None = None
    threads_reason: str | None = None
    variables: dict[str, Variable] = {}
    start: dict[str, Law] = {}
    tolerances: dict[str, Tolerance] = {}


class Framework(msgspec.Struct, forbid_unknown_fields=True):
    """One framework.toml. `environment` is a table, or the id of another row whose environment serves.

    package: the distribution whose version is the framework's; a list where builds have names of their own.
    """

    name: str
    package: str | list[str]
    since: str
    home_page: str
    environment: Environment | str
    last_release: str | None = None
    successor: str | None = None
    retired: bool = False
    why_alive: str | None = None
    cnn: Workload = msgspec.field(default_factory=Workload)
    gru: Workload = msgspec.field(default_factory=Workload)


class Row(msgspec.Struct):
    """A framework as it is run: `id`, its folder, its declarations, and the resolved environment."""

    id: str
    folder: Path
    framework: Framework
    environment_id: str
    environment: Environment
    environment_folder: Path
    raw: dict[str, object]

    @property
    def name(self) -> str:
        return self.framework.name

    def example(self, workload: str) -> Path:
        return self.folder / f"{workload}.py"

    def workload(self, workload: str) -> Workload:
        return getattr(self.framework, workload)

    @property
    def workloads(self) -> list[str]:
        return [workload for workload in WORKLOADS if self.example(workload).exists()]


def _read(folder: Path) -> tuple[Framework, dict[str, object]]:
    path = folder / "framework.toml"
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
        return msgspec.convert(raw, Framework), raw
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UserError(f"{path.parent.name}/framework.toml is not valid: {error}.") from None


def rows(examples: Path | None = None) -> dict[str, Row]:
    """All rows by id, in alphabetical order. Raises UserError where a framework.toml is not valid."""
    examples = examples or EXAMPLES
    read = {path.parent.name: _read(path.parent) for path in sorted(examples.glob("*/framework.toml"))}
    found = {}
    for name, (framework, raw) in read.items():
        owner = framework.environment if isinstance(framework.environment, str) else name
        environment = read[owner][0].environment if owner in read else None
        if not isinstance(environment, Environment):
            raise UserError(f"{name}/framework.toml names the environment {owner!r}, which no folder describes.")
        found[name] = Row(name, examples / name, framework, owner, environment, examples / owner, raw)
    return found


def nearest(what: str, given: str, known: list[str]) -> UserError:
    """The error for an unknown name, with the nearest known one."""
    close = difflib.get_close_matches(given, known, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(known)}."
    return UserError(f"There is no {what} {given!r}: {hint}")


def select(ids: list[str], examples: Path | None = None) -> list[Row]:
    """The rows of these ids, or all of them. Raises UserError for an unknown id."""
    known = rows(examples)
    for given in ids:
        if given not in known:
            raise nearest("framework", given, list(known))
    return [row for name, row in known.items() if not ids or name in ids]
