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

from rosetta_host.catalog.frameworks import ROOT
from rosetta_host.environments import cgroup, guard, process
from tests.rosetta_host.conftest import wait_for, written_to


def run(code, timeout=30.0, on_event=lambda event: None, **options):
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return process.run(command, dict(os.environ), timeout, on_event, **options)


def run_shell(script, **options):
    """Run it in the shell, which starts in milliseconds on a busy machine too: for a test that counts the seconds."""
    return process.run(["/bin/sh", "-c", script], dict(os.environ), events=False, **options)


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


ALLOCATORS = {
    "raise MemoryError": "MemoryError",
    "bytearray(2**60)": "MemoryError",
    "raise type('OutOfMemoryError', (RuntimeError,), {'__module__': 'torch'})('20 GiB')": (
        "torch.OutOfMemoryError: 20 GiB"
    ),
    "raise RuntimeError('RESOURCE_EXHAUSTED: Out of memory while trying')": (
        "RuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying"
    ),
    # JAX writes a note below the exception.
    "import atexit; atexit.register(print, 'For simplicity.'); raise OSError('Cannot allocate memory')": (
        "OSError: Cannot allocate memory"
    ),
    "import os; os.write(2, b\"terminate called after throwing an instance of 'std::bad_alloc'\\n\"); os.abort()": (
        "terminate called after throwing an instance of 'std::bad_alloc'"
    ),
    "print('CUDA out of memory'); raise SystemExit(1)": "CUDA out of memory",
}


@pytest.mark.parametrize("code", ALLOCATORS)
def test_an_allocator_that_ends_the_process_is_named(code):
    ended = run(code)
    sentence = (
        f"The process ran out of memory ({ALLOCATORS[code]}). It held at most {ended.peak_resident / 1e6:.0f} MB."
    )
    assert (ended.status, ended.reason) == ("oom", sentence)
    assert ended.peak_resident > 5e6


HARMLESS = [
    "print('CUDA out of memory: trying a smaller batch'); raise SystemExit('error: bad flag')",
    "print('RuntimeError: RESOURCE_EXHAUSTED'); raise ValueError('bad flag')",
    "import traceback\ntry: raise MemoryError\nexcept MemoryError: traceback.print_exc()\nraise KeyError('bad flag')",
    "raise ValueError('out of memory is no bad flag')",
]


@pytest.mark.fault("memory", outcome="Words about memory alone make no run `oom`.")
@pytest.mark.parametrize("code", HARMLESS)
def test_words_about_memory_are_no_evidence(code):
    ended = run(code)
    assert ended.status == "failed"
    assert "bad flag" in ended.reason


CGROUPS = {
    "0::/mine": "mine/memory.events",
    "1:name=systemd:/\n0::/elsewhere/on/the/machine": "memory.events",
    "0::/mine ": "unified/mine /memory.events",
    "4:cpu,memory:/mine\n0::/": "memory/mine/memory.oom_control",
    "4:memory:/elsewhere": "memory/memory.oom_control",
}


@pytest.mark.fault(
    "memory", outcome="A killed run is `oom` only where the kernel counted that it killed for want of memory."
)
@pytest.mark.parametrize("listed", CGROUPS)
def test_the_kernels_word_is_needed_to_say_that_it_killed_for_want_of_memory(listed, tmp_path, monkeypatch):
    (tmp_path / "listed").write_text(listed + "\n")
    counter = tmp_path / CGROUPS[listed]
    counter.parent.mkdir(parents=True, exist_ok=True)
    counter.write_text("oom 5\noom_kill 3\noom_group_kill 7\n")
    monkeypatch.setattr(cgroup, "PROC", tmp_path / "listed")
    monkeypatch.setattr(cgroup, "MOUNT", tmp_path)
    killed = "print('epoch 1', flush=True); import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    ended = run(killed)
    assert (ended.status, ended.reason) == ("failed", "The process was killed by signal 9 (SIGKILL) (epoch 1).")
    counts = f"open({str(counter)!r}, 'w').write('oom 6\\noom_kill 4\\noom_group_kill 7\\n');"
    ended = run(counts + killed)
    assert ended.status == "oom"
    assert ended.reason.startswith("The kernel killed the process because memory ran out (epoch 1). It held at most ")
    assert run(counts.replace("kill 4", "kill 5") + "raise ValueError").status == "failed"


def test_where_nothing_counts_kills_there_is_no_word_of_the_kernel(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroup, "PROC", tmp_path / "none")
    assert cgroup.oom_kills() is None
    assert run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)").status == "failed"


@pytest.mark.parametrize(("number", "named"), [(signal.SIGSEGV, "signal 11 (SIGSEGV)"), (40, "signal 40")])
def test_a_crash_names_its_signal(number, named):
    ended = run(f"import os; os.kill(os.getpid(), {int(number)})")
    assert ended.status == "failed"
    assert ended.reason == f"The process was killed by {named} (it printed nothing)."


@pytest.mark.fault("ignores-sigterm", outcome="It is killed a few seconds later.")
def test_it_is_asked_to_end_once_and_given_time():
    """A handler that saves what it has would start anew with each further signal."""
    start = time.monotonic()
    quiet = "exec 2>/dev/null"  # the shell tells of each sleep that is ended
    ended = run_shell(f"{quiet}; trap 'echo asked' TERM; echo ready; while true; do sleep 300; done", timeout=2.0)
    assert ended.log.splitlines()[0] == "ready"
    assert ended.log.count("asked") == 1
    assert time.monotonic() - start > 2.0 + guard.GRACE


SLEEP = 300  # seconds, as long as a test takes that waits for a child's own end
CHILD = f"(trap '' TERM; exec sleep {SLEEP}) & echo $!; "


@pytest.mark.fault("hang", outcome="The run is `timeout` after its time limit; all that it started is ended.")
def test_a_timeout_kills_the_whole_group():
    start = time.monotonic()
    ended = run_shell(f"{CHILD} sleep {SLEEP}", timeout=2.0)
    assert ended.status == "timeout"
    assert "after 2 seconds" in ended.reason
    assert time.monotonic() - start < SLEEP / 2
    assert not alive(int(ended.log))


def test_another_thread_may_halt_it():
    halt = threading.Event()
    threading.Timer(2.0, halt.set).start()
    start = time.monotonic()
    ended = run_shell(f"{CHILD} sleep {SLEEP}", timeout=SLEEP, halt=halt)
    assert ended.status == "interrupted"
    assert time.monotonic() - start < SLEEP / 2
    assert not alive(int(ended.log))


def test_a_child_left_behind_by_a_good_end_is_killed_too():
    ended = run_shell(f"{CHILD} sleep 0.2", timeout=SLEEP)
    assert ended.status == "ok"
    assert not alive(int(ended.log))


def test_ctrl_c_comes_back_as_interrupted_and_leaves_no_orphan(tmp_path):
    script = f"""
        import os, signal, sys
        signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell has its background jobs ignore
        sys.path.insert(0, {str(ROOT)!r})
        from rosetta_host.environments import cgroup, guard, process
        command = ["/bin/sh", "-c", "echo $$ | tee {tmp_path / "pid"}; exec sleep {SLEEP}"]
        ended = process.run(command, dict(os.environ), {SLEEP}, events=False)
        print(ended.status, ended.log)
    """
    host = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    wait_for(lambda: written_to(tmp_path / "pid"))
    host.send_signal(signal.SIGINT)
    status, pid = host.communicate(timeout=SLEEP / 2)[0].split()
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
