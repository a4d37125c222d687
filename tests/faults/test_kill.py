"""SIGKILL at random moments: of the child, of the runner, of both."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import NO_RATE, wait_for
from tests.faults.kill import marked
from tests.rosetta_host.test_main import drive, written

MOMENTS, SEED = 102, 34


@pytest.mark.fault("kill-child", outcome="The run is `failed`, with the signal as its reason; the next one starts.")
@pytest.mark.fault("kill-runner", outcome="No process goes on. Every finished run keeps its record.")
@pytest.mark.fault("kill-both", outcome="No process goes on. Every finished run keeps its record.")
def test_a_kill_at_any_moment_leaves_whole_records_and_no_process(tmp_path):
    script = Path(__file__).with_name("kill.py")
    command = [sys.executable, script, str(MOMENTS), str(SEED), tmp_path]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert report["problems"] == []
    counts = report["counts"]
    assert counts["child"] == counts["runner"] == counts["both"] == MOMENTS / 3
    assert counts["child caught alive"] > 0
    assert counts["both caught alive"] > 0
    assert counts["failed"] > 0
    assert report["records"] == counts["ok"] + counts["failed"]


EPOCH = "benchmark --preset epoch --unofficial --data {data}"


@pytest.mark.fault("kill-runner", outcome="The same command continues where it was killed.")
def test_after_a_kill_the_same_command_makes_the_run_that_is_missing(folder, tmp_path, monkeypatch):
    (folder.parent / "beta").mkdir()
    for path in folder.iterdir():
        (folder.parent / "beta" / path.name).write_bytes(path.read_bytes())
    beta, started = folder.parent / "beta" / "gru.py", tmp_path / "started"
    waiting = beta.read_text().replace("    return 0.5", f"    open({str(started)!r}, 'w')\n    time.sleep(300)")
    beta.write_text(waiting)
    monkeypatch.setenv("ROSETTA_KILLED", "sweep")  # which no process of a framework inherits
    command = EPOCH.format(data=Path(__file__).parents[2] / "workloads" / "gru" / "sample")
    sweep = drive(folder, tmp_path, command, ["alpha", "beta"], NO_RATE)
    wait_for(started.exists)
    sweep.kill()
    sweep.communicate()
    assert [record["framework"] for record in written(tmp_path)] == ["alpha"]
    assert [*marked("sweep")] == []
    beta.write_text(waiting.replace("time.sleep(300)", "return 0.5"))
    sweep = drive(folder, tmp_path, command, ["alpha", "beta"], NO_RATE)
    out, err = sweep.communicate(timeout=120)
    assert sweep.returncode == 0, (out, err)
    assert sorted(record["framework"] for record in written(tmp_path)) == ["alpha", "beta"]
