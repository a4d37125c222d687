"""The one list of frameworks: what examples/*/framework.toml say, checked and typed.

An implementation is what a benchmark runs and a table shows: a folder, or a folder with one of its backends, whose id
is
`<folder>-<backend>`. Without backends the id is the folder's name.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from rosetta_host.catalog import workloads

ROOT = workloads.ROOT
EXAMPLES = ROOT / "examples"
WORKLOADS = workloads.names()
TUNED = "train_tuned"  # the variant with all switches of a framework that only make it faster
VARIANTS = ("train_with_loader", "train_compiled", "train_eager", TUNED)
SET_RATE = "set_learning_rate"  # the function, which an example may lack, that changes the rate between two steps
GPU_LOCK = "requirements-gpu.txt"


class UserError(Exception):
    """A mistake of the user's, or something that this machine lacks, in one sentence: shown without a traceback."""


class Variable(msgspec.Struct, forbid_unknown_fields=True):
    """An environment variable of a framework's process, and why it is set.

    In its value these are filled in: `{threads}`; `{environment}`, the folder of the environment; and `{cache}`, a
    folder for what the framework compiles, which is empty when a timed run begins. tuning: it only makes the framework
    faster, and is set for the variant TUNED alone. cpu: the vendor of the processors that it is set on, as
    /proc/cpuinfo names it; on others it is left out. device, dtype: where alone it is set, "float64" for what a
    framework needs to compute in that at all: no timed run has it.
    """

    value: str
    reason: str
    tuning: bool = False
    cpu: str | None = None
    device: Literal["cpu", "gpu"] | None = None
    dtype: Literal["float64"] | None = None


class Tolerance(msgspec.Struct, forbid_unknown_fields=True):
    """A limit of the certificate that is wider than the project's, and the measurement that explains it."""

    limit: float
    reason: str


class Environment(msgspec.Struct, forbid_unknown_fields=True):
    """How an implementation's environment is made.

    python: "3.11", and nothing finer. requirements: the lock for the CPU, in the folder. requirements_gpu: the lock for
    a GPU; GPU_LOCK where the folder has it or its pins, so that a first one changes nothing that is declared of the
    CPU. setup: a script of the folder, run with the environment's Python after the install. install: variables for uv.
    variables: variables of the framework's processes. get_python: how to come by an old interpreter.
    """

    python: Annotated[str, msgspec.Meta(pattern=r"^\d+\.\d+$")]
    requirements: str = "requirements.txt"
    requirements_gpu: str | None = None
    setup: str | None = None
    get_python: str | None = None
    install: dict[str, Variable] = {}
    variables: dict[str, Variable] = {}


class Distribution(msgspec.Struct, forbid_unknown_fields=True):
    """The initial distribution of a weight, if it is not the project's. In framework.toml the key of `kind` is `law`.

    scale: the bound of a uniform distribution, the standard deviation of a normal one.
    """

    kind: Literal["uniform", "normal"] = msgspec.field(name="law")
    scale: float
    reason: str


class Example(msgspec.Struct, forbid_unknown_fields=True):
    """The declarations for one example, in the table of the workload's name.

    float64: it also computes in float64, so that the certificate has a float64 pass. forms: which of
    the oracle's forms it computes. partial_batch: it trains on the last, smaller batch.
    threads: the number that it runs fastest with, if that is not all cores. start: weight name -> Distribution.
    slow_because: the finding of a profiler, for an implementation that uses little of what the machine can do.
    compiled_since_schema: the schema of records from which on `train` is the compiled step. In records of an older
    schema `train` is the step-by-step one, and `train_compiled` the compiled one.
    """

    float64: bool = False
    forms: dict[str, str] = {}
    partial_batch: bool = False
    threads: int | None = None
    threads_reason: str | None = None
    slow_because: str | None = None
    compiled_since_schema: Annotated[int, msgspec.Meta(ge=2)] | None = None
    variables: dict[str, Variable] = {}
    start: dict[str, Distribution] = {}
    tolerances: dict[str, Tolerance] = {}


class Framework(msgspec.Struct, forbid_unknown_fields=True):
    """One framework.toml. `environment` is a table, or the id of another implementation whose environment serves.

    package: the distribution whose version is the framework's; a list where builds have names of their own.
    needs: what it needs to run today, and why. shown_first: it is what a page opens with for a reader who has chosen
    nothing yet. variables: those of its processes, in whichever environment.
    compile_cache: the variables that set where it caches compiled code.
    """

    name: str
    package: str | list[str]
    since: str
    home_page: str
    environment: Environment | str
    last_release: str | None = None
    successor: str | None = None
    retired: bool = False
    shown_first: bool = False
    why_alive: str | None = None
    needs: str | None = None
    variables: dict[str, Variable] = {}
    compile_cache: dict[str, Variable] = {}

    @property
    def packages(self) -> list[str]:
        """The distributions that the framework may come as, in lower case, as records list them."""
        names = [self.package] if isinstance(self.package, str) else self.package
        return [name.lower() for name in names]


class Declared(msgspec.Struct, kw_only=True):
    """The declarations of a folder for one of its implementations.

    backends: all that the folder has, this implementation's among them. title: the folder's own name, which the files'
    tab carries; `framework.name` is the implementation's. examples: workload -> what is declared of its example. raw:
    the keys of framework.toml that hold for this implementation, a backend's laid over the folder's."""

    id: str
    folder: Path
    backend: str | None
    backends: list[str]
    title: str
    framework: Framework
    examples: dict[str, Example]
    raw: dict[str, Any]


class Implementation(Declared, kw_only=True):
    """A framework as it is run, with its environment: its own, or that of the implementation `environment_id`."""

    environment_id: str
    environment: Environment
    environment_folder: Path

    @property
    def name(self) -> str:
        return self.framework.name

    def example(self, workload: str) -> Path:
        return self.folder / f"{workload}.py"

    def workload(self, workload: str) -> Example:
        """What it declares of its example of this workload."""
        return self.examples.get(workload, Example())

    def lock(self, device: str) -> Path:
        """The lock of its environment on this device; the CPU's where there is none for a GPU."""
        name = self.environment.requirements_gpu if device == "gpu" else None
        return self.environment_folder / (name or self.environment.requirements)

    def defines(self, workload: str, function: str) -> bool:
        """Whether its example has this function, one that not every example has."""
        return f"\ndef {function}(" in self.example(workload).read_text("utf-8")

    def variables(self, workload: str | None, tuned: bool = False) -> dict[str, Variable]:
        """The declared variables of its processes, those of an example last.

        workload: None for the variables that belong to no example. tuned: with those that only make it faster. Where
        one of them has the name of another variable, that one holds without it.
        """
        tables = [self.environment.variables, self.framework.variables]
        tables += [self.workload(workload).variables] if workload else []
        return {name: variable for table in tables for name, variable in table.items() if tuned or not variable.tuning}

    def is_tunable(self, workload: str) -> bool:
        """Whether a variable only makes this example faster, or the example defines a function that does."""
        declared = self.variables(workload, tuned=True).values()
        return self.defines(workload, TUNED) or any(variable.tuning for variable in declared)

    def named_files(self) -> list[str]:
        """The files of its folder that the installer's variables name."""
        values = [variable.value for variable in self.environment.install.values()]
        return [value for value in values if (self.environment_folder / value).is_file()]

    def install_variables(self, device: str) -> dict[str, str]:
        """The installer's variables. For a GPU's lock those that name a file alone: others choose the CPU's builds."""
        values = {name: variable.value for name, variable in self.environment.install.items()}
        all_hold, named = device == "cpu" or self.environment.requirements_gpu is None, self.named_files()
        return {name: value for name, value in values.items() if all_hold or value in named}

    @property
    def workloads(self) -> list[str]:
        return [workload for workload in WORKLOADS if self.example(workload).exists()]

    def cases(self, workloads: list[str]) -> Iterator[Case]:
        """All cases of this implementation: `train` and each variant, for these workloads."""
        for workload in self.workloads:
            if workload in workloads:
                yield Case(self, workload)
                yield from (Case(self, workload, name) for name in VARIANTS if self._has(workload, name))

    def _has(self, workload: str, variant: str) -> bool:
        return self.is_tunable(workload) if variant == TUNED else self.defines(workload, variant)


class Case(msgspec.Struct, frozen=True):
    """The subject of a certificate or benchmark: implementation, workload, and variant of `train` (None: `train`)."""

    implementation: Implementation
    workload: str
    variant: str | None = None

    @property
    def label(self) -> str:
        return " ".join([self.implementation.id, self.workload, *([self.variant] if self.variant else [])])

    @property
    def tuned(self) -> bool:
        """Whether it runs with the variables that only make a framework faster."""
        return self.variant == TUNED

    @property
    def verb(self) -> str:
        """The function that trains: that of the variant; `train` where variables alone tune the example."""
        if self.variant is None or (self.tuned and not self.implementation.defines(self.workload, TUNED)):
            return "train"
        return self.variant


def _overlay(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid over `base`, table by table."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _overlay(base[key], value) if both else value
    return merged


def _declarations(folder: Path) -> Iterator[Declared]:
    """The implementations of a folder: one for each backend, or the folder itself."""
    where = f"{folder.name}/framework.toml"
    if "-" in folder.name:
        raise UserError(f"The folder {folder.name} has a hyphen in its name: a hyphen stands only before a backend.")
    try:
        base = tomllib.loads((folder / "framework.toml").read_text("utf-8"))
        backends = msgspec.convert(base.pop("backend", {}), dict[str, dict[str, Any]])
        for backend, keys in backends.items() or [(None, {})]:
            where = f"{folder.name}/framework.toml, [backend.{backend}]," if backend else where
            if backend and "name" not in keys:
                raise UserError(f"{where} lacks the key `name`: each backend needs a name of its own.")
            raw = _overlay(base, keys)
            name = f"{folder.name}-{backend}" if backend else folder.name
            tables = {key: value for key, value in raw.items() if key in WORKLOADS}
            examples = {key: _example(key, table) for key, table in tables.items()}
            framework = msgspec.convert({key: value for key, value in raw.items() if key not in tables}, Framework)
            title = base.get("name", framework.name)
            yield Declared(
                id=name,
                folder=folder,
                backend=backend,
                backends=list(backends),
                title=title,
                framework=framework,
                examples=examples,
                raw=raw,
            )
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UserError(f"{where} is not valid: {error}.") from None


def _example(workload: str, table: object) -> Example:
    """The table of a workload. Raises ValidationError, which names the table."""
    try:
        return msgspec.convert(table, Example)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"{error}, in [{workload}]") from None


def _with_environment(declared: Declared, all_implementations: dict[str, Declared]) -> Implementation:
    owner = declared.framework.environment if isinstance(declared.framework.environment, str) else declared.id
    environment = all_implementations[owner].framework.environment if owner in all_implementations else None
    if not isinstance(environment, Environment):
        raise UserError(
            f"{declared.folder.name}/framework.toml: no framework declares the environment {owner!r} of {declared.id}."
        )
    folder = all_implementations[owner].folder
    gpu = folder / GPU_LOCK
    if environment.requirements_gpu is None and (gpu.is_file() or gpu.with_suffix(".in").is_file()):
        environment = msgspec.structs.replace(environment, requirements_gpu=GPU_LOCK)
    implementation = Implementation(
        **msgspec.structs.asdict(declared), environment_id=owner, environment=environment, environment_folder=folder
    )
    for workload in implementation.workloads:
        if "momentum" in implementation.workload(workload).forms and not implementation.defines(workload, SET_RATE):
            raise UserError(
                f"{declared.folder.name}/framework.toml declares a form of the momentum, which only a changed learning "
                f"rate shows, and its {workload}.py has no {SET_RATE}."
            )
    return implementation


def implementations(examples: Path | None = None) -> dict[str, Implementation]:
    """All implementations by id, in alphabetical order. Raises UserError where a framework.toml is not valid."""
    examples = examples or EXAMPLES
    folders = sorted(path.parent for path in examples.glob("*/framework.toml"))
    declarations = {declared.id: declared for folder in folders for declared in _declarations(folder)}
    return {name: _with_environment(declarations[name], declarations) for name in sorted(declarations)}


def compiled_since(implementations: Iterable[Implementation]) -> dict[tuple[str, str], int]:
    """(folder, workload) -> its `compiled_since_schema`, of those that declare one."""
    declared = (
        (implementation, workload, implementation.workload(workload).compiled_since_schema)
        for implementation in implementations
        for workload in WORKLOADS
    )
    return {
        (implementation.folder.name, workload): schema
        for implementation, workload, schema in declared
        if schema is not None
    }


def nearest(kind: str, name: str, names: list[str]) -> UserError:
    """The error for an unknown name, with the nearest known one."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(names)}."
    return UserError(f"There is no {kind} {name!r}: {hint}")


def select(ids: list[str], examples: Path | None = None) -> list[Implementation]:
    """The implementations of these ids, or all of them. Raises UserError for an unknown id."""
    all_implementations = implementations(examples)
    for name in ids:
        if name not in all_implementations:
            raise nearest("framework", name, list(all_implementations))
    return [implementation for name, implementation in all_implementations.items() if not ids or name in ids]
