"""One benchmark run and its record, whatever its end."""

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from rosetta_host.benchmark import runs
from rosetta_host.catalog import frameworks
from rosetta_host.environments import environment, process
from rosetta_host.environments.environment import Unsupported
from rosetta_host.records import machine, store
from workloads import gru

ENSURE = environment.ensure


def run(folder, old="", new="", preset="quick"):
    if old:
        path = folder / "gru.py"
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))
    (job,) = runs.jobs(list(frameworks.implementations().values()), ["gru"], "quick", "cpu", 1, None, False)
    job, events = msgspec.structs.replace(job, preset=preset), []
    return runs.benchmark(job, machine.describe("test box"), lambda job, event: events.append(event)), events


def test_a_good_run_has_all_that_a_record_promises(folder):
    record, events = run(folder, preset="epoch")
    assert (record.status, record.reason) == ("ok", None)
    assert record.implementation == "alpha"
    assert record.version == np.__version__
    assert record.machine.id == "test-box"
    assert record.machine.matmul_rate > 1e9
    assert record.matmul_rate_after > 1e9
    assert record.machine.copy_rate > 1e8
    assert 0 <= record.steal <= 1
    assert record.pressure is None or 0 <= record.pressure <= 1
    assert record.steps == 20
    assert record.losses == [0.5]
    assert record.accuracy == pytest.approx(0.5, abs=0.1)
    assert record.data.source == "embedded sample"
    assert set(record.digests) == {"example", "shared", "framework", "lock", "runner"}
    times = record.times
    for name in ("imported", "load", "build", "first_step", "train", "predict", "evaluate", "process"):
        assert getattr(times, name) > 0, name
    assert times.train == sum(times.epochs)
    assert 0.001 < times.step <= times.step_p95 < times.train
    assert record.train_rate == pytest.approx(20 * 64 / record.steady_seconds)
    assert record.total_seconds == pytest.approx(record.compile_seconds + record.steady_seconds)
    assert record.peak_resident > 10e6
    assert record.threads == machine.cores()
    assert record.variables["OMP_NUM_THREADS"] == str(machine.cores())
    assert "HOME" not in record.variables
    assert record.parameters == 2
    assert {event["event"] for event in events} >= {"stage", "epoch", "trained"}


def test_on_a_gpu_a_framework_without_a_build_for_one_is_unsupported(folder, monkeypatch):
    monkeypatch.setattr(environment, "ensure", ENSURE)
    (job,) = runs.jobs(list(frameworks.implementations().values()), ["gru"], "quick", "gpu", 1, None, False)
    record = runs.benchmark(job, machine.describe("test box"), lambda job, event: None)
    assert record.status == "unsupported"
    assert record.reason.startswith("Alpha has no lock for a GPU: alpha/requirements-gpu.txt is missing.")
    assert record.times is None


def test_the_rate_of_two_epochs_is_that_of_their_mean(folder, monkeypatch):
    monkeypatch.setattr(gru.params, "epochs", 2)
    counted = (
        "EPOCHS = []\n\n\ndef train(model, x, y):\n    EPOCHS.append(len(EPOCHS))\n    time.sleep(0.2 * EPOCHS[-1])\n"
    )
    record, _ = run(folder, "def train(model, x, y):\n", counted, preset="full")
    assert record.status == "ok", record.reason
    first, second = record.times.epochs
    assert second > first + 0.1
    assert record.train_rate == pytest.approx(10 * 64 * 2 / ((first - record.compile_in_training + second) / 2))


@pytest.mark.parametrize(("preset", "starts"), [("quick", 1), ("epoch", 2)])
def test_the_quick_preset_starts_an_example_once(folder, tmp_path, preset, starts):
    load, noted = "    return imdb_for_library()", tmp_path / "starts"
    record, events = run(folder, load, f"    open({str(noted)!r}, 'a').write('x')\n{load}", preset=preset)
    assert record.status == "ok"
    assert len(noted.read_text()) == starts
    assert (record.times.first_step is not None) == (starts == 2)
    assert ("first step" in [event.get("name") for event in events]) == (starts == 2)


def test_a_version_is_that_of_whichever_build_is_installed(folder):
    path = folder / "framework.toml"
    path.write_text(path.read_text().replace('package = "numpy"', 'package = ["numpy-cpu", "NumPy"]'))
    assert run(folder)[0].version == np.__version__


@pytest.mark.parametrize(("biases", "count"), [("two", 302), ("folded", 102), ("no b_hn", 2)])
def test_a_bias_that_the_declared_form_lacks_is_no_parameter(folder, biases, count):
    toml = folder / "framework.toml"
    toml.write_text(f'{toml.read_text()}\n[gru.forms]\nbiases = "{biases}"\n')
    record, _ = run(
        folder, 'return {"fc.bias": np.zeros(2)}', 'return {"fc.bias": np.zeros(2), "gru.bias_hh": np.zeros(300)}'
    )
    assert record.parameters == count


def test_a_variant_is_a_run_of_its_own(folder):
    path = folder / "gru.py"
    path.write_text(path.read_text() + "\n\ndef train_with_loader(model, x, y):\n    return 0.25\n")
    jobs = runs.jobs(list(frameworks.implementations().values()), ["gru"], "quick", "cpu", 1, None, False)
    assert [job.case.variant for job in jobs] == [None, "train_with_loader"]
    record = runs.benchmark(jobs[1], machine.describe("b"), lambda job, event: None)
    assert record.losses == [0.25]
    assert record.variant == "train_with_loader"


def compiles(seconds, where):
    """An edit of the example that takes so long once: as it builds, or in its first step."""
    once = f"    if not ONCE:\n        ONCE.append(time.sleep({seconds}))\n"
    return f"def {where}:\n", f"ONCE = []\n\n\ndef {where}:\n{once}"


@pytest.mark.parametrize("where", ["init_model(symbol)", "train(model, x, y)"])
def test_compiling_counts_alike_wherever_a_framework_compiles(folder, where):
    record, _ = run(folder, *compiles(0.5, where), preset="epoch")
    assert record.status == "ok", record.reason
    assert 0.5 < record.compile_seconds < 1.0
    assert record.steady_seconds < 0.5
    assert record.times.step < 0.1


def test_a_timed_process_finds_nothing_of_what_another_compiled(folder, tmp_path):
    """Each process notes what its folder for compiled code holds, and leaves something there."""
    toml, noted = folder / "framework.toml", tmp_path / "noted"
    toml.write_text(f'{toml.read_text()}\n[variables]\nKEPT = {{ value = "{{cache}}/here", reason = "r" }}\n')
    load = "    return imdb_for_library()"
    note = (
        f"    open({str(noted)!r}, 'a').write(f\"{{os.environ['KEPT']}} {{os.path.exists(os.environ['KEPT'])}}\\n\")\n"
    )
    keep = "    open(os.environ['KEPT'], 'w').close()\n"
    record, _ = run(folder, load, note + keep + load, preset="epoch")
    assert (record.status, record.variables["KEPT"]) == ("ok", "{cache}/here")
    lines = [line.split() for line in noted.read_text().splitlines()]
    assert [there for _, there in lines] == ["False", "False"]
    assert not any(Path(path).parent.exists() for path, _ in lines)


def test_only_a_tuned_run_has_the_variables_that_make_it_faster(folder):
    toml, path = folder / "framework.toml", folder / "gru.py"
    toml.write_text(f'{toml.read_text()}\n[gru.variables]\nFAST = {{ value = "1", tuning = true, reason = "r" }}\n')
    path.write_text(path.read_text().replace("return 0.5", "return float(os.environ.get('FAST', 0))"))
    jobs = runs.jobs(list(frameworks.implementations().values()), ["gru"], "quick", "cpu", 1, None, False)
    records = [runs.benchmark(job, machine.describe("b"), lambda job, event: None) for job in jobs]
    assert [record.variant for record in records] == [None, "train_tuned"]
    assert [record.losses for record in records] == [[0.0], [1.0]]
    assert ["FAST" in record.variables for record in records] == [False, True]


@pytest.mark.parametrize(
    ("declared", "steps", "samples"), [("", 12, 1200), ("partial_batch = true", 13, 1280)], ids=["dropped", "kept"]
)
def test_batches_that_nobody_counts_are_as_many_as_the_certificate_holds(folder, declared, steps, samples, monkeypatch):
    toml = folder / "framework.toml"
    toml.write_text(f"{toml.read_text()}\n[gru]\n{declared}\n")
    monkeypatch.setattr(gru.params, "batch_size", 100)  # the sample's 1,280 reviews are no multiple of it
    loop = "    for data, target in minibatches(x, y, params.batch_size):\n        time.sleep(0.001)\n"
    record, _ = run(folder, loop, "    time.sleep(0.1)\n")
    assert record.steps == steps
    assert record.times.step is None
    assert record.train_rate == pytest.approx(samples / record.times.train)


def test_a_crash_is_a_record_with_reason_and_log(folder):
    record, _ = run(folder, "    return 0.5", "    raise RuntimeError('the network burst')")
    assert record.status == "failed"
    assert record.reason.startswith("RuntimeError: the network burst (gru.py, line ")
    assert "Traceback" in record.log
    assert record.accuracy is None


@pytest.mark.parametrize("end", ["import sys; sys.exit(0)", "import os; os._exit(0)"])
def test_a_process_that_ends_as_if_all_were_well_is_a_record(folder, end):
    record, _ = run(folder, "    return 0.5", f"    {end}")
    assert (record.status, record.reason) == (
        "failed",
        "The process ended without an error before it had left its result.",
    )


@pytest.mark.fault("kill-child", outcome="A result that it left half-written makes the run `failed`.")
@pytest.mark.parametrize("name", ["result.json", "scores.npy"])
def test_a_result_that_is_torn_is_a_record(folder, monkeypatch, name):
    begin = process.run

    def tear(command, *arguments, **options):
        ended = begin(command, *arguments, **options)
        path = Path(command[command.index("--folder") + 1]) / name
        path.write_bytes(path.read_bytes()[:40])
        return ended

    monkeypatch.setattr(process, "run", tear)
    record, _ = run(folder)
    assert record.status == "failed"
    assert record.reason.startswith("The process left a result.json that is torn" if name == "result.json" else "")
    assert record.reason


def test_a_fault_of_the_projects_own_is_a_record_with_its_place(folder, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a slip")

    monkeypatch.setattr(runs, "score", broken)
    record, _ = run(folder)
    assert record.status == "failed"
    assert re.fullmatch(
        r"This project's own code failed: ZeroDivisionError: a slip \(runs.py, line \d+\)\.", record.reason
    )
    assert "Traceback" in record.log


def test_memory_that_ran_out_is_a_record(folder):
    record, _ = run(folder, "    return 0.5", "    raise MemoryError('no room')")
    assert record.status == "oom"


def test_a_run_that_takes_too_long_is_a_record(folder, monkeypatch):
    monkeypatch.setitem(runs.TIMEOUTS, "quick", 2.0)
    monkeypatch.setattr(runs, "FIRST_STEP_TIMEOUT", 1.0)
    record, _ = run(folder, "    return 0.5", "    time.sleep(60)")
    assert record.status == "timeout"


LOOP = "time.sleep(0.001)"  # of each of an epoch's twenty batches


def test_a_run_whose_first_batches_predict_too_long_a_time_is_stopped(folder, monkeypatch):
    monkeypatch.setattr(runs, "SURE_AFTER", 0.5)
    (folder / "gru.py").write_text((folder / "gru.py").read_text().replace(LOOP, "time.sleep(0.5)"))
    (job,) = runs.jobs(list(frameworks.implementations().values()), ["gru"], "quick", "cpu", 1, None, False)
    record = runs.benchmark(job, machine.describe("b"), lambda job, event: None, limit=5.0)
    assert record.status == "timeout"
    assert re.match(r"Stopped after 0 minutes: at \d+ reviews/s its 1 epochs would take", record.reason)
    assert record.accuracy is None


def test_a_run_that_takes_no_longer_than_it_may_goes_on(folder, monkeypatch):
    monkeypatch.setattr(runs, "SURE_AFTER", 0.0)
    (job,) = runs.jobs(list(frameworks.implementations().values()), ["gru"], "quick", "cpu", 1, None, False)
    assert runs.benchmark(job, machine.describe("b"), lambda job, event: None, limit=60.0).status == "ok"


@pytest.mark.parametrize(
    ("limit", "seconds", "over"),
    [(3600.0, 1300, True), (3600.0, 1100, False), (1000.0, 500, False)],
    ids=["too long", "short enough", "too early to say"],
)
def test_without_reported_batches_whole_epochs_give_the_estimate(folder, monkeypatch, limit, seconds, over):
    (job,) = runs.jobs(list(frameworks.implementations().values()), ["gru"], "quick", "cpu", 1, None, False)
    job, now = msgspec.structs.replace(job, preset="full"), [0.0]
    monkeypatch.setattr(runs.time, "monotonic", lambda: now[0])
    time_limit = runs.TimeLimit(job, limit)
    time_limit.take({"event": "epoch", "epoch": 1, "samples": 1000})
    now[0] = float(seconds)
    time_limit.take({"event": "trained", "samples": 0, "loss": 0.5, "seconds": seconds})
    assert time_limit.over.is_set() == over
    if over:
        assert "after 22 minutes: at 1 reviews/s its 3 epochs would take 1.1 hours" in time_limit.reason


def test_a_slow_spell_later_on_costs_no_run(folder, monkeypatch):
    (job,) = runs.jobs(list(frameworks.implementations().values()), ["gru"], "quick", "cpu", 1, None, False)
    job, now = msgspec.structs.replace(job, preset="full"), [0.0]
    monkeypatch.setattr(runs.time, "monotonic", lambda: now[0])
    time_limit = runs.TimeLimit(job, 3600.0)
    time_limit.take({"event": "epoch", "epoch": 1, "samples": 1000})
    for seconds, samples in ((599.0, 200), (601.0, 600), (5000.0, 700)):  # said too early, in time, and too late
        now[0] = seconds
        time_limit.take({"event": "progress", "samples": samples})
    assert not time_limit.over.is_set()


def test_an_accuracy_that_the_scores_do_not_bear_out_fails(folder):
    record, _ = run(folder, "return float(np.mean(y == 0))", "return 0.99")
    assert record.status == "failed"
    assert "evaluate says 0.9900, the scores say" in record.reason


def test_of_a_mutant_the_scores_alone_count_and_its_first_step_is_not_timed(folder):
    path = folder / "gru.py"
    path.write_text(path.read_text().replace("return float(np.mean(y == 0))", "return 0.99"))
    (job,) = runs.jobs(list(frameworks.implementations().values()), ["gru"], "quick", "cpu", 1, None, False)
    job = msgspec.structs.replace(job, preset="epoch", mutant="boastful")
    record = runs.benchmark(job, machine.describe("b"), lambda job, event: None)
    assert (record.status, record.reason) == ("ok", None)
    assert record.accuracy == pytest.approx(0.5, abs=0.1)
    assert record.times.first_step is None
    assert str(runs.Rates(job)) == "alpha gru boastful · start"


def test_scores_that_leave_samples_out_fail(folder):
    record, _ = run(folder, "np.ones(len(x)), np.zeros(len(x))", "np.ones(len(x) - 1), np.zeros(len(x) - 1)")
    assert record.status == "failed"
    assert "for 320 samples" in record.reason


@pytest.mark.fault("loss", outcome="The run is `failed`, with that as its reason.")
def test_a_loss_that_is_not_finite_fails_and_its_record_can_be_read(folder, tmp_path):
    record, _ = run(folder, "    return 0.5", "    return float('nan')")
    assert (record.status, record.reason) == ("failed", "The training loss is not finite.")
    assert store.read(store.write(record, tmp_path / "r")).losses == [None]


def test_what_cannot_run_here_is_unsupported(folder, monkeypatch):
    def refuse(implementation, device="cpu"):
        raise Unsupported("Python 2.0 is missing on this machine. Get it.")

    monkeypatch.setattr(environment, "ensure", refuse)
    record, _ = run(folder)
    assert (record.status, record.reason) == ("unsupported", "Python 2.0 is missing on this machine. Get it.")


def test_what_has_a_good_record_is_done_until_its_code_changes(folder, tmp_path):
    record, _ = run(folder)
    (job,) = runs.jobs(list(frameworks.implementations().values()), ["gru"], "quick", "cpu", 1, None, False)
    where = machine.describe("test box")
    store.write(record, tmp_path / "r")
    past = store.read_all([tmp_path / "r"])
    assert runs.done(job, where, past)
    assert not runs.done(job, machine.describe("other box"), past)
    path = folder / "gru.py"
    path.write_text(path.read_text().replace("return 0.5", "return 0.6"))
    assert not runs.done(job, where, past)


def test_what_has_records_of_older_code_alone_is_stale(folder, tmp_path):
    record, _ = run(folder)
    (job,) = runs.jobs(list(frameworks.implementations().values()), ["gru"], "quick", "cpu", 1, None, False)
    where = machine.describe("test box")
    assert not runs.is_stale(job, where, [])
    assert not runs.is_stale(job, where, [record])
    path = folder / "gru.py"
    path.write_text(path.read_text().replace("return 0.5", "return 0.6"))
    assert runs.is_stale(job, where, [record])
    assert not runs.is_stale(job, machine.describe("other box"), [record])


@pytest.mark.parametrize("scores", [np.zeros(4), np.zeros((3, 2)), np.full((4, 2), np.nan)])
def test_scores_are_checked_before_they_are_believed(scores):
    with pytest.raises(ValueError, match="scores"):
        runs.score(scores, np.zeros(4, int), 1.0)


def test_rates_tell_what_is_left(folder, monkeypatch):
    (job,) = runs.jobs(list(frameworks.implementations().values()), ["gru"], "quick", "cpu", 1, None, False)
    rates = runs.Rates(job)
    assert rates.left() is None
    rates.take({"event": "epoch", "epoch": 1, "samples": 1000})
    monkeypatch.setattr(rates, "started", rates.started - 10)
    rates.take({"event": "progress", "samples": 500})
    assert rates.rate == pytest.approx(50, rel=0.05)
    assert rates.left() == pytest.approx(10, rel=0.05)
    assert "epoch 1/1 · 500/1000" in str(rates)
