"""Records: their schema, and reading and writing them. One JSON file a run, append-only.

Times are seconds, memory bytes, rates per second, `accuracy` a fraction of 1.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import ROOT, UserError

SCHEMA = 2  # of what is written; `read` takes every schema from 1 on, and gives a record of this one
COMMITTED = ROOT / "docs" / "records"
LOCAL = ROOT / "docs" / "_local"  # git ignores it; the site shows it as "this machine, just now"

# oom: the kernel said so, or the allocator. In records of before 30 November 2026 also every process that was killed by
# SIGKILL, or whose log spoke of memory.
Status = Literal["ok", "failed", "timeout", "oom", "interrupted", "unsupported"]
Kind = Literal["benchmark", "certificate", "lesson", "defaults", "transfer"]


# Where `train` has become the compiled step: what the ways of training are called now, by what they were called before.
# Step by step from a loader is a way that examples no longer have, and records do.
EAGER_WITH_LOADER = "train_eager_with_loader"
BECAME_COMPILED = {None: "train_eager", "train_compiled": None, "train_with_loader": EAGER_WITH_LOADER}
OF_ONE_WAY: tuple[Kind, ...] = ("benchmark", "certificate", "lesson")  # whose records are of one way of training

FIELDS_OF_SCHEMA_1 = {"lane": "preset"}
KINDS_OF_SCHEMA_1 = {"parity": "certificate"}

CompiledSince = Mapping[tuple[str, str], int]  # as `catalogue.compiled_since` gives it


class Machine(msgspec.Struct, omit_defaults=True):
    """Where it ran. `id` names the folder of its records; the rate is that of NumPy's float32 product, FLOP/s."""

    id: str
    name: str
    cpu: str | None = None
    cores: int | None = None
    memory: int | None = None
    gpu: str | None = None
    driver: str | None = None
    cuda: str | None = None
    cudnn: str | None = None
    matmul_rate: float | None = None


class Data(msgspec.Struct, omit_defaults=True):
    """Which data: `source` is "official", "unofficial copy" or "embedded sample"; `digest` of the arrays."""

    name: str
    source: str
    digest: str | None = None
    train: int | None = None
    test: int | None = None


class Times(msgspec.Struct, omit_defaults=True):
    """Seconds. `first_step` ran in a process of its own; `train` is the sum of `epochs`."""

    imported: float | None = None
    load: float | None = None
    build: float | None = None
    first_step: float | None = None
    epochs: list[float] = []
    train: float | None = None
    predict: float | None = None
    evaluate: float | None = None
    process: float | None = None


class Check(msgspec.Struct, omit_defaults=True):
    """One check: its figures against their limit, and where the worst one lies.

    floor: the least that `figure` may be, where it must not be too small. by_design: it is not ok, and no fault
    either: a declared form leaves no other end. In a transfer a check's name is the row that gave the weights.
    """

    name: str
    ok: bool
    figure: float | None = None
    limit: float | None = None
    where: str | None = None
    reason: str | None = None
    figures: Mapping[str, float | None] = {}  # None: not a finite number, which JSON cannot hold
    by_design: bool = False
    floor: float | None = None


class Answer(msgspec.Struct, omit_defaults=True):
    """What a framework does where nothing is said.

    words: the answer, as it was inferred, or "refused", "must be given", "none" or "unknown" with the reason
    beside. figures: what it was inferred from.
    """

    words: str
    figures: Mapping[str, float | None] = {}  # None: not a finite number
    reason: str | None = None


class Record(msgspec.Struct, omit_defaults=True):
    """One run, whatever its end.

    schema: the one that the file follows, and SCHEMA once it is read. variant: the function that trained, where that is
    not `train`.
    workload: "defaults" for what belongs to none, a framework's defaults. lesson, mutant: the lesson that a run
    belongs to, and the error that was patched in (None: the example as it is). pairs: seconds a step of the
    example as it is and with the mutant, run by turns. answers: question.facet -> the answer. variables: the
    environment variables that the framework's process got beside the system's own, with the folders of the
    environment left open as {environment}. untimed_variables: those of the processes in which such parts of a
    certificate ran as need not run as the timed run does: on one thread, with a cache of what is compiled.
    peak_resident: bytes, the largest resident set of the run's own process. peak_memory: withdrawn; records of
    before 30 November 2026 hold it, and it was at least that of the process which started the run. environment:
    "as found" for a Python that the user handed over as it stood (None: the row's locked environment). layouts:
    canonical weight -> how the row's `import_weights` hands it to the framework. givers: row that gave weights ->
    the digests of what ran there.
    """

    schema: int
    kind: Kind
    status: Status
    framework: str
    workload: str  # its name, or "defaults"
    created: str
    machine: Machine
    reason: str | None = None
    backend: str | None = None
    preset: str | None = None
    device: str | None = None
    variant: str | None = None
    seed: int | None = None
    accuracy: float | None = None
    lesson: str | None = None
    mutant: str | None = None
    historic: bool = False
    source: str | None = None
    name: str | None = None
    version: str | None = None
    environment: Literal["as found"] | None = None
    python: str | None = None
    packages: dict[str, str] = {}
    threads: int | None = None
    variables: dict[str, str] = {}
    untimed_variables: dict[str, str] = {}
    load: float | None = None
    precision: str | None = None
    data: Data | None = None
    digests: dict[str, str] = {}
    commit: str | None = None
    times: Times | None = None
    epochs: int | None = None
    steps: int | None = None
    train_rate: float | None = None
    predict_rate: float | None = None
    peak_memory: int | None = None
    peak_resident: int | None = None
    losses: Sequence[float | None] = []  # None: not a finite number
    checks: list[Check] = []
    executed: dict[str, str] = {}  # function of the example -> how much of it a certificate's steps ran
    shapes: dict[str, str] = {}
    parameters: int | None = None  # numbers that are trained
    layouts: dict[str, str] = {}
    givers: dict[str, dict[str, str]] = {}
    pairs: Sequence[tuple[float, float]] = []
    answers: dict[str, Answer] = {}
    log: str | None = None

    @property
    def row(self) -> str:
        """The id of the row: the folder, and the backend where there is one."""
        return f"{self.framework}-{self.backend}" if self.backend else self.framework


def now() -> str:
    """The time in UTC as records write it, sortable and fit for a file's name."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def write(record: Record, folder: Path) -> Path:
    """Write a record under `folder`, atomically; an existing file is never overwritten.

    Returns folder/<kind>/<machine>/<id>-<workload>-<UTC>.json.
    """
    path = folder / record.kind / record.machine.id / f"{record.row}-{record.workload}-{record.created}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
        os.link(temporary, path)  # unlike a rename, a link refuses to replace what is there
    finally:
        os.unlink(temporary)
    return path


def read(path: Path, compiled_since: CompiledSince | None = None) -> Record:
    """One record, as of today's schema. Raises UserError where the file does not follow its own.

    compiled_since: whose `train` has become the compiled step, and with which schema; by default what the catalogue
    declares.
    """
    try:
        record = msgspec.convert(_renamed(msgspec.json.decode(path.read_bytes())), Record)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a record: {error}.") from None
    if not 1 <= record.schema <= SCHEMA:
        raise UserError(f"{path} follows schema {record.schema}; this project reads schemas 1 to {SCHEMA}.")
    if record.schema == SCHEMA:
        return record
    if compiled_since is None:
        compiled_since = frameworks.compiled_since(frameworks.rows().values())
    return _converted(record, compiled_since)


def _renamed(content: Any) -> Any:
    """A record's content, with the fields and kinds of schema 1 by their names of today."""
    if not isinstance(content, dict) or content.get("schema") != 1:
        return content
    renamed = {FIELDS_OF_SCHEMA_1.get(name, name): value for name, value in content.items()}
    for check in renamed.get("checks", ()):
        check["name"] = check["name"].replace("drop-out: ", "dropout: ")
    return {**renamed, "kind": KINDS_OF_SCHEMA_1.get(str(content.get("kind")), content.get("kind"))}


def _converted(record: Record, compiled_since: CompiledSince) -> Record:
    """A record of an older schema as one of today's: the one place that knows what has changed between them."""
    since = compiled_since.get((record.framework, record.workload), record.schema)
    renamed = record.schema < since and record.kind in OF_ONE_WAY and not record.historic
    variant = BECAME_COMPILED.get(record.variant, record.variant) if renamed else record.variant
    return msgspec.structs.replace(record, schema=SCHEMA, variant=variant)


def paths(folders: Iterable[Path] = (COMMITTED, LOCAL)) -> list[Path]:
    """The files of all records under these folders: <kind>/<machine>/*.json, in order of name."""
    return sorted(path for folder in folders for path in folder.glob("*/*/*.json"))


def read_all(folders: Iterable[Path] = (COMMITTED, LOCAL)) -> list[Record]:
    """Every record under these folders, oldest first."""
    since = frameworks.compiled_since(frameworks.rows().values())
    return sorted((read(path, since) for path in paths(folders)), key=lambda record: record.created)


def write_schema() -> None:
    """Write docs/records/schema.json, the JSON Schema of a record."""
    text = msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Record)), indent=1)
    (COMMITTED / "schema.json").write_bytes(text + b"\n")


if __name__ == "__main__":
    write_schema()
