"""What is planned of the lessons, what spares another run, and what each measurement records."""

import msgspec
import pytest

from rosetta_host.benchmark import paired_timing
from rosetta_host.catalog import frameworks, workloads
from rosetta_host.certificate import certify, judge
from rosetta_host.environments import environment
from rosetta_host.environments.digests import certificate_digests, digests, text_digest
from rosetta_host.environments.environment import Unsupported
from rosetta_host.lessons import experiments
from rosetta_host.lessons.declarations import Lesson
from rosetta_host.lessons.experiments import Experiment
from rosetta_host.mutation.mutants import offered
from rosetta_host.records import machine, store
from rosetta_host.records.codes import CheckCode
from rosetta_host.records.store import CertificateRecord, RecordedCheck, Times

HERE = machine.describe("here")
SAMPLE = {"gru": (workloads.sample("gru"), "embedded sample")}
MUTANTS = """
[gru.slower]
harmless = true
edits = [["time.sleep(0.001)", "time.sleep(0.02)"]]
[gru.boastful]
edits = [["return float(np.mean(y == 0))", "return 0.99"]]
[gru.crash]
edits = [["    return 0.5", "    raise RuntimeError('it burst')"]]
[gru.gone]
unsupported = "It has no such thing."
"""
LESSONS = {
    "time": Lesson("Time", "gru", mutants=["slower"], timed=True),
    "errors": Lesson("Errors", "gru", mutants=["boastful", "gone", "not_offered"], accuracy=True),
    "pictures": Lesson("Pictures", "cnn", mutants=["slower"]),
}


@pytest.fixture
def implementation(folder):
    (folder / "mutants.toml").write_text(MUTANTS)
    return frameworks.implementations()["alpha"]


def plan(implementation, kind, seeds=1, device="cpu"):
    return experiments.plan(kind, LESSONS, [implementation], seeds, device)


def of(implementation, kind, name, seed=None):
    mutant = offered(implementation, "gru")[name] if name else None
    slug = None if name is None else "time" if name == "slower" else "errors"
    return Experiment(kind, frameworks.Case(implementation, "gru"), slug, mutant, seed)


def summarized(planned):
    return [(one.lesson, one.mutant and one.mutant.name, one.seed) for one in planned]


def test_all_that_a_folder_offers_has_a_size(implementation):
    assert summarized(plan(implementation, "size")) == [
        ("time", "slower", None),
        ("errors", "boastful", None),
        ("errors", "gone", None),
    ]


def test_only_what_can_be_written_is_timed_and_trained(implementation):
    assert summarized(plan(implementation, "time")) == [("time", "slower", None)]
    assert summarized(plan(implementation, "accuracy", 2)) == [
        (None, None, 0),
        ("errors", "boastful", 0),
        (None, None, 1),
        ("errors", "boastful", 1),
    ]


def test_what_is_of_another_device_is_not_measured(implementation, folder):
    (folder / "mutants.toml").write_text(MUTANTS.replace("harmless = true", 'harmless = true\ndevice = "gpu"'))
    assert plan(implementation, "time") == []
    assert summarized(plan(implementation, "time", device="gpu")) == [("time", "slower", None)]
    assert [name for _, name, _ in summarized(plan(implementation, "size"))] == ["boastful", "gone"]


def test_the_example_as_it_is_is_trained_once_for_all_lessons(implementation):
    both = {slug: msgspec.structs.replace(LESSONS[slug], accuracy=True) for slug in ("time", "errors")}
    planned = experiments.plan("accuracy", both, [implementation], 1, "cpu")
    assert summarized(planned) == [(None, None, 0), ("time", "slower", 0), ("errors", "boastful", 0)]


def certified(monkeypatch, *checks, **fields):
    def certified_as_given(case, where, device, parts, timed):
        assert (parts, timed) == (judge.JUDGED, False)
        record = certify.blank(CertificateRecord, case, where, device, checks=[])
        record.checks, record.times = list(checks), Times(process=1.0)
        return msgspec.structs.replace(record, **fields)

    monkeypatch.setattr(certify, "certify", certified_as_given)


GOOD = RecordedCheck(CheckCode.LOSS, True)
BAD, WORSE = RecordedCheck(CheckCode.LOOP, False), RecordedCheck(CheckCode.SHUFFLE_SAMPLES, False)


@pytest.mark.parametrize(
    ("name", "checks", "status", "reason", "expected"),
    [
        ("boastful", [GOOD, BAD, WORSE], "ok", None, "caught by 2 of 3 checks: FAILED loop"),
        ("boastful", [GOOD, GOOD], "failed", "The certificate does not notice it.", "failed: The certificate"),
        ("slower", [GOOD, GOOD], "ok", None, "harmless: all 2 checks hold"),
        ("slower", [GOOD, BAD], "failed", "It changes what is computed: FAILED loop", "failed: It changes"),
    ],
)
def test_a_size_is_good_if_the_certificate_judges_as_it_should(
    implementation, monkeypatch, name, checks, status, reason, expected
):
    certified(monkeypatch, *checks)
    record = experiments.size(of(implementation, "size", name), HERE, "cpu")
    assert (record.kind, record.status, record.reason) == ("lesson", status, reason)
    assert (record.mutant, record.checks) == (name, checks)
    assert experiments.summary(record).startswith(expected)


def test_paired_times_are_summed_up_by_geometric_means(implementation):
    record = of(implementation, "time", "slower").record(HERE, "cpu")
    record.status, record.pairs = "ok", [(1.0, 1.0), (2.0, 2.0), (4.0, 32.0)]
    assert experiments.summary(record) == "2.0000 s a step as it is, 4.0000 s with it: × 2.000"


def test_a_size_is_of_the_patched_example_and_says_what_it_holds_for(implementation):
    mutant = of(implementation, "size", "boastful")
    record = experiments.size(mutant, HERE, "cpu")
    assert (record.status, record.lesson, record.mutant, record.threads) == ("ok", "errors", "boastful", 1)
    assert len(record.checks) > 5
    assert any(not check.ok for check in record.checks)
    held = certificate_digests(implementation, "gru")
    assert record.digests == {**held, "mutant": text_digest(mutant.mutant.patched())}
    assert "0.99" not in (implementation.folder / "gru.py").read_text()


def test_a_mutant_that_does_not_run_proves_nothing(implementation):
    record = experiments.size(of(implementation, "size", "crash"), HERE, "cpu")
    assert record.status == "failed"
    assert record.reason.startswith("RuntimeError: it burst (gru.py, line ")
    assert "Traceback" in record.log


def test_what_cannot_be_written_is_recorded_with_its_reason(implementation):
    ((_, record),) = experiments.sizes([of(implementation, "size", "gone")], HERE, "cpu")
    assert (record.status, record.reason) == ("unsupported", "It has no such thing.")
    assert "mutant" not in record.digests


def pairs(implementation, monkeypatch, *names):
    monkeypatch.setattr(paired_timing, "TURN", 0.0)
    monkeypatch.setattr(paired_timing, "SETTLE", 0.0)
    lines = []
    found = experiments.times([of(implementation, "time", name) for name in names], HERE, "cpu", lines.append)
    return [record for _, record in found], lines


def test_times_are_pairs_with_the_example_as_it_is(implementation, monkeypatch):
    (slower, crash), lines = pairs(implementation, monkeypatch, "slower", "crash")
    assert lines == ["alpha gru, by turns: as it is, slower, crash"]
    assert (slower.status, slower.lesson, slower.mutant) == ("ok", "time", "slower")
    assert len(slower.pairs) == paired_timing.PAIRS
    assert all(0 < before < after for before, after in slower.pairs)
    assert slower.threads == machine.cores()
    assert slower.load is not None
    assert slower.version
    assert slower.data.source == "embedded sample"
    assert not slower.checks
    assert "× " in experiments.summary(slower)
    assert (crash.status, crash.pairs) == ("failed", [])
    assert crash.reason.startswith("RuntimeError: it burst (gru.py, line ")


def test_without_its_example_a_mutant_has_no_times(implementation, folder, monkeypatch):
    path = folder / "gru.py"
    path.write_text(path.read_text().replace("import os\n", "import os\n\nraise RuntimeError('none starts')\n"))
    (record,), _ = pairs(implementation, monkeypatch, "slower")
    assert (record.status, record.pairs) == ("failed", [])
    assert record.reason.startswith("RuntimeError: none starts (gru.py, line ")


def test_what_cannot_run_here_is_unsupported(implementation, monkeypatch):
    def refuse(implementation, device="cpu"):
        raise Unsupported("Python 2.0 is missing on this machine. Get it.")

    monkeypatch.setattr(environment, "ensure", refuse)
    (timed,), _ = pairs(implementation, monkeypatch, "slower")
    sized = experiments.size(of(implementation, "size", "slower"), HERE, "cpu")
    for record in (timed, sized):
        assert (record.status, record.reason) == ("unsupported", "Python 2.0 is missing on this machine. Get it.")


def accuracy(implementation, name, seed=2):
    experiment = of(implementation, "accuracy", name, seed)
    job = experiments.job(experiment, "cpu", *SAMPLE["gru"])
    events = []
    record = experiments.accuracy(experiment, job, HERE, lambda job, event: events.append(event))
    assert events
    return record


def test_accuracy_is_that_of_the_scores_even_where_the_mutant_says_otherwise(implementation):
    record = accuracy(implementation, "boastful")
    assert (record.kind, record.status, record.lesson, record.mutant) == ("lesson", "ok", "errors", "boastful")
    assert (record.preset, record.seed, record.data.source) == ("epoch", 2, "embedded sample")
    assert record.accuracy == pytest.approx(0.5, abs=0.1)
    assert record.times.train > 0
    assert record.digests == of(implementation, "accuracy", "boastful").record(HERE, "cpu").digests
    assert experiments.summary(record) == f"accuracy {100 * record.accuracy:.2f} %"


def test_the_example_as_it_is_belongs_to_no_lesson(implementation):
    record = accuracy(implementation, None)
    assert (record.status, record.lesson, record.mutant, record.preset) == ("ok", None, None, "epoch")
    assert record.digests == digests(implementation, "gru")


def left(planned, tmp_path, where=HERE):
    return experiments.left(planned, where, "cpu", tmp_path / "records", SAMPLE)


def write(tmp_path, *planned, **fields):
    for one in planned:
        record = one.record(HERE, "cpu")
        if record.status != "unsupported":
            record.status = "ok"
        if one.kind != "size":
            record.data = store.Data("IMDB", "embedded sample")
        store.write(msgspec.structs.replace(record, **fields), tmp_path / "records")


def test_what_has_a_good_record_is_not_measured_again(implementation, tmp_path):
    sizes, times, accuracies = (
        plan(implementation, "size"),
        plan(implementation, "time"),
        plan(implementation, "accuracy", 2),
    )
    everything = [*sizes, *times, *accuracies]
    assert left(everything, tmp_path) == everything
    write(tmp_path, *sizes)
    assert left(everything, tmp_path) == [*times, *accuracies]
    write(tmp_path, *times)
    assert left(everything, tmp_path) == accuracies
    write(tmp_path, *accuracies[1:])
    assert left(everything, tmp_path) == accuracies[:1]
    assert left(everything, tmp_path, machine.describe("elsewhere")) == [*sizes, *times, *accuracies[:1]]


@pytest.mark.parametrize(
    ("changed", "old", "new"),
    [
        ("gru.py", "params.seed)", "params.seed + 1)"),
        ("mutants.toml", "0.02", "0.03"),
        ("mutants.toml", "no such thing", "nothing like it"),
    ],
)
def test_a_record_of_other_code_or_another_patch_spares_nothing(implementation, folder, tmp_path, changed, old, new):
    name = "gone" if "thing" in new else "slower"
    write(tmp_path, of(implementation, "size", name))
    assert left([of(implementation, "size", name)], tmp_path) == []
    path = folder / changed
    path.write_text(path.read_text().replace(old, new))
    assert left([of(implementation, "size", name)], tmp_path) == [of(implementation, "size", name)]


def test_what_failed_or_used_other_data_is_measured_again(implementation, tmp_path):
    slower, boastful = of(implementation, "size", "slower"), of(implementation, "accuracy", "boastful", 0)
    write(tmp_path, slower, status="failed")
    write(tmp_path, boastful, data=store.Data("IMDB", "official"))
    assert left([slower, boastful], tmp_path) == [slower, boastful]
