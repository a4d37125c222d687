"""How the site says a record's facts: dates, times, sizes, presets. One place, so that every page says them alike."""

from __future__ import annotations

from datetime import datetime

from docutils import nodes

from _ext.core.store import Store
from rosetta_host.catalog.frameworks import TUNED
from rosetta_host.records.convert import EAGER_WITH_LOADER
from rosetta_host.records.store import (
    BenchmarkRecord,
    CertificateRecord,
    Machine,
    Record,
    RunRecord,
    TurnRecord,
    is_historic,
)

PRESETS = {
    "full": "Preset full: all of the data, for as many epochs as the original notebooks",
    "epoch": "Preset epoch: one epoch over all of the data",
    "quick": "Preset quick: one epoch over the small sample that comes with the project, for a first run; never ranked",
}
DEVICES = {"gpu": "on the GPU", "cpu": "on the CPU"}
PROCESSORS = {"gpu": "GPU", "cpu": "CPU"}
VARIANTS = {
    "train_with_loader": "with its own data loader",
    "train_compiled": "compiled",
    "train_eager": "step by step",
    TUNED: "tuned",
    EAGER_WITH_LOADER: "step by step, with its own data loader",
}


def date(record: Record) -> str:
    """The day of a run, as 2026-11-23."""
    return day(record.created)


def day(stamp: str) -> str:
    """The day of a time as records write it."""
    return datetime.strptime(stamp[:8], "%Y%m%d").strftime("%Y-%m-%d")


def seconds(value: float) -> str:
    """149 s; below ten, two figures."""
    return f"{value:,.0f} s" if value >= 10 else f"{value:.2g} s"


def step(value: float) -> str:
    """Seconds of one step in three figures, for small differences between two."""
    return f"{value:.3g} s"


def duration(value: float) -> str:
    """12.0 ms, 1.23 s, 105 s: three figures, for steps that take anything from less than a millisecond to minutes."""
    number, unit = (1000 * value, "ms") if value < 0.9995 else (value, "s")
    return f"{number:#.3g}".removesuffix(".") + f" {unit}"


def mutant(name: str) -> str:
    """A patch of mutants.toml, as a reader calls it."""
    return name.replace("_", " ")


def ratio(value: float) -> str:
    """How many times as much: 1.31×, 13.1×, 131×. _static/results.js says it the same way."""
    places = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{places}f}×"


def implementation_name(store: Store, record: Record) -> str:
    """The name of an implementation with what sets it apart: its variant, and a precision other than float32."""
    if is_historic(record):
        return store.name(record)  # the original notebooks' label says it all
    return with_variant(store.name(record), record.variant, record.precision)


def versioned(name: str, record: Record) -> str:
    """The name with the version that ran, set apart: behind "A on B" a number reads as the version of B."""
    return f"{name}, version {record.version}" if record.version else name


def with_variant(name: str, variant: str | None, precision: str | None = None) -> str:
    """A framework's name, with the variant of its training and a precision other than float32."""
    apart = [VARIANTS.get(variant, variant)] if variant else []
    apart += [precision] if precision not in (None, "float32") else []
    return name + (f" ({', '.join(apart)})" if apart else "")


def processor(record: Record) -> str:
    """The kind of processor that a record was made on, and which GPU it was: "on a GPU (NVIDIA H100)"."""
    kind = PROCESSORS[record.device or "cpu"]
    return f"on a {kind} ({record.machine.gpu})" if record.device == "gpu" and record.machine.gpu else f"on a {kind}"


def environment(record: Record) -> str:
    """That a run used an external interpreter; nothing for a run in its locked environment."""
    return "in an external interpreter, not in the locked environment" if record.environment else ""


def uncommitted(record: Record) -> str:
    """That the code of a run is in no commit; nothing of one whose commit holds all that ran."""
    return "from uncommitted changes" if (record.commit or "").endswith("+") else ""


def dated(record: Record) -> str:
    """The day of a run, and that its code is in no commit where that is so."""
    return " · ".join(filter(None, (date(record), uncommitted(record))))


def epochs(record: RunRecord) -> str:
    """1 epoch, 10 epochs."""
    return "1 epoch" if record.epochs == 1 else f"{record.epochs} epochs"


def machine_facts(machine: Machine) -> str:
    """What is known of a machine in one line."""
    facts = [
        machine.cpu,
        machine.cores and f"{machine.cores} cores",
        machine.memory and f"{machine.memory / 2**30:.0f} GiB of memory",
        machine.matmul_rate and f"the processor's float32 matrix product: {machine.matmul_rate / 1e9:,.0f} GFLOP/s",
        machine.gpu,
        machine.driver and f"driver {machine.driver}",
        machine.cuda and f"CUDA {machine.cuda}",
        machine.cudnn and f"cuDNN {machine.cudnn}",
    ]
    return " · ".join(fact for fact in facts if fact)


def provenance(store: Store, record: Record) -> str:
    """Where a number comes from, for the card that a pointer shows over it."""
    if isinstance(record, BenchmarkRecord) and record.historic:
        return f"{record.machine.name}: {implementation_name(store, record)}; {record.source}"
    where = f"{versioned(store.name(record), record)} · {record.machine.name} · {date(record)}"
    data = f" · {record.data.source}" if isinstance(record, RunRecord) and record.data else ""
    changes = f" · {uncommitted(record)}" if uncommitted(record) else ""
    return f"{where}{data}{changes} · {store.verdict(record).mark}"


def anchor(record: Record) -> str:
    """The id of a record's line on the results pages."""
    parts = [record.machine.id, record.implementation, record.variant or ""]
    if isinstance(record, CertificateRecord):
        other = "" if record.precision == "float32" else record.precision or ""
        parts = ["certificate", record.workload, *parts, record.device or "", other]
    elif isinstance(record, TurnRecord):
        parts = ["ranked", record.workload, *parts, record.device or "", record.precision or ""]
    else:
        preset = record.preset if isinstance(record, RunRecord) else None
        parts = ["result", record.workload, preset or "", *parts, record.device or "", record.precision or ""]
    name: str = nodes.make_id("-".join(part for part in parts if part))
    return name
