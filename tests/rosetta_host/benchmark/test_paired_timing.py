"""Interleaved timing: one process at a time, equally many turns for each, and a failure does not end the others."""

import itertools
import sys
from pathlib import Path
from statistics import median

import msgspec
import pytest

from rosetta_host.benchmark import paired_timing, runs
from rosetta_host.catalog import frameworks, workloads
from rosetta_host.catalog.frameworks import Case

SLEEP = "        time.sleep(0.001)\n"
COUNT = "    model['turns'] = model.get('turns', 0) + 1\n"
BURST = COUNT + "    if model['turns'] > 3:\n        raise RuntimeError('it burst')\n    return 0.5"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(paired_timing, "TURN", 0.0)
    monkeypatch.setattr(paired_timing, "SETTLE", 0.0)


def job(folder, old="", new=""):
    """The job of a copy of examples/alpha with one text replaced."""
    implementation = frameworks.implementations()["alpha"]
    copy = folder.parents[1] / f"copy-{len(list(folder.parents[1].iterdir()))}"
    copy.mkdir()
    text = (folder / "gru.py").read_text()
    assert old in text
    (copy / "gru.py").write_text(text.replace(old, new))
    implementation = msgspec.structs.replace(implementation, folder=copy)
    return runs.Job(Case(implementation, "gru"), "quick", "cpu", 0, workloads.sample("gru"), "embedded sample")


def interleaved(tmp_path, *jobs):
    out = tmp_path / "out"
    out.mkdir()
    return paired_timing.interleaved(jobs, Path(sys.executable), out)


def test_each_has_its_turns_and_the_slower_one_is_told(folder, tmp_path):
    first, slower = interleaved(tmp_path, job(folder), job(folder, SLEEP, "        time.sleep(0.1)\n"))
    assert (first.ended.status, slower.ended.status) == ("ok", "ok")
    assert len(first.seconds) == len(slower.seconds) == paired_timing.PAIRS
    assert 0.001 < median(first.seconds) < 0.1 < min(slower.seconds)
    assert (tmp_path / "out" / "1" / "result.json").exists()


def test_no_two_train_at_once(folder, tmp_path):
    """Each example notes when it trains, on a clock that all processes share."""

    def noting(i):
        note = f"        print(time.monotonic(), file=open({str(tmp_path / f'log-{i}')!r}, 'a'))\n"
        return note + "        time.sleep(0.01)\n" + note

    jobs = [job(folder, SLEEP, noting(i)) for i in range(3)]
    interleaved(tmp_path, *jobs)
    spans = []
    for i in range(3):
        times = [float(line) for line in (tmp_path / f"log-{i}").read_text().split()]
        step = 2 * paired_timing.BATCHES
        spans += [(times[at], times[at + step - 1], i) for at in range(0, len(times), step)]
    spans.sort()
    assert len(spans) == 3 * (paired_timing.WARM + paired_timing.PAIRS)
    assert all(end <= begin for (_, end, _), (begin, _, _) in itertools.pairwise(spans))
    order = [i for _, _, i in spans]
    assert sorted(order[:3]) == sorted(order[3:6]) == [0, 1, 2]
    assert order[:3] == order[5:2:-1]


def test_a_turn_lasts_long_enough(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(paired_timing, "TURN", 0.2)
    monkeypatch.setattr(paired_timing, "PAIRS", 2)
    count = f"    open({str(tmp_path / 'epochs')!r}, 'a').write('x')\n"
    (timed,) = interleaved(tmp_path, job(folder, "    return 0.5", count + "    return 0.5"))
    assert len(timed.seconds) == 2
    assert len((tmp_path / "epochs").read_text()) >= paired_timing.WARM + 2 * 2


def test_a_mutant_that_is_lost_does_not_end_the_others(folder, tmp_path):
    first, lost, other = interleaved(tmp_path, job(folder), job(folder, "    return 0.5", BURST), job(folder))
    assert lost.ended.status == "failed"
    assert lost.ended.reason.startswith("RuntimeError: it burst (gru.py, line ")
    assert "Traceback" in lost.ended.log
    assert len(lost.seconds) == 1
    assert (first.ended.status, other.ended.status) == ("ok", "ok")
    assert len(first.seconds) == len(other.seconds) == paired_timing.PAIRS


@pytest.mark.parametrize("where", ["import time\n", "    return 0.5"])
def test_without_the_example_as_it_is_all_end(folder, tmp_path, where):
    crash = f"{where}\nraise RuntimeError('it burst')\n" if where.startswith("import") else BURST
    first, other = interleaved(tmp_path, job(folder, where, crash), job(folder))
    assert first.ended.status == "failed"
    assert first.ended.reason.startswith("RuntimeError: it burst (gru.py, line ")
    assert other.ended.status == "ok"
    assert len(other.seconds) < paired_timing.PAIRS
