"""What a session measures: every case of an implementation, its certificate before its runs."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import msgspec
import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.certificate import certify
from rosetta_host.lessons import declarations
from rosetta_host.records import store
from rosetta_host.records.store import BenchmarkRecord, CertificateRecord, Machine, Times
from tools.gpu_session import planner, work
from tools.gpu_session.work import Setting

WHERE = Machine("here", "Here", gpu="a GPU")


@pytest.fixture(scope="module")
def setting():
    return Setting("gpu", "full", {}, WHERE)


@pytest.fixture(scope="module")
def implementations():
    return list(frameworks.implementations().values())


@pytest.fixture(scope="module")
def works(implementations, setting):
    return work.plan(implementations, setting)


@pytest.fixture
def certificate(works):
    return next(each for each in works if each.kind == "certificate")


def test_every_case_has_a_certificate_and_a_run_that_needs_it(works, implementations):
    keys = [each.key for each in works]
    assert len(set(keys)) == len(keys)
    for implementation in implementations:
        for case in implementation.cases(list(frameworks.WORKLOADS)):
            run = next(each for each in works if (each.kind, each.case) == ("full", case))
            assert run.needs in keys


def test_the_lessons_are_those_that_only_a_gpu_shows(works):
    lessons = declarations.read().by_slug
    measured = {subject[0] for each in works if each.experiments for subject in each.wanted}
    assert measured
    assert all(lessons[slug].gpu for slug in measured)
    devices = {experiment.mutant.device for each in works for experiment in each.experiments}
    assert devices <= {None, "gpu"}
    assert {each.kind for each in works if each.experiments} == {"size", "time"}


def test_certificates_and_runs_of_train_come_before_those_of_variants_and_these_before_lessons(works):
    tasks = planner.order([each.task({}) for each in works], 16)
    kinds = [task.key.split()[0] + ("" if task.key.split()[3] == "train" else " variant") for task in tasks]
    stages = ["certificate", "full", "certificate variant", "full variant", "time"]
    for earlier, later in itertools.pairwise(stages):
        assert max(i for i, kind in enumerate(kinds) if kind == earlier) < kinds.index(later)


def test_a_published_record_of_the_device_is_the_estimate(works, setting, certificate):
    published = store.read_all([store.COMMITTED])
    of_gpu = work.estimates(published, "gpu")
    newest = [record for record in published if record.device == "gpu" and work.key_of(record) in of_gpu]
    assert newest
    for key, seconds in of_gpu.items():
        record = [record for record in newest if work.key_of(record) == key and record.status == "ok"][-1]
        assert seconds >= record.times.process
    assert certificate.task({certificate.key: 17.0}).seconds == 17.0
    assert certificate.task({}).seconds == work.SECONDS["certificate"]


def ended(each, setting, status="ok", **changes):
    record = certify.blank(CertificateRecord, each.case, setting.where, setting.device, checks=[], digests={})
    (record.digests,) = each.wanted.values()
    record.status = status
    return msgspec.structs.replace(record, **changes)


def test_a_task_is_done_by_a_record_of_this_code_device_and_machine(certificate, setting):
    assert certificate.status([], setting) is None
    assert certificate.status([ended(certificate, setting)], setting) == "ok"
    assert certificate.status([ended(certificate, setting, "failed")], setting) == "failed"
    for changes in ({"device": "cpu"}, {"digests": {"example": "other"}}, {"machine": Machine("there", "There")}):
        assert certificate.status([ended(certificate, setting, **changes)], setting) is None


def test_lessons_that_are_measured_by_turns_are_done_when_each_has_its_record(works, setting):
    turns = next(each for each in works if each.kind == "time" and len(each.wanted) > 1)
    records = [experiment.record(setting.where, setting.device) for experiment in turns.experiments]
    for record in records:
        record.status = "ok"
    assert turns.status(records, setting) == "ok"
    assert turns.status(records[1:], setting) is None
    records[0].status = "failed"
    assert turns.status(records, setting) == "failed"


def test_a_run_is_estimated_with_the_process_of_its_first_step(certificate, setting):
    record = certify.blank(BenchmarkRecord, certificate.case, setting.where, setting.device, preset="full")
    record.status, record.times = "ok", Times(process=50.0, train=30.0)
    key = certificate.key.replace("certificate", "full")
    assert work.estimates([record], "gpu") == {key: 70.0}
    assert work.estimates([record], "cpu") == {}


def test_each_kind_of_task_is_measured_as_the_commands_measure_it(works, setting, monkeypatch):
    calls = []
    monkeypatch.setattr(work.certify, "certify", lambda *given: calls.append(given) or "certificate")
    monkeypatch.setattr(work.experiments, "size", lambda *given: calls.append(given) or "size")
    monkeypatch.setattr(work.experiments, "times", lambda group, *_: [(one, one.label) for one in group])
    monkeypatch.setattr(work.runs, "benchmark", lambda job, *_: job)
    workload = works[0].case.workload
    located = dataclasses.replace(setting, data={workload: (Path("data"), "official")})
    by_kind = {each.kind: each for each in works if each.case.workload == workload}
    certificate, size, turns, run = (by_kind[kind] for kind in ("certificate", "size", "time", "full"))
    assert list(certificate.records(located)) == ["certificate"]
    assert list(size.records(located)) == ["size"]
    assert calls == [(certificate.case, WHERE, "gpu"), (size.experiments[0], WHERE, "gpu")]
    assert list(turns.records(located)) == [experiment.label for experiment in turns.experiments]
    (job,) = run.records(located)
    assert (job.case, job.preset, job.device, job.seed) == (run.case, "full", "gpu", 0)
    assert (job.data, job.standing) == (Path("data"), "official")
