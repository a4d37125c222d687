"""Processes that do what they should not: through `process.run`, and through a whole run of an example."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from rosetta_host.catalog.frameworks import ROOT
from rosetta_host.environments import guard, process
from tests.faults.conftest import wait_for
from tests.rosetta_host.environments.test_process import alive

EVENT = b'{"event": "stage", "name": "whole"}\n'


def run(code, timeout=30.0, on_event=lambda event: None, **options):
    command = [sys.executable, "-I", "-S", "-c", textwrap.dedent(code)]
    return process.run(command, dict(os.environ), timeout, on_event, **options)


DAEMON = """
    import os, signal, sys, time
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.write(write, b"ready")
            print(os.getpid(), flush=True)
            time.sleep(300)
        os._exit(0)
    os.wait()
    os.read(read, 5)
"""


@pytest.mark.fault("forks", outcome="They are ended with it, also those that ignore SIGTERM.")
@pytest.mark.parametrize(
    ("end", "status"), [("", "ok"), ("time.sleep(300)", "timeout"), ("os.kill(os.getpid(), 9)", "failed")]
)
def test_a_daemon_of_its_own_session_ends_with_the_process(end, status):
    ended = run(textwrap.dedent(DAEMON) + end, timeout=2.0 if status == "timeout" else 30.0)
    assert ended.status == status
    assert not alive(int(ended.log))


@pytest.mark.fault("kill-child", outcome="Its guard, killed in its place, takes it along.")
def test_where_the_guard_is_killed_the_process_and_its_group_end():
    numbers = []

    def kill(event):
        numbers.extend(event["numbers"])
        os.kill(guard.parents()[numbers[0]], signal.SIGKILL)

    code = """
        import json, os, subprocess, sys
        other = subprocess.Popen(["/bin/sleep", "300"])
        event = {"event": "started", "numbers": [os.getpid(), other.pid]}
        os.write(int(sys.argv[-1]), json.dumps(event).encode() + b"\\n")
        other.wait()
    """
    ended = run(code, on_event=kill)
    assert ended.status == "failed"
    assert ended.reason.startswith("The process was killed by signal 9 (SIGKILL)")
    wait_for(lambda: not any(map(alive, numbers)))  # the kernel ends a killed process when it next runs


@pytest.mark.fault("kill-both", outcome="Whatever dies first, the process and its guard end too.")
@pytest.mark.parametrize("victim", ["host", "guard"])
def test_what_a_guard_runs_ends_with_the_host_and_with_the_guard(victim):
    code = f"""
        import subprocess, sys
        sys.path.insert(0, {str(ROOT)!r})
        from rosetta_host.environments import process
        subprocess.run(process.guarded(["/bin/sh", "-c", "echo $$; exec sleep 300"]))
    """
    host = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    running = int(host.stdout.readline())
    assert alive(running)
    os.kill(host.pid if victim == "host" else guard.parents()[running], signal.SIGKILL)
    rest, _ = host.communicate(timeout=30)  # until nobody holds the other end
    assert rest == ""
    assert not alive(running)


DEATHS = {
    "raise ImportError('libgone.so: cannot open shared object file')": (
        r"ImportError: libgone\.so: cannot open shared object file \(gru\.py, line \d+\)"
    ),
    "import os; os.abort()": r"The process was killed by signal 6 \(SIGABRT\) \(it printed nothing\)\.",
    "import os; os._exit(0)": r"The process ended without an error before it had left its result\.",
}


@pytest.mark.fault("import", outcome="The run is `failed`; the reason is the error and its line, or the signal.")
@pytest.mark.parametrize("death", DEATHS)
def test_an_example_that_dies_at_import_is_a_record(benchmark, death):
    record = benchmark("import time\n", f"import time\n{death}\n")
    assert record.status == "failed"
    assert re.fullmatch(DEATHS[death], record.reason)


GREEDY = """
    import resource
    pages = int(open("/proc/self/statm").read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 3 * 10**8, -1))
    held = []
    while True:
        held.append(np.ones(10**6))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.fault("memory", outcome="The run is `oom`; its record has the allocator's words and the peak.")
def test_memory_that_runs_out_is_a_record_with_the_peak(benchmark):
    record = benchmark("    return 0.5", GREEDY)
    assert record.status == "oom", record.reason
    assert re.match(r"The process ran out of memory \(.*MemoryError.*\)\. It held at most \d+ MB\.", record.reason)
    assert 2e8 < record.peak_resident < 6e8


NOISE = {
    "bytes that are no text": r"sys.stdout.buffer.write(bytes(range(256)))",
    "control characters": r"print('\x1b[31mred\x1b[0m \x07\x00 \x1b[2K')",
    "one line of megabytes": r"print('x' * 5_000_000)",
    "megabytes of lines": r"print('line\n' * 1_000_000)",
    "nothing": "pass",
}


@pytest.mark.fault("output", outcome="The run goes on; its record keeps the last lines, as text that a page can show.")
@pytest.mark.parametrize("noise", NOISE)
def test_whatever_it_prints_the_log_is_short_text(noise):
    ended = run(f"import sys\n{NOISE[noise]}\nsys.stdout.flush()\nraise SystemExit(3)")
    assert ended.status == "failed"
    assert len(ended.log) <= process.LOG_LINES * (process.LOG_CHARACTERS + 3)
    assert len(ended.reason) <= process.LOG_CHARACTERS + 3
    assert ended.reason
    assert "\x1b" not in ended.log
    assert all(character.isprintable() or character in "\n\t\N{NO-BREAK SPACE}\xad" for character in ended.log)


@pytest.mark.fault("output", outcome="A process that prints without end is stopped before it fills the disk.")
def test_a_process_that_prints_without_end_is_stopped(monkeypatch):
    monkeypatch.setattr(process, "MOST_OUTPUT", 10**7)
    ended = run("while True: print('x' * 1000)")
    assert (ended.status, ended.reason) == ("failed", "It was stopped because it printed more than 10 MB.")


GARBAGE = {
    "no JSON": b"Epoch 1/1\n",
    "half a line": b'{"event": "tra',
    "bytes that are no text": b"\xff\xfe\x00\n",
    "another type": b'[1, 2]\nnull\n3\n"event"\n{}\n{"event": 3}\n',
    "a field that is missing or wrong": b'{"event": "trained"}\n{"event": "epoch", "epoch": "one", "samples": null}\n',
    "nesting without end": b"[" * 50_000 + b"\n",
    "megabytes without a line": b"x" * 3_000_000,
}


@pytest.mark.fault("events", outcome="What is no event is ignored; the run and its record are as without it.")
@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_is_no_event_is_ignored(garbage, tmp_path):
    (tmp_path / "garbage").write_bytes(EVENT + GARBAGE[garbage] + b"\n" + EVENT)
    events = []
    code = f"""
        import sys
        with open(int(sys.argv[-1]), "wb") as stream:
            stream.write(open({str(tmp_path / "garbage")!r}, "rb").read())
    """
    ended = run(code, on_event=events.append)
    assert ended.status == "ok", ended.log
    assert events == [{"event": "stage", "name": "whole"}] * 2


@pytest.mark.fault("events", outcome="An event that nobody knows changes nothing.")
def test_a_run_whose_example_writes_among_the_events_is_good(benchmark):
    stream = "os.write(int(sys.argv[sys.argv.index('--events') + 1])"
    lines = rb'\n{"event": "surprise"}\nEpoch 1\n{"event": "progress"}\n{"event": "trained", "loss": 1}\n{"half": '
    record = benchmark("    return 0.5", f"    import sys\n    {stream}, {lines!r})\n    return 0.5")
    assert (record.status, record.reason) == ("ok", None)
    assert record.losses == [0.5]


@pytest.mark.fault("hang", outcome="The rest of a sweep does not wait for it longer than its time limit.")
def test_a_process_that_hangs_with_its_output_closed_is_stopped(tmp_path):
    start = time.monotonic()
    ended = run("import os, time; os.closerange(0, 100); time.sleep(300)", timeout=2.0)
    assert (ended.status, ended.reason) == ("timeout", "It was stopped after 2 seconds.")
    assert time.monotonic() - start < 15
