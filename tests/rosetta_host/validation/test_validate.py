"""Records that cannot be true are refused with the reason; those that are published are not."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rosetta_host.catalog import frameworks, workloads
from rosetta_host.catalog.frameworks import WORKLOADS, UserError
from rosetta_host.datasets import dataset
from rosetta_host.records import store
from rosetta_host.records.store import COMMITTED, BenchmarkRecord, RunRecord
from rosetta_host.validation import floor, validate
from rosetta_host.validation.reference import Reference

LATEST = "20261231T000000.000000Z"
MEASURED_UNTIL = "20261201"  # the bands and the limits of the floor are of the records of before
Content = dict[str, Any]


@pytest.fixture(scope="module")
def published() -> dict[Path, store.AnyRecord]:
    return {path: store.read(path) for path in store.paths([COMMITTED])}


@pytest.fixture(scope="module")
def reference(published: dict[Path, store.AnyRecord]) -> Reference:
    return Reference.of(published, frameworks.implementations(), LATEST)


def is_run(record: store.Record) -> bool:
    """Whether it is a measured benchmark of several epochs on a CPU."""
    return isinstance(record, BenchmarkRecord) and record.status == "ok" and record.preset == "full" and of_cpu(record)


def of_cpu(record: store.Record) -> bool:
    return record.device == "cpu" and not store.is_historic(record)


def on_gpu(record: store.Record) -> bool:
    return isinstance(record, BenchmarkRecord) and record.device == "gpu" and not store.is_historic(record)


def is_timed(record: store.Record) -> bool:
    return isinstance(record, store.LessonRecord) and bool(record.pairs)


def is_ok(kind: str) -> Callable[[store.Record], bool]:
    return lambda record: record.kind == kind and record.status == "ok"


def scaled(factor: float) -> Callable[[Content], None]:
    """A run that took `factor` times as long, with all figures that follow."""

    def edit(run: Content) -> None:
        times = run["times"]
        for name, value in times.items():
            times[name] = [factor * epoch for epoch in value] if name == "epochs" else factor * value
        run["train_rate"] /= factor
        run["predict_rate"] /= factor

    return edit


def put(path: str, value: object) -> Callable[[Content], None]:
    """Set the field with this dotted name to a value, or to what a function makes of its value."""

    def edit(record: Content) -> None:
        *folders, name = path.split(".")
        for folder in folders:
            record = record[folder]
        record[name] = value(record[name]) if callable(value) else value

    return edit


def one_epoch_left_out(run: Content) -> None:
    run["times"]["train"] -= run["times"]["epochs"].pop()


def turn(run: Content) -> None:
    """A turn of a ranked sweep whose steps are ten thousand times as fast as those of the run."""
    step = run["times"]["train"] / run["steps"] / 1e4
    run.update(kind="turn", schema=store.SCHEMA, sweep=run["created"], turn=1, order=1, reference="a reference")
    run["pairs"] = [[step, step]] * 5


def another_machine(run: Content) -> None:
    run["machine"].update(id="a-dream", name="A dream", matmul_rate=1e15)


def untrained(run: Content) -> None:
    classes = {name: workloads.module(name, "hyperparameters").params.classes for name in WORKLOADS}
    run["losses"][-1] = 0.99 * math.log(classes[run["workload"]])
    run["losses"][0] = 2 * run["losses"][-1]


def beyond_its_limit(record: Content) -> None:
    check = next(check for check in record["checks"] if check.get("limit"))
    check["figure"] = 2 * check["limit"]


def first_check_fails(record: Content) -> None:
    record["checks"][0]["ok"] = False


class Forgery(NamedTuple):
    """A record that one edit makes of a published one, and what its refusal says."""

    name: str
    genuine: Callable[[store.Record], bool]
    edit: Callable[[Content], None]
    says: str


FORGERIES = [
    Forgery("a hundred times as fast", is_run, scaled(0.01), "times the machine's matrix product"),
    Forgery("an epoch too fast", is_run, put("times.epochs", lambda epochs: [1e-3, *epochs[1:]]), "fastest epoch took"),
    Forgery("a first step in no time", is_run, put("times.first_step", 1e-6), "Its first step took"),
    Forgery("a prediction in no time", is_run, put("times.predict", 1e-6), "Its prediction took"),
    Forgery("faster than it copies", is_run, put("machine.copy_rate", 1e3), "times what the machine copies"),
    Forgery("a faster machine", is_run, put("machine.matmul_rate", lambda rate: 3 * rate), "times the median of the"),
    Forgery("a machine of a dream", is_run, another_machine, "cores can compute"),
    Forgery("a rate below zero", is_run, put("machine.matmul_rate", -1.0), "rate of the matrix product of -1"),
    Forgery("a GPU beyond its peak", on_gpu, scaled(1e-4), "times the published float32 peak of"),
    Forgery("a GPU without a peak", on_gpu, put("machine.gpu", "A GPU of tomorrow"), "benchmark/peaks.py"),
    Forgery("a TPU", is_run, put("device", "tpu"), "ran on the device tpu"),
    Forgery("less training than epochs", is_run, put("times.train", lambda train: 0.9 * train), "Its epochs add up to"),
    Forgery("the whole below its parts", is_run, put("times.process", lambda whole: whole / 2), "parts of its process"),
    Forgery("time that runs backward", is_run, put("times.evaluate", -1.0), "evaluate is -1 s"),
    Forgery("a higher rate", is_run, put("train_rate", lambda rate: 1.5 * rate), "its median epoch gives"),
    Forgery(
        "a higher rate of prediction", is_run, put("predict_rate", lambda rate: 1.1 * rate), "its prediction gives"
    ),
    Forgery("a step left out", is_run, put("steps", lambda steps: steps - 1), "epochs of"),
    Forgery("an epoch left out", is_run, one_epoch_left_out, "states the times of"),
    Forgery("fewer epochs than the preset", is_run, put("epochs", 1), "the preset full has"),
    Forgery("an accuracy that others lack", is_run, put("accuracy", 0.98), "leaves the band of the preset full"),
    Forgery("an accuracy below the band", is_run, put("accuracy", 0.5), "leaves the band of the preset full"),
    Forgery("a percent", is_run, put("accuracy", lambda accuracy: 100 * accuracy), "is no fraction of 1"),
    Forgery("a part of a sample", is_run, put("accuracy", lambda accuracy: accuracy + 1e-5), "is no share of"),
    Forgery("a loss of the untrained", is_run, untrained, "learned nothing"),
    Forgery("a loss that rises", is_run, put("losses", lambda losses: losses[::-1]), "Its loss does not decrease"),
    Forgery("a loss left out", is_run, put("losses", lambda losses: losses[1:]), "losses."),
    Forgery("a loss below zero", is_run, put("losses", lambda losses: [*losses[:-1], -0.1]), "not a positive number"),
    Forgery("no losses", is_run, lambda run: run.pop("losses"), "lacks losses"),
    Forgery("a smaller network", is_run, put("parameters", lambda count: count // 2), "parameters; that of"),
    Forgery("more memory than there is", is_run, put("peak_resident", 2**50), "bytes of a memory of"),
    Forgery("other data", is_run, put("data.digest", 64 * "0"), "The digest of its data, 000000000000"),
    Forgery("data called official", is_run, put("data.source", "official"), "is of another copy"),
    Forgery("data of an unknown source", is_run, put("data.source", "mine"), "of an unknown source, mine"),
    Forgery("more data", is_run, put("data.train", lambda samples: 2 * samples), "samples to train on"),
    Forgery("no digests", is_run, lambda run: run.pop("digests"), "no digests of the code"),
    Forgery("fewer bits", is_run, put("precision", "bfloat16"), "It was computed in bfloat16"),
    Forgery("a failure without a reason", is_run, put("status", "failed"), "gives no reason"),
    Forgery("of the future", is_run, put("created", "20991231T000000.000000Z"), "which is in the future"),
    Forgery(
        "the same run twice", is_run, put("created", "20261129T000000.000000Z"), "to the last digit: one is a copy"
    ),
    Forgery("an unknown framework", is_run, put("framework", "nowhere"), "There is no framework nowhere"),
    Forgery("pressure above one", is_run, put("pressure", 1.5), "Its pressure, 1.5, is no fraction"),
    Forgery("a lesson in no time", is_timed, put("pairs", [[1e-9, 1e-9]]), "Its fastest step took"),
    Forgery("a lesson below zero", is_timed, put("pairs", [[-1.0, 1.0]]), "is not of positive seconds"),
    Forgery("a lesson without pairs", is_timed, put("pairs", []), "holds no pairs"),
    Forgery("a turn in no time", is_run, turn, "The fastest step that it is compared with took"),
    Forgery("a check that failed", is_ok("certificate"), first_check_fails, "Its status is ok, but the check"),
    Forgery("a figure beyond its limit", is_ok("certificate"), beyond_its_limit, "is ok with the figure"),
    Forgery("a certificate of nothing", is_ok("certificate"), put("checks", []), "holds no checks"),
    Forgery("a transfer that failed", is_ok("transfer"), first_check_fails, "Its status is ok, but the check"),
    Forgery("a quotation that ran", store.is_historic, put("digests", {"example": "0"}), "as only a run has"),
    Forgery("a quotation of nobody", store.is_historic, put("source", None), "names no source"),
]


def submitted(folder: Path, content: Content, kind: str) -> Path:
    """The file of a record as its command would name it, with this content."""
    implementation = "-".join(filter(None, [content["framework"], content.get("backend")]))
    path = (
        folder / kind / content["machine"]["id"] / f"{implementation}-{content['workload']}-{content['created']}.json"
    )
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content), "utf-8")
    return path


def newest(published: dict[Path, store.AnyRecord], genuine: Callable[[store.Record], bool]) -> Path:
    return max((path for path in published if genuine(published[path])), key=lambda path: published[path].created)


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_a_forged_record_is_refused_with_the_reason(
    forgery: Forgery, published: dict[Path, store.AnyRecord], reference: Reference, tmp_path: Path
) -> None:
    genuine = newest(published, forgery.genuine)
    content = json.loads(genuine.read_text("utf-8"))
    assert not list(validate.reasons(genuine, published[genuine], reference))
    forgery.edit(content)
    kind = "turn" if content["kind"] == "turn" else genuine.parent.parent.name
    path = submitted(tmp_path, content, kind)
    [[*reasons]] = validate.refusals({path: store.read(path)}, reference).values()
    assert any(forgery.says in reason for reason in reasons), reasons
    assert all(path.name in reason and "\n" not in reason for reason in reasons)


def test_files_are_validated_beside_the_published_records(
    published: dict[Path, store.AnyRecord], tmp_path: Path
) -> None:
    genuine = newest(published, is_run)
    content = json.loads(genuine.read_text("utf-8"))
    copied = submitted(tmp_path / "copy", content, "benchmark")
    twice = submitted(tmp_path / "twice", {**content, "created": "20261129T000000.000000Z"}, "benchmark")
    wrong = submitted(tmp_path / "wrong", {**content, "status": 1}, "benchmark")
    count, reasons = validate.validate([copied, tmp_path / "twice", wrong], LATEST)
    assert count == 3
    assert len(reasons) == 3
    assert f"{wrong} is not a record" in reasons[0]
    assert f"{copied.name} is refused: Its times are those of {twice.name}" in reasons[1]
    assert f"{twice.name} is refused: Its times are those of {genuine.name}" in reasons[2]


@pytest.mark.parametrize("change", ["kind", "machine", "name"])
def test_a_record_in_another_place_is_refused(
    change: str, published: dict[Path, store.AnyRecord], tmp_path: Path
) -> None:
    genuine = newest(published, is_run)
    place = {"kind": genuine.parent.parent.name, "machine": genuine.parent.name, "name": genuine.name}
    place[change] = f"other-{place[change]}"
    path = tmp_path / place["kind"] / place["machine"] / place["name"]
    path.parent.mkdir(parents=True)
    shutil.copyfile(genuine, path)
    _, [reason] = validate.validate([path], LATEST)
    assert f"belongs to benchmark/{genuine.parent.name}/{genuine.name}" in reason


def test_every_published_record_is_accepted() -> None:
    count, reasons = validate.validate([], LATEST)
    assert reasons == []
    assert count == len(store.paths([COMMITTED]))


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no file /nowhere: name records, or folders"):
        validate.validate([Path("/nowhere")], LATEST)
    with pytest.raises(UserError, match=r"There are no records in "):
        validate.validate([tmp_path], LATEST)


def test_a_record_of_an_older_network_is_compared_with_itself_alone(
    published: dict[Path, store.AnyRecord], reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = newest(published, is_run)
    record = published[path]
    assert isinstance(record, BenchmarkRecord)
    monkeypatch.setattr(record, "accuracy", 0.5)
    assert len(list(validate.reasons(path, record, reference))) == 1
    object.__setattr__(workloads.get(record.workload), "since", LATEST)
    try:
        assert not list(validate.reasons(path, record, reference))
        monkeypatch.setattr(record, "losses", record.losses[1:])
        assert not list(validate.reasons(path, record, reference))
        monkeypatch.setattr(record.times, "train", 1.0)
        assert list(validate.reasons(path, record, reference))
    finally:
        object.__setattr__(workloads.get(record.workload), "since", "")


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_bands_are_the_published_range_and_its_width_on_both_sides(
    workload: str, published: dict[Path, store.AnyRecord]
) -> None:
    for preset, (low, high) in workloads.get(workload).accuracies.items():
        runs = [
            run.accuracy
            for run in store.of_kind(published.values(), BenchmarkRecord)
            if (run.workload, run.preset, run.status) == (workload, preset, "ok") and run.created < MEASURED_UNTIL
        ]
        width = max(runs) - min(runs)
        assert low == math.floor(100 * (min(runs) - width)) / 100
        assert high == math.ceil(100 * (max(runs) + width)) / 100


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_digest_of_the_sample_is_that_of_its_arrays(workload: str) -> None:
    standing = "embedded sample"
    data, _ = dataset.describe(workload, *dataset.locate(workload, "quick"))
    assert workloads.get(workload).copies[standing] == data.digest


def test_the_slack_is_what_the_published_records_need(
    published: dict[Path, store.AnyRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures in the comments of `floor.SPREAD` and `floor.SLACK`."""
    measured = {path: record for path, record in published.items() if record.created < MEASURED_UNTIL}
    reference = Reference.of(measured, frameworks.implementations())
    runs = [run for run in store.of_kind(measured.values(), RunRecord) if of_cpu(run)]

    def refused(**constants: float) -> bool:
        with monkeypatch.context() as patch:
            for name, value in constants.items():
                patch.setattr(floor, name, value)
            return any(list(floor.reasons(run, reference)) for run in runs)

    assert refused(SPREAD=1.23)
    assert not refused(SPREAD=1.24)
    assert refused(SLACK=1.33)
    assert not refused(SLACK=1.34)
    assert floor.SLACK >= 1.33 * floor.SPREAD
