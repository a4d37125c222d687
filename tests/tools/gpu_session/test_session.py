"""A whole session as a user starts it: on a machine that claims a GPU which nothing here can compute on."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile

import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.records import store
from tools.gpu_session import engine
from tools.gpu_session.parcel import ROOT


@pytest.fixture
def claims_gpu(tmp_path):
    """The environment of a machine whose driver lists a GPU."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'Pretended GPU, 1.0'\n", "utf-8")
    tool.chmod(0o755)
    return {**os.environ, "PATH": f"{tool.parent}{os.pathsep}{os.environ['PATH']}"}


def session(folder, *options, **how):
    command = [sys.executable, "-m", "tools.gpu_session", "run", "--python", sys.executable, "--out", folder]
    how = {"capture_output": True, "text": True, "check": False, **how}
    return subprocess.run([*command, "--preset", "quick", "--minutes", "1", *options], cwd=ROOT, **how)


def test_an_implementation_that_cannot_compute_on_the_gpu_is_unsupported_with_the_reason_and_once(tmp_path, claims_gpu):
    numpy_implementations = [
        implementation
        for implementation in frameworks.implementations().values()
        if implementation.framework.packages == ["numpy"]
    ]
    cases = [
        case for implementation in numpy_implementations for case in implementation.cases(list(frameworks.WORKLOADS))
    ]
    for _ in range(2):
        done = session(
            tmp_path / "out", *(implementation.id for implementation in numpy_implementations), env=claims_gpu
        )
        assert done.returncode == 0, done.stderr
        records = store.read_all([tmp_path / "out" / "records"])
        assert sorted(record.workload for record in records) == sorted(case.workload for case in cases)
        for record in records:
            assert (record.kind, record.status, record.device) == ("certificate", "unsupported", "gpu")
            assert record.reason.endswith("it computes on the CPU.")
            assert record.machine.gpu == "Pretended GPU"
    assert (tmp_path / "out" / engine.ARCHIVE).exists()
    assert "has not succeeded" in done.stdout


def test_without_a_gpu_the_session_says_so_and_how_to_rehearse(tmp_path):
    empty = {**os.environ, "PATH": str(tmp_path)}
    done = session(tmp_path / "out", env=empty)
    assert done.returncode == 1
    assert done.stderr == "error: nvidia-smi finds no GPU on this machine; rehearse a session with --device cpu.\n"


def test_an_interpreter_without_any_framework_is_refused(tmp_path):
    others = [
        implementation.id
        for implementation in frameworks.implementations().values()
        if implementation.framework.packages != ["numpy"]
    ]
    done = session(tmp_path / "out", others[0], "--device", "cpu")
    assert done.returncode == 1
    assert f"holds none of the frameworks {others[0]}." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_session_that_is_too_short_for_anything_leaves_an_empty_archive(tmp_path):
    (implementation, *_) = (
        implementation
        for implementation in frameworks.implementations().values()
        if implementation.framework.packages == ["numpy"]
    )
    done = session(tmp_path / "new" / "out", implementation.id, "--device", "cpu", "--minutes", "0.01")
    assert done.returncode == 0, done.stderr
    assert "left for the next session" in done.stdout
    with tarfile.open(tmp_path / "new" / "out" / engine.ARCHIVE) as archive:
        assert archive.getnames() == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--minutes", "0"], "argument --minutes: must be more than 0, not 0"),
        (["--python", "/no/python"], "error: --python /no/python is no interpreter that can run an example"),
        (["--preset", "full", "--data", "/nowhere", "--device", "cpu"], "error: There is no folder /nowhere"),
        (["--out", "/dev/null/out"], "error: --out /dev/null/out cannot be made: Not a directory."),
        (["nobody"], "error: There is no framework 'nobody'"),
    ],
)
def test_a_mistake_is_a_sentence(tmp_path, options, sentence, claims_gpu):
    done = session(tmp_path / "out", *options, env=claims_gpu)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
