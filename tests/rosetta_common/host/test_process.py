"""How processes end, and that nothing of them is left."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time

import pytest

from rosetta_common.host import process
from rosetta_common.host.catalogue import ROOT


def run(code, timeout=30.0, on_event=lambda event: None, **options):
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return process.run(command, dict(os.environ), timeout, on_event, **options)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_good_end_with_events():
    events = []
    code = 'import os, sys; os.write(int(sys.argv[-1]), b\'{"event": "hello", "n": 1}\\n\'); print(\'noise\')'
    ended = run(code, on_event=events.append)
    assert (ended.status, ended.reason, ended.log) == ("ok", None, "noise")
    assert events == [{"event": "hello", "n": 1}]


def test_it_reads_nothing_or_what_it_is_given():
    code = "import sys; print(sys.stdin.read())"
    assert run(code).log == ""
    read, write = os.pipe()
    os.write(write, b"a line")
    os.close(write)
    assert run(code, stdin=read).log == "a line"
    os.close(read)


def test_a_failure_has_its_last_line_as_reason_and_a_log():
    ended = run("print('before'); raise ValueError('the reason')")
    assert (ended.status, ended.reason) == ("failed", "ValueError: the reason")
    assert ended.log.startswith("before")


def test_a_log_names_no_place_of_this_machine(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        ended = run(f"raise ValueError({str(ROOT / 'here.py')!r}, {folder + '/data'!r}, '/home/ada/there.py')")
    assert ended.reason == "ValueError: ('./here.py', '<temporary folder>/data', '~/there.py')"


def test_the_log_is_a_tail():
    ended = run("print('\\n'.join(map(str, range(1000)))); raise SystemExit(3)")
    assert ended.log.splitlines()[-1] == "999"
    assert len(ended.log.splitlines()) == process.LOG_LINES


@pytest.mark.parametrize("code", ["raise MemoryError", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_memory_that_ran_out_is_named(code):
    assert run(code).status == "oom"


def test_a_crash_names_its_signal():
    ended = run("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert ended.status == "failed"
    assert "SIGSEGV" in ended.reason


CHILD = """
import subprocess, sys, time
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", stubborn])
print(child.pid, flush=True)
time.sleep({sleep})
"""


def test_a_timeout_kills_the_whole_group():
    start = time.monotonic()
    ended = run(CHILD.format(sleep=60), timeout=1.0)
    assert ended.status == "timeout"
    assert "after 1 seconds" in ended.reason
    assert time.monotonic() - start < 15
    assert not alive(int(ended.log))


def test_another_thread_may_halt_it():
    halt = threading.Event()
    threading.Timer(1.0, halt.set).start()
    start = time.monotonic()
    ended = run(CHILD.format(sleep=60), halt=halt)
    assert ended.status == "interrupted"
    assert time.monotonic() - start < 15
    assert not alive(int(ended.log))


def test_a_child_left_behind_by_a_good_end_is_killed_too():
    ended = run(CHILD.format(sleep=0.2))
    assert ended.status == "ok"
    assert not alive(int(ended.log))


def test_ctrl_c_comes_back_as_interrupted_and_leaves_no_orphan(tmp_path):
    script = f"""
        import os, signal, sys
        signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell has its background jobs ignore
        sys.path.insert(0, {str(ROOT)!r})
        from rosetta_common.host import process
        code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
        ended = process.run([sys.executable, "-c", code], dict(os.environ), 50.0)
        print(ended.status, ended.log)
    """
    host = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    time.sleep(2)
    host.send_signal(signal.SIGINT)
    status, pid = host.communicate(timeout=20)[0].split()
    assert status == "interrupted"
    assert not alive(int(pid))


def test_what_cannot_be_started_is_a_failure_with_its_reason(tmp_path):
    ended = process.run([tmp_path / "gone"], dict(os.environ), 30.0)
    assert (ended.status, ended.reason) == (
        "failed",
        f"{tmp_path}/gone could not be started: No such file or directory.",
    )


def test_once_all_are_stopped_nothing_new_is_started(monkeypatch):
    monkeypatch.setattr(process, "_stopping", threading.Event())
    monkeypatch.setattr(process.subprocess, "Popen", None)  # to start one would be an error
    process.stop_all()
    ended = run("pass")
    assert (ended.status, ended.reason) == ("interrupted", "It was interrupted.")


def test_what_is_started_while_all_are_stopped_is_ended_too(monkeypatch):
    """stop_all looks at what runs, and the process is not there yet."""
    monkeypatch.setattr(process, "_stopping", threading.Event())
    start = subprocess.Popen

    def late(*arguments, **options):
        process.stop_all()
        return start(*arguments, **options)

    monkeypatch.setattr(process.subprocess, "Popen", late)
    before = time.monotonic()
    assert run("import time; time.sleep(20)").status == "interrupted"
    assert time.monotonic() - before < 10
