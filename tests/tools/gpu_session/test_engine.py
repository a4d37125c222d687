"""The session's processes, real ones: nothing outlives a session, and no end of it loses a record."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tarfile
import time
import uuid
from pathlib import Path

import pytest

from tools.gpu_session import engine
from tools.gpu_session.parcel import ROOT

TASKS = 5
PATIENT = 60.0  # seconds after which a test gives up waiting

# A session of stub tasks. Each leaves a process in a session of its own behind, and writes a record of its end.
SESSION = """
import sys
from pathlib import Path
from tools.gpu_session import engine
from tools.gpu_session.planner import Given, Session, Task

folder, stub, marker, tasks = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
engine.adopt()

def statuses():
    return {path.stem: "ok" for path in (folder / "records").glob("*/*/*.json")}

def start(task):
    return engine.Process([sys.executable, "-c", stub, str(folder), task.key, marker], folder / "logs" / task.key)

clock = engine.Clock()
every = [Task(f"task-{number}", 10 - number, 1.0, shares=number % 2 == 0) for number in range(tasks)]
keep = lambda: engine.archive(folder)
given = Given(folder / "given.json")
Session(every, statuses, start, keep, clock, clock.now() + 120, 2, given, print).run()
"""
STUB = """
import os, subprocess, sys, time
from pathlib import Path
from tools.gpu_session import engine
folder, key, marker = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
with engine.task(os.getppid()):
    with (folder / "began").open("a") as began:
        began.write(key + "\\n")
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", marker], start_new_session=True)
    time.sleep(0.7)
    path = folder / "records" / "stub" / "here" / (key + ".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    (part := path.with_suffix(".part")).write_text("{}")
    os.link(part, path)  # as a record is written: a second one of the same name is an error
    part.unlink()
"""


def living(marker):
    """The processes that carry the marker on their command line."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            lines.append(path.read_bytes())
    return [line for line in lines if marker.encode() in line]


def eventually(holds):
    deadline = time.monotonic() + PATIENT
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def archived(folder):
    path = folder / engine.ARCHIVE
    if not path.exists():
        return []
    with tarfile.open(path) as tar:
        return sorted(tar.getnames())


@pytest.fixture
def marker():
    name = f"gpu-session-test-{uuid.uuid4()}"
    yield name
    eventually(lambda: not living(name))


def started(folder, marker, tasks=TASKS):
    command = [sys.executable, "-c", SESSION, folder, STUB, marker, str(tasks)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("after", range(TASKS))
def test_a_session_that_is_killed_goes_on_where_it_stopped(tmp_path, marker, after):
    records, names = (
        tmp_path / "records" / "stub" / "here",
        [f"stub/here/task-{number}.json" for number in range(TASKS)],
    )
    first = started(tmp_path, marker)
    began = tmp_path / "began"
    eventually(lambda: began.exists() and len(began.read_text().split()) > after)  # in the midst of a task
    first.send_signal(signal.SIGKILL)
    first.wait()
    newest = began.read_text().split()[after]
    assert set(archived(tmp_path)) <= set(names)
    eventually(lambda: not living(marker))  # a task ends with its session, and all that it has started
    before = set(records.glob("*.json"))
    assert newest not in {path.stem for path in before}
    again = started(tmp_path, marker)
    while again.poll() is None:
        archived(tmp_path)  # whole at every moment
    assert again.returncode == 0
    assert archived(tmp_path) == names
    assert before <= set(records.glob("*.json"))
    runs = began.read_text().split()
    for path in before:
        assert runs.count(path.stem) == 1


def test_what_a_task_has_started_ends_with_it_in_whatever_session(tmp_path, marker):
    assert started(tmp_path, marker, 2).wait(PATIENT) == 0
    assert archived(tmp_path) == ["stub/here/task-0.json", "stub/here/task-1.json"]
    assert not living(marker)


def test_a_task_that_ignores_its_stop_is_killed_with_all_that_it_has_started(tmp_path, marker):
    deaf = "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    deaf += "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', sys.argv[1]], "
    deaf += "start_new_session=True); print('up', flush=True); time.sleep(600)"
    program = f"""
import sys, time
from pathlib import Path
from tools.gpu_session import engine
engine.adopt()
log = Path(sys.argv[2])
task = engine.Process([sys.executable, "-c", {deaf!r}, sys.argv[1]], log)
while "up" not in (log.read_text() if log.exists() else ""):
    time.sleep(0.02)
task.stop()
time.sleep(0.2)
assert not task.poll()
task.kill()
assert task.poll()
"""
    command = [sys.executable, "-c", program, marker, tmp_path / "log"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=PATIENT)
    assert not living(marker)


def test_a_record_that_is_half_written_is_not_archived(tmp_path):
    folder = tmp_path / "records" / "benchmark" / "here"
    folder.mkdir(parents=True)
    (folder / "whole.json").write_text("{}")
    (folder / "half.part").write_text("{")
    engine.archive(tmp_path)
    assert archived(tmp_path) == ["benchmark/here/whole.json"]
