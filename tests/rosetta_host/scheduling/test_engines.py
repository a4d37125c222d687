"""Runs handed to a real cluster of two workers, and to SLURM's stand-in on one machine."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest
from distributed import Client

from rosetta_host.catalog.frameworks import ROOT, UserError
from rosetta_host.records.store import BenchmarkRecord
from rosetta_host.scheduling import engines
from tests.rosetta_host.conftest import wait_for, written_to
from tests.rosetta_host.scheduling import stubs

pytestmark = pytest.mark.filterwarnings("default")  # of the engines' own making


@contextlib.contextmanager
def process(*command):
    """A process of Dask that ends with the block."""
    own = {**os.environ, "PYTHONPATH": str(ROOT)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-m", "dask", *command], env=own, **quiet) as started:
        try:
            yield started
        finally:
            started.kill()


@pytest.fixture
def scheduler(tmp_path):
    """The address of a scheduler without workers."""
    file = tmp_path / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    with process("scheduler", *options):
        wait_for(lambda: written_to(file))
        yield json.loads(file.read_text())["address"]


def worker(address, name):
    one_run = ["--nworkers", "1", "--nthreads", "1", "--resources", "machine=1"]
    return process("worker", address, "--name", name, "--no-nanny", "--no-dashboard", *one_run)


def wait_for_workers(address, count):
    with Client(address) as client:
        client.wait_for_workers(count, timeout=60)


def started(folder):
    """(seed, machine, process) of every run that began."""
    path = folder / "started"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(seed), name, int(process)) for seed, name, process in map(str.split, lines)]


def recorded(outcomes):
    """(seed, machine) of every record that came back."""
    records = [msgspec.json.decode(made.records[0], type=BenchmarkRecord) for _, made in outcomes]
    return [(record.seed, record.machine.name) for record in records]


def test_a_lost_workers_run_is_made_again_and_counted_once(scheduler, tmp_path):
    (tmp_path / "held-lab1").touch()
    with worker(scheduler, "lab1") as first, worker(scheduler, "lab2"):
        wait_for_workers(scheduler, 2)  # or the second may make all runs before the first is there

        def end_first():
            wait_for(lambda: "lab1" in [name for _, name, _ in started(tmp_path)])
            first.kill()

        ending = threading.Thread(target=end_first)
        ending.start()
        outcomes = list(engines.over_dask(stubs.tasks(6, tmp_path), scheduler, stubs.run_on_dask))
        ending.join()
    assert sorted(recorded(outcomes)) == [(seed, "lab2") for seed in range(6)]
    lost = [seed for seed, name, _ in started(tmp_path) if name == "lab1"]
    assert len(lost) == 1
    assert sorted(seed for seed, _, _ in started(tmp_path)) == sorted([*range(6), *lost])


def test_each_machine_makes_one_run_at_a_time_under_its_own_name(scheduler, tmp_path):
    held = [tmp_path / f"held-{name}" for name in ("lab1", "lab2")]
    for path in held:
        path.touch()
    with worker(scheduler, "lab1"), worker(scheduler, "lab2"):

        def let_go():
            wait_for(lambda: len(started(tmp_path)) == 2)
            time.sleep(0.5)  # in which a third would begin
            assert len(started(tmp_path)) == 2
            for path in held:
                path.unlink()

        letting = threading.Thread(target=let_go)
        letting.start()
        outcomes = list(engines.over_dask(stubs.tasks(4, tmp_path), scheduler, stubs.run_on_dask))
        letting.join()
    assert {name for _, name in recorded(outcomes)} == {"lab1", "lab2"}
    assert {name for _, name, _ in started(tmp_path)[:2]} == {"lab1", "lab2"}


def test_a_run_that_costs_every_worker_is_given_up_with_the_reason(scheduler, tmp_path):
    (tmp_path / "held-lab1").touch()
    ended = threading.Event()

    def lose_workers():
        while not ended.is_set():
            count = len(started(tmp_path))
            with worker(scheduler, "lab1") as lost:
                wait_for(lambda count=count: len(started(tmp_path)) > count or ended.is_set())
                lost.kill()

    losing = threading.Thread(target=lose_workers)
    losing.start()
    [(_, made)] = engines.over_dask(stubs.tasks(1, tmp_path), scheduler, stubs.run_on_dask)
    ended.set()
    losing.join()
    assert made.records == []
    assert made.reason.startswith("Its workers were lost. KilledWorker: ")


def test_a_scheduler_that_is_not_there_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(engines, "PATIENCE", 0.5)
    with pytest.raises(UserError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9: start it with"):
        list(engines.over_dask(stubs.tasks(1, tmp_path), "tcp://127.0.0.1:9"))


def test_a_lost_job_is_submitted_again(tmp_path, monkeypatch):
    """On submitit's own executor for one machine, which runs jobs as SLURM does."""
    monkeypatch.setattr(engines, "POLL", 0.1)
    (tmp_path / "held-here").touch()

    def end_first():
        wait_for(lambda: len(started(tmp_path)) == 3)
        os.kill(started(tmp_path)[0][2], signal.SIGKILL)
        (tmp_path / "held-here").unlink()

    ending = threading.Thread(target=end_first)
    ending.start()
    outcomes = list(engines.over_slurm(stubs.tasks(3, tmp_path), tmp_path / "jobs", "local", stubs.run))
    ending.join()
    assert sorted(seed for seed, _ in recorded(outcomes)) == [0, 1, 2]
    assert len(started(tmp_path)) == 4


def test_the_jobs_that_are_left_end_with_the_caller(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "POLL", 0.1)
    outcomes = engines.over_slurm(stubs.tasks(2, tmp_path), tmp_path / "jobs", "local", run_the_first)
    next(outcomes)
    outcomes.close()
    wait_for(lambda: len(started(tmp_path)) == 2)
    wait_for(lambda: not any(Path(f"/proc/{process}").exists() for _, _, process in started(tmp_path)))


def run_the_first(encoded):
    """The run of seed 0; all others wait for ever."""
    task = msgspec.json.decode(encoded, type=stubs.Task)
    (Path(task.data) / "held-other").touch()
    return stubs.run(encoded, "other" if task.seed else "here")


def test_without_slurm_the_user_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="--scheduler slurm: this machine has no sbatch"):
        list(engines.over_slurm(stubs.tasks(1, tmp_path), tmp_path / "jobs"))


COORDINATOR = r"""
import re, sys, time
from pathlib import Path
from rosetta_host.scheduling import engines
from tests.rosetta_host.scheduling import stubs

tasks = stubs.tasks(int(sys.argv[2]), "")
ended = sum(bool(made.records) for _, made in engines.over_dask(tasks, sys.argv[1], stubs.nothing))
resident = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]  # of this program alone
print(ended, int(resident) * 1024, time.process_time())
"""
CLUSTER = """
import sys
from distributed import LocalCluster

with LocalCluster(
    n_workers=64,
    threads_per_worker=1,
    processes=False,
    protocol="tcp",
    dashboard_address=None,
    resources={"machine": 1},
) as cluster:
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""


RUNS = int(os.environ.get("ROSETTA_SCHEDULED_RUNS", 1000))  # 10,000 take the scheduler a minute


def test_many_runs_on_64_machines_cost_the_caller_little():
    """Less than 200 MB, and 1 % of the seconds of runs that take one second each."""
    own = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": own}
    with subprocess.Popen([sys.executable, "-c", CLUSTER], **pipes) as cluster:
        address = cluster.stdout.readline().strip()
        coordinator = [sys.executable, "-c", COORDINATOR, address, str(RUNS)]
        printed = subprocess.run(coordinator, capture_output=True, text=True, env=own, timeout=300)
        cluster.stdin.close()
    assert not printed.returncode, printed.stderr
    ended, resident, seconds = map(float, printed.stdout.split())
    assert ended == RUNS
    assert resident < 200e6
    assert seconds < 0.01 * RUNS
