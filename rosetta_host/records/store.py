"""Records: their types, and reading and writing them. One JSON file a run, append-only.

A record is one of `AnyRecord`, told apart by its field `kind`. Times are seconds, memory bytes, rates per second,
`accuracy` a fraction of 1.
"""

from __future__ import annotations

import contextlib
import logging
import os
import statistics
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypeVar, get_args

import msgspec

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import ROOT, UserError
from rosetta_host.records import checks
from rosetta_host.records.codes import CheckCode, Code, Coverage, Disturbance
from rosetta_host.records.convert import CompiledSince, converted

log = logging.getLogger(__name__)

SCHEMA = 3  # of what is written; `read` takes every schema from 1 on, and gives a record of this one
COMMITTED = ROOT / "docs" / "records"
SCHEMA_FILE = "schema.json"  # under COMMITTED: the JSON Schema of a record
LOCAL = ROOT / "docs" / "_local"  # git ignores it; the site shows it as "this machine, just now"

# oom: the kernel or the allocator says so. Records dated before 2026-11-30 use it for every process that SIGKILL ended,
# or whose log names memory.
Status = Literal["ok", "failed", "timeout", "oom", "interrupted", "unsupported"]
Measure = Literal["size", "time", "accuracy"]  # of a lesson's record


class Machine(msgspec.Struct, omit_defaults=True):
    """Where it ran.

    id: the name of the folder of its records. matmul_rate: FLOP/s of NumPy's float32 matrix product, before the run.
    copy_rate: bytes per second that NumPy reads and writes as it copies an array. boot: the system's random id of this
    boot. hypervisor: the virtual machine's kind, such as "kvm", or "unknown". microarchitecture: as archspec names it,
    such as "zen4". governor: what sets the frequency of the processor. smt: whether a core runs several threads at
    once. None: the system does not state it.
    """

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
    copy_rate: float | None = None
    boot: str | None = None
    hypervisor: str | None = None
    microarchitecture: str | None = None
    governor: str | None = None
    smt: bool | None = None


class Data(msgspec.Struct, omit_defaults=True):
    """Which data: `source` is "official", "unofficial copy" or "embedded sample"; `digest` of the arrays."""

    name: str
    source: str
    digest: str | None = None
    train: int | None = None
    test: int | None = None


class Times(msgspec.Struct, omit_defaults=True):
    """Seconds. `first_step` ran in a process of its own; `train` is the sum of `epochs`.

    step, step_p95: the median and the 95th percentile of the last epoch's single steps, where these were counted.
    """

    imported: float | None = None
    load: float | None = None
    build: float | None = None
    first_step: float | None = None
    step: float | None = None
    step_p95: float | None = None
    epochs: list[float] = []
    train: float | None = None
    predict: float | None = None
    evaluate: float | None = None
    process: float | None = None


class Check(msgspec.Struct, omit_defaults=True):
    """One check: its figures against their limit, and where the worst one lies.

    floor: the least that `figure` may be, where it must not be too small. by_design: it is not ok, and no fault
    either: a declared form leaves no other end. In a transfer the name is the implementation that gave the weights.
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


class RecordedCheck(msgspec.Struct, omit_defaults=True):
    """A `Check` of a certificate as a record holds it: with a code, and the pass or the layer that it is about."""

    code: CheckCode
    ok: bool
    figure: float | None = None
    limit: float | None = None
    where: str | None = None
    reason: str | None = None
    figures: Mapping[str, float | None] = {}
    floor: float | None = None
    subject: str | None = None

    @classmethod
    def of(cls, check: Check) -> RecordedCheck:
        """A check that the judge made. Raises LookupError where its name has no code."""
        code, subject = checks.coded(check.name)
        same = {name: getattr(check, name) for name in cls.__struct_fields__ if name not in ("code", "subject")}
        return cls(code, subject=subject, **same)

    @property
    def name(self) -> str:
        """The name by which a terminal shows it."""
        return checks.named(self.code, self.subject)


class Executed(msgspec.Struct, frozen=True, omit_defaults=True):
    """How much of a function a certificate ran. lines: how many of how many, where not every line ran."""

    code: Coverage
    lines: tuple[int, int] | None = None


class Statement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a framework does where an argument is left out, so that two that do the same are equal.

    value: a number, or the scale of a distribution that no rule sets. items: rules of a distribution's scale, kinds of
    labels, sizes of a kernel, or a dtype. parts: statements that hold together, as for the gates and for the new state.
    """

    code: Code
    value: float | None = None
    items: tuple[str, ...] = ()
    parts: tuple[Statement, ...] = ()

    def __str__(self) -> str:
        """The statement as a terminal shows it."""
        value = "" if self.value is None else f"{self.value:g}"
        shown = [*([value] if value else []), *self.items, *(f"({part})" for part in self.parts)]
        return " ".join(shown if self.code == Code.NUMBER else [self.code, *shown])


class Answer(Statement, frozen=True, omit_defaults=True):
    """The answer to one question, as it was inferred.

    figures: what it was inferred from. reason: why there is none, for the codes `refused`, `must_be_given`, `none` and
    `unknown`; `none` without one is that the framework has it, and does nothing.
    """

    figures: Mapping[str, float | None] = {}  # None: not a finite number
    reason: str | None = None

    @property
    def statement(self) -> Statement:
        """The answer without what is its framework's own."""
        return Statement(self.code, self.value, self.items, self.parts)


class Record(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What every kind of record holds of one run, whatever its end.

    schema: the one that the file follows, and SCHEMA once it is read. framework, backend: the implementation. workload:
    "defaults" for what belongs to none, a framework's defaults. variant: the function that trained, where that is not
    `train`. environment: "as found" for an interpreter of the user's (None: the implementation's locked environment).
    variables: the environment variables that the framework's process got beside the system's own, with the folders of
    the environment left open as {environment}. digests: of all that the result depends on. times: of a kind that times
    nothing, the seconds of the whole.
    """

    schema: int
    status: Status
    framework: str
    workload: str  # its name, or "defaults"
    created: str
    machine: Machine
    device: str
    reason: str | None = None
    backend: str | None = None
    variant: str | None = None
    name: str | None = None
    version: str | None = None
    environment: Literal["as found"] | None = None
    python: str | None = None
    packages: dict[str, str] = {}
    threads: int | None = None
    variables: dict[str, str] = {}
    precision: str | None = None
    digests: dict[str, str] = {}
    commit: str | None = None
    times: Times | None = None
    log: str | None = None

    @property
    def kind(self) -> str:
        """The kind of the record, and the folder of its file."""
        return str(self.__struct_config__.tag)

    @property
    def implementation(self) -> str:
        """The id of the implementation: the folder, and the backend where there is one."""
        return f"{self.framework}-{self.backend}" if self.backend else self.framework


class RunRecord(Record, kw_only=True):
    """A run that trains and predicts, as a benchmark and a lesson may hold it.

    load: of the machine as the run began. steps: of all epochs. peak_resident: bytes, the largest resident set of the
    run's own process; where it failed, of that or one of its children. parameters: how many numbers are trained. steal,
    pressure: over the run, the share of all cores' time that the hypervisor gave to other guests, and the share of the
    time in which some process waited for a core. matmul_rate_after: FLOP/s, as that of the machine, which is of before
    the run.
    """

    preset: str | None = None
    seed: int | None = None
    accuracy: float | None = None
    load: float | None = None
    data: Data | None = None
    epochs: int | None = None
    steps: int | None = None
    train_rate: float | None = None
    predict_rate: float | None = None
    peak_resident: int | None = None
    losses: Sequence[float | None] = []  # None: not a finite number
    shapes: dict[str, str] = {}
    parameters: int | None = None
    steal: float | None = None
    pressure: float | None = None
    matmul_rate_after: float | None = None

    @property
    def steady_step(self) -> float | None:
        """Seconds of a step in which nothing compiles: the median of single ones, or the mean of all but the first."""
        if self.times is None:
            return None
        if self.times.step is not None:
            return self.times.step
        if self.times.train is None or self.times.first_step is None or not self.steps or self.steps < 2:
            return None
        return max(0.0, self.times.train - self.times.first_step) / (self.steps - 1)

    @property
    def compile_in_training(self) -> float:
        """Seconds of `times.train` in which the first step compiles; 0 where the first step was not timed."""
        step = self.steady_step
        if step is None or self.times is None or self.times.first_step is None:
            return 0.0
        return max(0.0, self.times.first_step - step)

    @property
    def compile_seconds(self) -> float | None:
        """Building and the first step, beyond a steady step: the same for every framework, whenever it compiles."""
        step = self.steady_step
        if step is None or self.times is None or self.times.build is None or self.times.first_step is None:
            return None
        return max(0.0, self.times.build + self.times.first_step - step)

    @property
    def steady_seconds(self) -> float | None:
        """Seconds of training without what compiles in it; None where the first step was not timed."""
        if self.times is None or self.times.train is None or self.compile_seconds is None:
            return None
        return self.times.train - self.compile_in_training

    @property
    def total_seconds(self) -> float | None:
        """Seconds of compiling and of steady training; None where the first step was not timed."""
        if self.compile_seconds is None or self.steady_seconds is None:
            return None
        return self.compile_seconds + self.steady_seconds


class BenchmarkRecord(RunRecord, kw_only=True, tag="benchmark"):
    """A timed run. historic: quoted from the `source` that it names, not measured here."""

    preset: str
    historic: bool = False
    source: str | None = None


class CertificateRecord(Record, kw_only=True, tag="certificate"):
    """The checks of one example against the oracle.

    untimed_variables: the environment variables of the processes of those parts that need not run as the timed run
    does: on one thread, with a cache of what is compiled. executed: function of the example -> how much of it the
    checks ran.
    """

    checks: list[RecordedCheck]
    untimed_variables: dict[str, str] = {}
    executed: dict[str, Executed] = {}


class LessonRecord(RunRecord, kw_only=True, tag="lesson"):
    """One measurement of a lesson.

    measure: "size" is what the certificate says of the patched example, "time" seconds a step in `pairs`, of the
    example as it is and of the patched one, by turns, "accuracy" that of a run over all of the data. lesson, mutant:
    the lesson that a run belongs to, and the error that was patched in (None: the example as it is).
    """

    measure: Measure
    lesson: str | None = None
    mutant: str | None = None
    checks: list[RecordedCheck] = []
    untimed_variables: dict[str, str] = {}
    pairs: Sequence[tuple[float, float]] = []


class DefaultsRecord(Record, kw_only=True, tag="defaults"):
    """What a framework does where an argument is left out.

    answers: question.facet -> the answer. calls: question.facet -> a line of the folder's explicit.toml, as
    `nn.Conv2d(..., padding=1)` -> the answer with this line.
    """

    answers: dict[str, Answer]
    calls: dict[str, dict[str, Answer]] = {}


class TransferRecord(Record, kw_only=True, tag="transfer"):
    """Weights that an implementation took from the others, a check for each.

    layouts: canonical weight -> how `import_weights` hands it to the framework. givers: implementation that gave
    weights -> the digests of what ran there.
    """

    seed: int
    checks: list[Check]
    layouts: dict[str, str] = {}
    givers: dict[str, dict[str, str]] = {}


class Conditions(msgspec.Struct, omit_defaults=True):
    """What the machine did besides, over the span of a turn.

    load: the 1-minute average as the turn began. other_work, steal: the share of all cores' time that other processes
    took, and that the hypervisor gave to other guests. pressure: the share of the span in which some process waited for
    a core. free_memory: bytes, the least sampled. frequency: Hz, the lowest sample of the cores' mean. matmul_rates:
    FLOP/s of NumPy's float32 matrix product, before the turn, between its stretches and after it. None: the system does
    not state it.
    """

    load: float | None = None
    other_work: float | None = None
    steal: float | None = None
    pressure: float | None = None
    free_memory: int | None = None
    frequency: float | None = None
    matmul_rates: Sequence[float] = []


class TurnRecord(RunRecord, kw_only=True, tag="turn"):
    """One turn of a ranked sweep: a fresh process, timed in stretches that alternate with those of a reference.

    sweep: the time at which the sweep began, which all of its turns share. turn: 1, 2 … for each case. order: the place
    of the turn in the whole sweep. reference: the label of the case that the reference process trains. pairs: seconds
    per step of the reference and of this case, a pair for each steady stretch. first_stretch: seconds of the first
    steps, `stretch_steps` of them, in which a framework may compile. steps_p50, steps_p95: seconds of single steady
    steps. disturbed: what exceeded the sweep's limits; a disturbed turn counts for nothing and is repeated.
    """

    sweep: str
    turn: int
    order: int
    reference: str
    pairs: Sequence[tuple[float, float]] = []
    first_stretch: float | None = None
    stretch_steps: int | None = None
    steps_p50: float | None = None
    steps_p95: float | None = None
    conditions: Conditions | None = None
    disturbed: Sequence[Disturbance] = []

    @property
    def compile_seconds(self) -> float | None:
        """Building and the first stretch, beyond what its steps take once steady: the same for every framework."""
        if not self.pairs or self.first_stretch is None or not self.stretch_steps:
            return None
        if self.times is None or self.times.build is None:
            return None
        steady = statistics.median(own for _, own in self.pairs)
        return max(0.0, self.times.build + self.first_stretch - self.stretch_steps * steady)


R = TypeVar("R", bound=Record)
AnyRecord = BenchmarkRecord | CertificateRecord | LessonRecord | DefaultsRecord | TransferRecord | TurnRecord
KINDS: dict[str, type[Record]] = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyRecord)}


def is_historic(record: Record) -> bool:
    """Whether a record is a number that the original notebooks state, not one that this project measured."""
    return isinstance(record, BenchmarkRecord) and record.historic


def is_patched(record: Record) -> bool:
    """Whether the example carried a deliberate error as it ran."""
    return isinstance(record, LessonRecord) and record.mutant is not None


CREATED = "%Y%m%dT%H%M%S.%fZ"


def now() -> str:
    """The time in UTC as records write it, sortable and fit for a file's name."""
    return datetime.now(UTC).strftime(CREATED)


def _later(created: str) -> str:
    """The next time that a record can state."""
    return (datetime.strptime(created, CREATED) + timedelta(microseconds=1)).strftime(CREATED)


def file_name(record: Record) -> str:
    """The name of a record's file."""
    return f"{record.implementation}-{record.workload}-{record.created}.json"


def write(record: Record, folder: Path) -> Path:
    """Write a record under `folder`, whole or not at all; an existing file is never overwritten.

    Returns folder/<kind>/<machine>/<id>-<workload>-<UTC>.json. Where that is taken, because the clock was set back or
    stands still, `record.created` becomes the next time that is free. Raises UserError where it cannot be written, with
    the place where it is kept instead.
    """
    try:
        return _write(record, folder)
    except KeyboardInterrupt:  # the run is over, and Ctrl-C must not lose it
        if not (folder / _name(record)).exists():
            _write(record, folder)
        raise
    except OSError as error:
        problem = f"The record {folder / _name(record)} could not be written: {error.strerror}."
    try:
        kept = _write(record, Path(tempfile.mkdtemp(prefix="rosetta-records-")))
    except OSError:
        raise UserError(
            f"{problem} There is no other place for it: free some space, and run the same command."
        ) from None
    raise UserError(f"{problem} It is kept as {kept}: make room for it, and move it there.")


def _name(record: Record) -> Path:
    """The file of a record, as seen from its folder of records."""
    return Path(record.kind, record.machine.id, file_name(record))


def _write(record: Record, folder: Path) -> Path:
    (folder / _name(record)).parent.mkdir(parents=True, exist_ok=True)
    while True:
        path = folder / _name(record)
        try:
            _create(path, msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
        except FileExistsError:
            record.created = _later(record.created)
        else:
            return path


def _create(path: Path, content: bytes) -> None:
    """Make a file of this content. It is on the disk before it has its name, so that no loss of power leaves half."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(handle, 0o644)
            os.fsync(handle)
        os.link(temporary, path)  # unlike a rename, a link refuses to replace what is there
    finally:
        os.unlink(temporary)
    folder = os.open(path.parent, os.O_RDONLY)
    with contextlib.suppress(OSError):  # not every file system can
        os.fsync(folder)
    os.close(folder)


def read(path: Path, compiled_since: CompiledSince | None = None) -> AnyRecord:
    """One record, in the current schema. Raises UserError where the file does not follow its own.

    compiled_since: as `convert.converted` takes it; by default what the catalog declares.
    """
    try:
        content = msgspec.json.decode(path.read_bytes())
        schema = msgspec.convert(content, _Versioned).schema
        if not 1 <= schema <= SCHEMA:
            raise UserError(f"{path} follows schema {schema}; this project reads schemas 1 to {SCHEMA}.")
        if schema < SCHEMA:
            if compiled_since is None:
                compiled_since = frameworks.compiled_since(frameworks.implementations().values())
            content = {**converted(content, compiled_since), "schema": SCHEMA}
        record: AnyRecord = msgspec.convert(content, AnyRecord)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a record: {error}.") from None
    except (LookupError, TypeError, AttributeError):
        raise UserError(f"{path} is not a record: it does not have the form of schema {schema}.") from None
    return record


class _Versioned(msgspec.Struct):
    """What a file of any schema begins with."""

    schema: int


def paths(folders: Iterable[Path] = (COMMITTED, LOCAL)) -> list[Path]:
    """The files of all records under these folders: <kind>/<machine>/*.json, in order of name."""
    return sorted(path for folder in folders for path in folder.glob("*/*/*.json"))


def read_all(folders: Iterable[Path] = (COMMITTED, LOCAL)) -> list[AnyRecord]:
    """Every record under these folders, oldest first; those of one time in order of name.

    A file that is no record is left out with a warning, so that it ends no sweep: its run is made again.
    """
    since, records = frameworks.compiled_since(frameworks.implementations().values()), []
    for path in paths(folders):
        try:
            records.append(read(path, since))
        except UserError as error:
            log.warning("%s It is left out; delete the file.", error)
    return sorted(records, key=lambda record: record.created)


def of_kind(records: Iterable[Record], kind: type[R]) -> list[R]:
    """Those of these records that are of a kind."""
    return [record for record in records if isinstance(record, kind)]


def write_schema() -> None:
    """Write the JSON Schema of a record."""
    text = msgspec.json.format(msgspec.json.encode(msgspec.json.schema(AnyRecord)), indent=1)
    (COMMITTED / SCHEMA_FILE).write_bytes(text + b"\n")


if __name__ == "__main__":
    write_schema()
