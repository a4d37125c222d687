"""What may go wrong while records are written and read: a full disk, a loss of power, another sweep, the clock."""

import errno
import json
import os
import re
import shutil
import subprocess
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from rosetta_host.catalog.frameworks import UserError
from rosetta_host.records import store
from rosetta_host.records.store import BenchmarkRecord, Machine
from tests.faults.conftest import NO_RATE
from tests.rosetta_host.test_main import drive


def made(created="20260101T000000.000000Z", **fields):
    common = {"framework": "alpha", "workload": "gru", "machine": Machine("box", "Box"), "device": "cpu"}
    return BenchmarkRecord(schema=store.SCHEMA, status="ok", created=created, preset="full", **common, **fields)


@pytest.fixture
def small_disk(tmp_path):
    """A folder with room for a few kilobytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.fault(
    "disk", outcome="An error names the record and the place where it is kept; nothing is left half-written."
)
def test_a_record_that_finds_a_full_disk_is_kept_elsewhere(small_disk, tmp_path, monkeypatch):
    monkeypatch.setattr(store.tempfile, "tempdir", str(tmp_path))
    first = store.write(made(), small_disk)
    (small_disk / "filler").write_bytes(bytes(os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize))
    record = made(accuracy=0.5)
    with pytest.raises(UserError, match=r"could not be written: No space left on device\. It is kept as ") as error:
        store.write(record, small_disk)
    assert [*small_disk.rglob("*.*")] == [first]
    [kept] = tmp_path.glob("rosetta-records-*/*/*/*.json")
    assert str(kept) in str(error.value)
    assert store.read(kept) == record


@pytest.mark.fault(
    "disk", outcome="An error names the record and the place where it is kept; nothing is left half-written."
)
def test_a_record_that_is_refused_half_way_is_kept_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(store.tempfile, "tempdir", str(tmp_path))
    sync, calls = os.fsync, []

    def refuse(handle):
        calls.append(handle)
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    monkeypatch.setattr(store.os, "fsync", refuse)
    with pytest.raises(UserError, match=r"No space left on device\. It is kept as "):
        store.write(made(accuracy=0.5), tmp_path / "records")
    assert [path for path in (tmp_path / "records").rglob("*") if path.is_file()] == []
    [kept] = tmp_path.glob("rosetta-records-*/*/*/*.json")
    assert store.read(kept).accuracy == 0.5


LIMITED = """
    import resource
    from rosetta_host.records import store
    write = store.write
    def limited(*arguments):
        resource.setrlimit(resource.RLIMIT_FSIZE, (512, -1))
        return write(*arguments)
    store.write = limited
"""


@pytest.mark.fault("disk", outcome="Without any room the benchmark ends with one sentence and exit code 2.")
def test_a_sweep_without_any_room_ends_with_one_sentence(folder, tmp_path):
    sweep = drive(folder, tmp_path, before=textwrap.dedent(LIMITED) + NO_RATE)
    out, err = sweep.communicate(timeout=60)
    assert sweep.returncode == 2, (out, err)
    assert "Traceback" not in out + err
    sentence = (
        r"error: The record \S+ could not be written: File too large\. There is no other place for it: free some "
    )
    assert re.match(sentence, out.splitlines()[-1])
    assert [path for path in (tmp_path / "records").rglob("*") if path.is_file()] == []


@pytest.mark.fault("power", outcome="Readers name the file and leave it out; its run is made again.")
def test_a_torn_record_is_named_and_the_sweep_goes_on(folder, tmp_path):
    torn = [store.write(made(), tmp_path / "records") for _ in range(3)]
    for path, length in zip(torn, (0, 1, 200), strict=True):
        path.write_bytes(path.read_bytes()[:length])
    torn[0].with_suffix(".part").write_bytes(b'{"schema"')
    sweep = drive(folder, tmp_path, before=NO_RATE)
    out, err = sweep.communicate(timeout=60)
    assert sweep.returncode == 0, (out, err)
    named = re.findall(r"^(.*) is not a record: .*It is left out; delete the file\.$", out, re.MULTILINE)
    assert [*dict.fromkeys(named)] == [*map(str, torn)]
    records = [store.read(path) for path in store.paths([tmp_path / "records"]) if path not in torn]
    assert [record.status for record in records] == ["ok"]


@pytest.mark.fault("power", outcome="A record has its name only once all of it is on the disk.")
def test_a_record_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    sync, link, order = os.fsync, os.link, []

    def noted_sync(handle):
        path = os.readlink(f"/proc/self/fd/{handle}")
        order.append(f"sync {os.path.splitext(path)[1]}")
        if path.endswith(".part"):
            with open(path) as file:
                assert json.load(file)["kind"] == "benchmark"
        sync(handle)

    def noted_link(*arguments):
        order.append("link")
        link(*arguments)

    monkeypatch.setattr(store.os, "fsync", noted_sync)
    monkeypatch.setattr(store.os, "link", noted_link)
    store.write(made(), tmp_path)
    assert order == ["sync .part", "link", "sync "]


@pytest.mark.fault("interrupt", outcome="A run that is over keeps its record.")
@pytest.mark.parametrize("step", ["fsync", "link", "unlink"])
def test_a_record_that_is_interrupted_while_it_is_written_is_there(tmp_path, monkeypatch, step):
    call, calls = getattr(os, step), []

    def interrupted(*arguments):
        call(*arguments)
        calls.append(arguments)
        if len(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(store.os, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.write(made(accuracy=0.5), tmp_path)
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert store.read(path).accuracy == 0.5


@pytest.mark.fault("two-sweeps", outcome="Each run of both has its record.")
def test_two_sweeps_at_once_write_all_their_records(folder, tmp_path):
    shutil.copytree(folder, folder.parent / "beta")
    sweeps = [drive(folder, tmp_path, "benchmark beta", before=NO_RATE) for _ in range(2)]
    for sweep in sweeps:
        out, err = sweep.communicate(timeout=120)
        assert sweep.returncode == 0, (out, err)
    records = [store.read(path) for path in store.paths([tmp_path / "records"])]
    assert sorted(record.framework for record in records) == ["alpha", "alpha", "beta", "beta"]
    assert [*tmp_path.rglob("*.part")] == []


@pytest.mark.fault("two-sweeps", outcome="Records of the same moment get names of their own.")
def test_writers_of_one_moment_overwrite_nothing(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        paths = [*pool.map(lambda seed: store.write(made(seed=seed), tmp_path), range(60))]
    assert [store.read(path).seed for path in paths] == [*range(60)]
    assert sorted(paths) == store.paths([tmp_path])


@pytest.mark.fault("clock", outcome="Nothing is overwritten: a record whose time is taken gets the next microsecond.")
def test_records_of_a_clock_that_stands_still_keep_their_order(tmp_path):
    paths = [store.write(made(seed=seed), tmp_path) for seed in range(12)]
    assert sorted({*paths}) == paths
    assert [record.seed for record in store.read_all([tmp_path])] == [*range(12)]
    assert {f"{record.implementation}-{record.workload}-{record.created}" for record in store.read_all([tmp_path])} == {
        path.stem for path in paths
    }


@pytest.mark.fault("clock", outcome="An earlier time replaces no record.")
def test_a_record_of_an_earlier_time_replaces_none(tmp_path):
    first = store.write(made("20260101T000000.999999Z", seed=1), tmp_path)
    second = store.write(made("20251231T235959.000000Z", seed=2), tmp_path)
    third = store.write(made("20260101T000000.999999Z", seed=3), tmp_path)
    assert [store.read(path).seed for path in (first, second, third)] == [1, 2, 3]
    assert third.stem.endswith("20260101T000001.000000Z")
    assert [record.seed for record in store.read_all([tmp_path])] == [2, 1, 3]


@pytest.mark.fault("clock", outcome="Durations do not change: they come from a clock that only goes forward.")
def test_durations_do_not_come_from_the_clock(benchmark, monkeypatch):
    hours = iter(range(10**6, 0, -1))
    monkeypatch.setattr(time, "time", lambda: 3600.0 * next(hours))
    back = "    hours = iter(range(10**6, 0, -1))\n    time.time = lambda: 3600.0 * next(hours)\n    return 0.5"
    record = benchmark("    return 0.5", back, preset="epoch")
    assert (record.status, record.reason) == ("ok", None)
    seconds = msgspec.structs.asdict(record.times)
    [seconds["epoch"]] = seconds.pop("epochs")
    assert all(0 < value < 60 for value in seconds.values()), seconds
