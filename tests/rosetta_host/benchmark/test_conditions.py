"""The conditions of a turn: what is sampled, what exceeds a limit, and how an idle machine is waited for."""

import subprocess
import sys
import time

import psutil
import pytest

from rosetta_host.benchmark import conditions
from rosetta_host.benchmark.conditions import Limits, Sample, Watch, between, exceeded
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.records import machine
from rosetta_host.records.codes import Disturbance
from rosetta_host.records.machine import Counters
from rosetta_host.records.store import Conditions

BURN = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\n"
WAITING = f"{BURN}import sys\nsys.stdin.read()\n"
GRANDCHILD = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {WAITING!r}])\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(conditions, "QUIET", 0.01)
    monkeypatch.setattr(conditions, "MATMUL", {"size": 64, "trials": 1})


def test_the_shares_of_a_span():
    """Two cores for ten seconds: 20 in all, 8 of them busy, 5 with our own work, 1 stolen."""
    before = Sample(1000.0, 400.0, 50.0, Counters(ticks=100_000, stolen=1000, waited=7.0, clock=100.0))
    after = Sample(1020.0, 408.0, 55.0, Counters(ticks=102_000, stolen=1100, waited=9.0, clock=110.0))
    span = between(before, after)
    assert span.other_work == pytest.approx(3 / 20)
    assert span.steal == pytest.approx(1 / 20)
    assert span.pressure == pytest.approx(2 / 10)
    unknown = after._replace(counters=after.counters._replace(waited=None))
    assert between(before, unknown).pressure is None
    assert between(before, after._replace(own=60.0)).other_work == 0.0  # the kernel counts in hundredths of a second


@pytest.mark.parametrize("code", [WAITING, GRANDCHILD], ids=["child", "grandchild"])
def test_the_work_of_our_own_processes_counts_as_such_while_they_run_and_afterwards(code):
    def of_children():
        return conditions.sample().own - time.process_time()

    before = of_children()
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as child:
        deadline = time.monotonic() + 30
        while of_children() - before < 0.3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert child.poll() is None
    assert child.returncode == 0
    assert of_children() - before >= 0.35  # the kernel counts in hundredths of a second


def test_the_work_of_others_does_not_count_as_ours():
    """A process whose parent has ended belongs to the system."""
    before = conditions.sample()
    start = f"import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-c', {BURN!r}]).pid)"
    number = int(subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=True).stdout)
    while psutil.pid_exists(number) and psutil.Process(number).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.02)
    after = conditions.sample()
    assert between(before, after).other_work * (after.total - before.total) >= 0.3


def test_a_watch_has_the_conditions_of_its_span(monkeypatch):
    monkeypatch.setattr(conditions, "EVERY", 0.01)
    free = iter([9_000_000_000, 8_000_000_000, 1_000_000_000])
    monkeypatch.setattr(conditions, "_free_memory", lambda: next(free, 7_000_000_000))
    monkeypatch.setattr(conditions, "_frequency", iter([2.5e9, 2.1e9]).__next__)
    with Watch() as watch:
        watch.measure_rate()
        time.sleep(0.2)
        watch.measure_rate()
    span = watch.conditions
    assert span.free_memory == 1_000_000_000  # the least, which was there for a moment only
    assert span.frequency == 2.1e9
    assert len(span.matmul_rates) == 2
    assert min(span.matmul_rates) > 0
    assert 0.0 <= span.other_work <= 1.0
    assert span.load >= 0.0


def test_a_system_that_states_less(monkeypatch):
    monkeypatch.setattr(machine, "_text", lambda path: "")
    monkeypatch.setattr(psutil, "cpu_freq", lambda: None)
    with Watch() as watch:
        watch.measure_rate()
    assert (watch.conditions.steal, watch.conditions.pressure) == (None, None)
    assert watch.conditions.frequency is None
    assert exceeded(Conditions(), [], Limits()) == []


CALM = Conditions(
    other_work=0.01, steal=0.0, free_memory=10**15, frequency=3e9, matmul_rates=[100e9, 98e9, 99e9], pressure=0.9
)


@pytest.mark.parametrize(
    ("changed", "disturbances"),
    [
        ({}, []),
        ({"other_work": 0.06}, [Disturbance.OTHER_WORK]),
        ({"steal": 0.03}, [Disturbance.STEAL]),
        ({"free_memory": 10**6}, [Disturbance.MEMORY]),
        ({"frequency": 2.6e9}, [Disturbance.FREQUENCY]),
        ({"matmul_rates": [100e9, 78e9, 99e9]}, [Disturbance.MATMUL_RATE]),
        ({"steal": 0.03, "other_work": 0.06}, [Disturbance.OTHER_WORK, Disturbance.STEAL]),
    ],
)
def test_each_limit(changed, disturbances):
    span = Conditions(**{**{name: getattr(CALM, name) for name in CALM.__struct_fields__}, **changed})
    assert exceeded(span, [CALM, CALM], Limits()) == disturbances
    for disturbance in disturbances:
        assert conditions.sentence(disturbance, span, Limits())


def idle_after(monkeypatch, *spans):
    """The next spans that are sampled, of which the last one lasts."""
    left = list(spans)
    monkeypatch.setattr(conditions, "between", lambda *_: left.pop(0) if len(left) > 1 else left[0])


def test_an_idle_machine_is_not_waited_for(monkeypatch):
    idle_after(monkeypatch, CALM)
    lines = []
    conditions.wait_until_idle(Limits(), lines.append)
    assert lines == []


def test_a_busy_machine_is_waited_for(monkeypatch):
    idle_after(monkeypatch, Conditions(other_work=0.5), Conditions(other_work=0.4), CALM)
    lines = []
    conditions.wait_until_idle(Limits(), lines.append)
    assert lines == ["Waiting up to 300 seconds for an idle machine: other processes take 50% of the cores (limit 5%)."]


def test_a_machine_that_stays_busy_ends_the_sweep_with_the_limit(monkeypatch):
    idle_after(monkeypatch, Conditions(steal=0.2))
    with pytest.raises(
        UserError, match=r"after 0 seconds the hypervisor gives 20% of the cores to others \(limit 2%\)"
    ):
        conditions.wait_until_idle(Limits(), lambda line: None, patience=0.05)
