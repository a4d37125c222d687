"""Runs handed to a real SLURM of one machine, which the tests start; Debian's packages slurmctld and slurmd have it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import msgspec
import pytest

from rosetta_host.records.store import BenchmarkRecord
from rosetta_host.scheduling import engines
from tests.rosetta_host.conftest import wait_for
from tests.rosetta_host.scheduling import stubs
from tests.rosetta_host.scheduling.test_engines import started

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "scontrol")
pytestmark = [
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, PROGRAMS)), reason="no SLURM, or no right to start it"
    ),
    pytest.mark.filterwarnings("default"),  # of submitit's own making
]

CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/linear
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
# submitit asks sacct, which needs a database; this stand-in reads the same from the controller.
SACCT = """#!/bin/sh
echo "JobID|State|NodeList"
scontrol -o show job | sed -nE \\
    -e 's/^JobId=[0-9]+ ArrayJobId=([0-9]+) ArrayTaskId=([0-9]+) .*JobState=([A-Z_]+) .*/\\1_\\2|\\3|/p' \\
    -e 's/^JobId=([0-9]+) JobName.*JobState=([A-Z_]+) .*/\\1|\\2|/p'
"""


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A controller and a node, for the programs that this process starts."""
    folder, host = tmp_path / "slurm", socket.gethostname().partition(".")[0]
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir(parents=True)
    (folder / "slurm.conf").write_text(CONF.format(host=host, ports=free_ports(2), folder=folder))
    (folder / "bin" / "sacct").write_text(SACCT)
    (folder / "bin" / "sacct").chmod(0o755)
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(["slurmctld", "-D"], **quiet) as controller:
        with subprocess.Popen(["slurmd", "-D", "-N", host], **quiet) as node:
            wait_for(lambda: b"idle" in subprocess.run(["sinfo", "-h"], capture_output=True).stdout)
            yield
            wait_for(lambda: not subprocess.run(["squeue", "-h"], capture_output=True).stdout)
            node.terminate()
        controller.terminate()


def test_slurm_makes_one_run_at_a_time_and_a_lost_one_again(slurm, tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "POLL", 0.2)
    (tmp_path / "held-here").touch()

    def end_first():
        wait_for(lambda: started(tmp_path))
        time.sleep(0.5)  # in which a second run would begin
        assert len(started(tmp_path)) == 1
        os.kill(started(tmp_path)[0][2], signal.SIGKILL)
        (tmp_path / "held-here").unlink()

    ending = threading.Thread(target=end_first)
    ending.start()
    outcomes = list(engines.over_slurm(stubs.tasks(3, tmp_path), tmp_path / "jobs", make=stubs.run))
    ending.join()
    records = [msgspec.json.decode(made.records[0], type=BenchmarkRecord) for _, made in outcomes]
    assert sorted(record.seed for record in records) == [0, 1, 2]
    assert len(started(tmp_path)) == 4
