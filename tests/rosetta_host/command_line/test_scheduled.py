"""`benchmark --scheduler`: what is handed over, and what becomes of the records."""

import msgspec
import pytest

from rosetta_host import __main__ as cli
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Case
from rosetta_host.certificate import certify
from rosetta_host.records import machine, store
from rosetta_host.records.store import BenchmarkRecord
from rosetta_host.scheduling import engines
from rosetta_host.scheduling.worker import Made


def made(task, status="ok"):
    case = Case(frameworks.select([task.implementation])[0], task.workload, task.variant)
    record = certify.blank(
        BenchmarkRecord, case, machine.describe("lab1"), "cpu", preset=task.preset, seed=task.seed, reason="a test"
    )
    record.status = status
    return Made([msgspec.json.encode(record)])


@pytest.fixture
def call(folder, tmp_path, monkeypatch, capsys):
    """Calls the command with an engine that answers as told: (exit code, tasks handed over, output)."""

    def calls(*options, answer=made):
        handed = []

        def outcomes(tasks, scheduler):
            handed.extend(tasks)
            return ((task, answer(task)) for task in tasks)

        monkeypatch.setattr(engines, "outcomes", outcomes)
        own = ["--scheduler", "slurm", "--records", str(tmp_path / "records")]
        code = cli.main(["benchmark", *own, *options])
        return code, handed, capsys.readouterr().out

    return calls


def test_what_has_a_record_of_any_machine_is_not_handed_over_again(call, tmp_path):
    code, handed, out = call("--preset", "epoch", "--seeds", "2")
    assert (code, [task.seed for task in handed]) == (0, [0, 1])
    assert "2 of 2 runs to make; 0 have records." in out
    assert [record.seed for record in store.read_all([tmp_path / "records"])] == [0, 1]
    code, handed, out = call("--preset", "epoch", "--seeds", "3")
    assert [task.seed for task in handed] == [2]
    _, handed, _ = call("--preset", "epoch", "--again")
    assert [task.seed for task in handed] == [0]


def test_code_that_has_changed_is_handed_over(call, folder):
    call("--preset", "epoch")
    example = folder / "gru.py"
    example.write_text(example.read_text("utf-8").replace("return 0.5", "return 0.25"), "utf-8")
    _, handed, _ = call("--preset", "epoch")
    assert len(handed) == 1


def test_a_run_without_a_record_fails_with_its_reason(call):
    code, _, out = call(answer=lambda task: Made(reason="Its workers were lost."))
    assert code == 1
    assert "[1/1] alpha gru seed 0: Its workers were lost." in out


def test_a_record_of_another_form_is_refused(call, tmp_path):
    code, _, out = call(answer=lambda task: Made([b'{"kind": "benchmark"}']))
    assert code == 1
    assert "Its records have another form" in out
    assert store.read_all([tmp_path / "records"]) == []


def test_a_failed_run_fails_and_is_kept(call, tmp_path):
    code, _, out = call(answer=lambda task: made(task, "failed"))
    assert code == 1
    assert "alpha gru: failed: a test, on lab1" in out
    assert len(store.read_all([tmp_path / "records"])) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--scheduler", "lab1:8786"], "--scheduler must be slurm or dask://HOST:PORT, not lab1:8786."),
        (["--scheduler", "dask://lab1"], "--scheduler must be slurm or dask://HOST:PORT, not dask://lab1."),
        (["--scheduler", "slurm", "--ranked", "--records", "/nowhere"], "--ranked does not go with --scheduler: a"),
        (["--scheduler", "slurm", "--machine", "mine"], "--machine does not go with --scheduler: a machine is named"),
    ],
)
def test_a_mistake_is_one_sentence(options, sentence, capsys):
    assert cli.main(["benchmark", *options]) == 2
    assert capsys.readouterr().out.startswith(f"error: {sentence}")


def test_a_gpu_is_asked_of_the_machine_that_runs(call, monkeypatch):
    monkeypatch.setattr(machine, "gpu", lambda: None)
    _, [task], _ = call("--device", "gpu")
    assert task.device == "gpu"
    _, [task], _ = call()
    assert task.device == "cpu"
