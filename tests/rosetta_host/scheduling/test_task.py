"""What a worker's machine makes of a task."""

import json

import msgspec
import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.certificate import certify
from rosetta_host.environments.digests import certificate_digests
from rosetta_host.records import store
from rosetta_host.records.store import CertificateRecord
from rosetta_host.scheduling import task, worker
from rosetta_host.scheduling.task import Task


@pytest.fixture
def alpha(folder, tmp_path, monkeypatch) -> Task:
    """A quick run of the tests' framework, on a machine of its own records."""
    monkeypatch.setattr(task, "LOCAL", tmp_path / "local")
    monkeypatch.setattr(certify, "certify", certificate)
    [implementation] = frameworks.select(["alpha"])
    return Task("alpha", "gru", None, "quick", "cpu", 1, certificate_digests(implementation, "gru"))


def certificate(case, where, device):
    """A certificate of which every check holds, made at once."""
    digests = certificate_digests(case.implementation, case.workload, device)
    record = certify.blank(CertificateRecord, case, where, device, checks=[], digests=digests)
    record.status = "ok"
    record.threads = certify.environment.threads(case.implementation, case.workload)
    record.variables = certify.environment.stated(case.implementation, case.workload, record.threads, device)
    return record


def test_a_run_comes_with_the_certificate_that_its_machine_lacks(alpha):
    certified, run = task.run(alpha, "lab 1")
    assert (certified.kind, run.kind) == ("certificate", "benchmark")
    assert (run.status, run.seed, run.machine.id) == ("ok", 1, "lab-1")
    [again] = task.run(alpha, "lab 1")
    assert again.kind == "benchmark"
    assert len(task.run(alpha, "lab 2")) == 2


def test_other_code_is_refused_by_name(alpha, folder):
    with (folder / "gru.py").open("a") as example:
        example.write("\nEXTRA = 1\n")
    with pytest.raises(UserError, match=r"differs from yours in what alpha runs \(example\): bring both to the same"):
        task.run(alpha)


def test_the_records_are_left_in_the_folder(alpha, tmp_path):
    (tmp_path / task.TASK).write_bytes(alpha.encoded())
    assert task.main(tmp_path, "lab 1") == 0
    kinds = {record.kind for record in store.read_all([tmp_path / task.RECORDS])}
    assert kinds == {"benchmark", "certificate"}


def test_a_worker_gives_back_why_there_is_no_record(alpha):
    made = worker.make(msgspec.structs.replace(alpha, implementation="numpi").encoded())
    assert made.records == []
    assert made.reason.startswith("There is no framework 'numpi': did you mean 'numpy'?")


def test_a_worker_gives_back_the_end_of_what_a_broken_task_prints():
    made = worker.make(json.dumps({"implementation": "numpy"}).encode())
    assert made.reason.startswith("The run ended with code 1 and left no record: ")
    assert "missing required field `workload`" in made.reason
    assert "/" not in made.reason.rpartition("\n")[2]
