"""Which certificates spare an implementation another one, and how a check reads in a line."""

import shutil
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pytest

from rosetta_host import __main__ as cli
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Case
from rosetta_host.certificate import certify, judge, protocol
from rosetta_host.certificate import steps as certificate_module
from rosetta_host.certificate.steps import Trace
from rosetta_host.command_line import commands
from rosetta_host.environments import digests, environment, process
from rosetta_host.records import machine, store
from rosetta_host.records.codes import Coverage
from rosetta_host.records.store import CertificateRecord, Check, Executed, RecordedCheck
from workloads import gru

HERE = machine.describe("here")


def alpha(variant=None):
    return Case(frameworks.implementations()["alpha"], "gru", variant)


def certificate(status="ok", where=HERE):
    held = digests.certificate_digests(alpha().implementation, "gru")
    record = certify.blank(CertificateRecord, alpha(), where, "cpu", checks=[], digests=held)
    record.status, record.threads = status, machine.cores()
    record.variables = environment.stated(alpha().implementation, "gru", machine.cores(), "cpu")
    return record


def certified(tmp_path, where=HERE, variant=None):
    return certify.certified(alpha(variant), where, "cpu", store.read_all([tmp_path / "records"]))


def test_without_a_certificate_nothing_is_certified(folder, tmp_path):
    assert not certified(tmp_path)


def test_a_certificate_holds_for_its_machine_until_the_code_changes(folder, tmp_path):
    store.write(certificate(), tmp_path / "records")
    assert certified(tmp_path)
    assert not certified(tmp_path, machine.describe("elsewhere"))
    assert certified(tmp_path, None)
    path = folder / "gru.py"
    path.write_text(path.read_text().replace("return 0.5", "return 0.6"))
    assert not certified(tmp_path)


def test_the_newest_certificate_decides(folder, tmp_path):
    store.write(certificate(), tmp_path / "records")
    store.write(certificate("failed"), tmp_path / "records")
    assert not certified(tmp_path)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("rosetta_host/certificate/limits.py", "ROUNDING = 1e-6", "ROUNDING = 1e-5"),
        ("workloads/gru/limits.py", '"loss": 1e-5', '"loss": 1e-4'),
    ],
)
def test_a_certificate_holds_for_its_judge(folder, tmp_path, monkeypatch, module, old, new):
    for package in ("rosetta_common", "rosetta_host", "workloads"):
        shutil.copytree(digests.ROOT / package, tmp_path / package)
    monkeypatch.setattr(digests, "ROOT", tmp_path)
    store.write(certificate(), tmp_path / "records")
    path = tmp_path / module
    text = path.read_text()
    path.write_text(text.replace('"""', '"""In other words: ', 1))
    assert certified(tmp_path)
    path.write_text(text.replace(old, new))
    assert not certified(tmp_path)
    assert not certified(tmp_path, None)


@pytest.mark.parametrize("change", [{"threads": 64}, {"variables": {"OMP_NUM_THREADS": "64"}}])
def test_on_its_machine_a_certificate_holds_for_the_way_a_run_is_timed(folder, tmp_path, change):
    record = certificate()
    for name, value in change.items():
        setattr(record, name, value)
    store.write(record, tmp_path / "records")
    assert not certified(tmp_path)
    assert certified(tmp_path, None)


def test_the_judged_steps_run_as_the_timed_run_does_and_the_record_says_how_the_others_did(folder, monkeypatch):
    """Each process notes the threads and the cache that it has: single steps as in a run, the others on one thread."""
    monkeypatch.setattr(machine, "cores", lambda: 3)
    toml = folder / "framework.toml"
    toml.write_text(toml.read_text() + '[compile_cache]\nKEPT = { value = "{environment}/kept", reason = "r" }\n')
    path, noted = folder / "gru.py", folder / "noted"
    note = f"    open({str(noted)!r}, 'a').write(os.environ['OMP_NUM_THREADS'] + str('KEPT' in os.environ) + ' ')\n"
    path.write_text(path.read_text().replace("    return imdb_for_library()", note + "    return imdb_for_library()"))
    record = certify.certify(alpha(), HERE, parts=(*protocol.STEPPED, "threads"))
    assert noted.read_text().split() == ["3False", "1True"]
    assert (record.threads, record.variables["OMP_NUM_THREADS"]) == (3, "3")
    assert record.untimed_variables["OMP_NUM_THREADS"] == "1"
    assert record.untimed_variables["KEPT"] == "{environment}/kept"
    assert "KEPT" not in record.variables


def test_a_tuned_case_is_certified_with_the_variables_of_its_timed_run(folder, tmp_path):
    toml, path = folder / "framework.toml", folder / "gru.py"
    toml.write_text(toml.read_text() + '[gru.variables]\nFAST = { value = "1", tuning = true, reason = "r" }\n')
    note = f"    open({str(tmp_path / 'noted')!r}, 'a').write(os.environ.get('FAST', '-'))\n"
    path.write_text(path.read_text().replace("    return imdb_for_library()", note + "    return imdb_for_library()"))
    for variant, expected in ((None, "-"), ("train_tuned", "1")):
        (tmp_path / "noted").unlink(missing_ok=True)
        record = certify.certify(alpha(variant), HERE, parts=("scores",))
        assert set((tmp_path / "noted").read_text()) == {expected}
        assert record.variables.get("FAST", "-") == record.untimed_variables.get("FAST", "-") == expected
        record.status = "ok"
        store.write(record, tmp_path / "records")
    past = store.read_all([tmp_path / "records"])
    assert certify.certified(alpha("train_tuned"), HERE, "cpu", past)
    del past[-1].variables["FAST"]
    assert not certify.certified(alpha("train_tuned"), HERE, "cpu", past)


def test_a_process_waits_until_as_many_cores_are_free_as_it_has_threads(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 2)
    cores, order = judge.Cores(), []

    def work(count):
        with cores.take(count):
            order.append(f"{count} begins")
            time.sleep(0.05)
            order.append(f"{count} ends")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, [1, 2, 1]))
    assert order[:2] == ["1 begins", "1 ends"]
    at = order.index("2 begins")
    assert order[at + 1] == "2 ends"


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (Check("loss", False, 2e-3, 1e-5, "step 4"), "FAILED loss 2.0e-03 (limit 1e-05) at step 4"),
        (
            Check("step worst", False, None, 2e-2, "step 1, fc1.bias"),
            "FAILED step worst None (limit 0.02) at step 1, fc1.bias",
        ),
        (Check("weights", True, 0.0, 0.0, "fc2.bias"), "ok weights 0.0e+00 (must be 0) at fc2.bias"),
        (Check("start: distribution", True, reason="declared"), "ok start: distribution"),
        (Check("loop", False, 1e-3, 7.5e-4), "FAILED loop 1.0e-03 (limit 0.00075)"),
        (Check("weights", False, reason="a name is missing: fc.bias"), "FAILED weights: a name is missing: fc.bias"),
    ],
)
def test_a_check_reads_in_one_line(check, line):
    assert certify.line(check) == line


def test_a_certificate_with_figures_that_are_not_finite_can_be_read(folder, tmp_path):
    record = certificate("failed")
    check = Check("tensor median", False, None, 3e-3, "fc.bias", figures={"fc.bias": float("nan")})
    record.checks = [RecordedCheck.of(check)]
    assert store.read(store.write(record, tmp_path / "records")).checks[0].figures == {"fc.bias": None}


def test_an_example_that_cannot_follow_fails_with_its_reason_and_log(folder):
    path = folder / "gru.py"
    path.write_text(path.read_text().replace("    return 0.5", "    raise RuntimeError('no step was taken')"))
    record = certify.certify(alpha(), HERE)
    assert record.status == "failed"
    assert record.reason.startswith("RuntimeError: no step was taken (gru.py, line ")
    assert "Traceback" in record.log


def test_weights_that_cannot_be_judged_fail_and_end_nothing_else(folder):
    path = folder / "gru.py"
    path.write_text(path.read_text().replace("    return dict(model)", "    return {}"))
    record = certify.certify(alpha(), HERE)
    assert record.status == "failed"
    assert record.reason.startswith("FAILED weights")
    assert "FAILED judgment at KeyError: 'embedding' (" in record.reason


@pytest.mark.parametrize("end", ["import sys; sys.exit(0)", "os._exit(0)"])
def test_a_process_that_ends_as_if_all_were_well_fails_and_ends_nothing_else(folder, end):
    path = folder / "gru.py"
    path.write_text(path.read_text().replace("    return 0.5", f"    {end}"))
    record = certify.certify(alpha(), HERE)
    reason = "The process ended without an error before it had left w1.npz."
    assert (record.status, record.reason) == ("failed", reason)


@pytest.mark.parametrize("torn", [b"", b"PK"])
def test_weights_that_are_torn_or_gone_fail_and_end_nothing_else(folder, monkeypatch, torn):
    read = certificate_module.Trace.arrays

    def tear(trace, name):
        (trace.folder / f"{name}.npz").write_bytes(torn)
        return read(trace, name)

    monkeypatch.setattr(certificate_module.Trace, "arrays", tear)
    record = certify.certify(alpha(), HERE)
    assert record.status == "failed"
    assert record.reason.startswith("FAILED judgment at ")


def test_a_fault_in_the_certificates_own_code_is_a_record(folder, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a slip")

    monkeypatch.setattr(certify, "facts", broken)
    record = certify.certify(alpha(), HERE)
    assert record.status == "failed"
    assert record.reason.startswith("This project's own code failed: ZeroDivisionError: a slip (certify.py, line ")


def test_each_check_comes_while_the_example_goes_on_and_closing_ends_it(folder, tmp_path):
    path = folder / "gru.py"
    text = path.read_text().replace("    return 0.5", "    time.sleep(60)\n    return 0.5")
    path.write_text(text)
    start = time.monotonic()
    tracer = judge.Tracer(alpha(), Path(sys.executable), "cpu", tmp_path)
    checks = judge.checks(tracer)
    assert [next(checks).name, next(checks).name] == ["weights", "scores before"]
    checks.close()
    assert time.monotonic() - start < 30
    assert not (tmp_path / "steps-float32" / "result.json").exists()


def test_a_learning_rate_that_an_example_can_change_is_changed_once_after_the_epoch(folder, tmp_path):
    path = folder / "gru.py"
    set_rate = "def set_learning_rate(model, learning_rate):\n    model['fc.bias'] += learning_rate"
    for name, text, asked in (("without", "", False), ("with", set_rate, True)):
        path.write_text(f"{path.read_text()}\n\n{text}\n")
        tracer = judge.Tracer(alpha(), Path(sys.executable), "cpu", tmp_path / name)
        names = {check.name for check in judge.checks(tracer, ("loop",))}
        assert ("schedule: changed rate" in names) == asked
    trace = Trace(tmp_path / "with" / "steps-float32")
    added = trace.weights("changed")["fc.bias"] - trace.weights("again2")["fc.bias"]
    np.testing.assert_allclose(added, 0.1 * gru.params.learning_rate, rtol=1e-4)
    assert not (tmp_path / "without" / "steps-float32" / "changed.npz").exists()


def test_a_failed_check_is_named_in_the_reason(folder):
    record = certify.certify(alpha(), HERE)
    assert record.status == "failed"
    assert record.reason.startswith("FAILED scores before")


def test_only_a_whole_certificate_notes_what_was_executed(folder):
    assert certify.certify(alpha(), HERE).executed["train"] == Executed(Coverage.EVERY_LINE)
    assert certify.certify(alpha(), HERE, parts=judge.JUDGED).executed == {}


def test_in_short_what_is_published_leaves_out_float64_and_what_is_not_does_not(folder, tmp_path, monkeypatch, capsys):
    toml = folder / "framework.toml"
    toml.write_text(toml.read_text() + "[gru]\nfloat64 = true\n")
    published, here = tmp_path / "published", tmp_path / "here"
    monkeypatch.setattr(commands, "COMMITTED", published)

    def presets():
        assert cli.main(["certificate", "alpha", "--short", "--records", str(here)]) == 1
        return {check.name.startswith("float64") for check in store.read_all([here])[-1].checks}

    assert presets() == {False, True}
    assert "Left out" not in capsys.readouterr().out
    store.write(certificate(where=machine.describe("elsewhere")), published)
    (here / "certificate").rename(tmp_path / "failed here")
    assert presets() == {False}
    assert "Skipped for the 1 of 1 with a published certificate: the pass in float64" in capsys.readouterr().out
    # It failed here now, and what is published says nothing of that: the next one is whole again.
    assert presets() == {False, True}


def test_in_short_a_published_variant_is_not_repeated(folder, tmp_path, monkeypatch, capsys):
    path = folder / "gru.py"
    variant = "def train_eager(model, x, y):\n    return train(model, x, y)\n\n\nif __name__"
    path.write_text(path.read_text().replace("if __name__", variant))
    published = tmp_path / "published"
    monkeypatch.setattr(commands, "COMMITTED", published)

    def variants(name):
        assert cli.main(["certificate", "alpha", "--short", "--records", str(tmp_path / name)]) == 1
        return [record.variant for record in store.read_all([tmp_path / name])]

    assert variants("none is published") == [None, "train_eager"]
    for variant in (None, "train_eager"):
        store.write(
            msgspec.structs.replace(certificate(where=machine.describe("elsewhere")), variant=variant), published
        )
    assert variants("both are") == [None]
    assert "Variants with a published certificate, which are not repeated: 1." in capsys.readouterr().out


def test_what_has_a_certificate_of_other_code_is_stale(folder, tmp_path, monkeypatch, capsys):
    published = tmp_path / "published"
    monkeypatch.setattr(commands, "COMMITTED", published)
    store.write(certificate(where=machine.describe("elsewhere")), published)
    arguments = ["certificate", "alpha", "--stale", "--records", str(tmp_path / "here")]
    assert cli.main(arguments) == 0
    assert "Stale: 0 of 1 certificates." in capsys.readouterr().out
    path = folder / "gru.py"
    path.write_text(path.read_text().replace("return 0.5", "return 0.6"))
    assert cli.main(arguments) == 1
    assert "Stale: 1 of 1 certificates." in capsys.readouterr().out


def test_the_quick_preset_leaves_out_more_than_the_tests_do(folder, tmp_path, monkeypatch, capsys):
    """How weights are drawn and samples are shuffled is of no machine; CI repeats it all the same."""
    published = tmp_path / "published"
    monkeypatch.setattr(commands, "COMMITTED", published)
    store.write(certificate(where=machine.describe("elsewhere")), published)

    def starts(*command):
        here = tmp_path / command[0]
        assert cli.main([*command, "alpha", "--workload", "gru", "--records", str(here)]) == 1
        newest = [record for record in store.read_all([here]) if record.kind == "certificate"][-1]
        return any(check.name.startswith("start") for check in newest.checks), capsys.readouterr().out

    begun, output = starts("certificate", "--short")
    assert begun
    assert "certificate: the pass in float64, which lines of the example run, dropout." in output
    begun, output = starts("benchmark")
    assert not begun
    assert "certificate: one thread against all, the first weights and the shuffle, the pass in float64," in output


def test_the_quick_preset_certifies_in_short_what_is_published_until_a_check_fails(folder, tmp_path, monkeypatch):
    toml = folder / "framework.toml"
    toml.write_text(toml.read_text() + "[gru]\nfloat64 = true\n")
    published, here = tmp_path / "published", tmp_path / "here"
    monkeypatch.setattr(commands, "COMMITTED", published)
    store.write(certificate(where=machine.describe("elsewhere")), published)

    def presets():
        assert cli.main(["benchmark", "alpha", "--workload", "gru", "--records", str(here)]) == 1
        newest = [record for record in store.read_all([here]) if record.kind == "certificate"][-1]
        return {check.name.startswith("float64") for check in newest.checks}

    assert presets() == {False}
    assert presets() == {False, True}


def test_a_variant_has_a_certificate_of_its_own(folder, tmp_path):
    store.write(certificate(), tmp_path / "records")
    assert not certified(tmp_path, variant="train_with_loader")
    path = folder / "gru.py"
    path.write_text(path.read_text() + "\n\ndef train_with_loader(model, x, y):\n    raise RuntimeError('loaded')\n")
    assert certify.certify(alpha(), HERE).reason.startswith("FAILED scores before")
    record = certify.certify(alpha("train_with_loader"), HERE)
    assert record.variant == "train_with_loader"
    assert record.reason.startswith("RuntimeError: loaded (gru.py, line ")


def test_a_slow_one_holds_none_back_that_has_ended(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 2)
    quick_is_there = threading.Event()
    calls = [lambda: quick_is_there.wait(10), lambda: "quick"]
    ended = certify.side_by_side(calls)
    assert next(ended) == "quick"
    quick_is_there.set()
    assert list(ended) == [True]


def test_a_missing_environment_is_made_while_other_examples_are_certified(folder, monkeypatch):
    """Of the two the missing one comes last, is made once, and holds nothing back."""
    shutil.copytree(folder, folder.parent / "beta")
    implementations = frameworks.implementations()
    begun, made = threading.Event(), []

    def ensure(implementation, device="cpu"):
        if threading.current_thread() is threading.main_thread() and implementation.id == "alpha":
            made.append(begun.wait(10))
        return Path(sys.executable)

    def certified(case, *arguments):
        begun.set()
        return case.implementation.id

    monkeypatch.setattr(environment, "ensure", ensure)
    monkeypatch.setattr(environment, "complete", lambda implementation, device="cpu": implementation.id == "beta")
    monkeypatch.setattr(certify, "certify", certified)
    cases = [
        Case(implementations["alpha"], "gru"),
        Case(implementations["alpha"], "gru", "train_eager"),
        Case(implementations["beta"], "gru"),
    ]
    certificates = certify.certify_all(cases, HERE, "cpu", print)
    assert [record for _, record in certificates] == ["beta", "alpha", "alpha"]
    assert made == [True]


def test_a_second_ctrl_c_starts_nothing_more(monkeypatch):
    stopped, started = threading.Event(), []

    def interrupted_again():
        stopped.set()
        raise KeyboardInterrupt

    monkeypatch.setattr(machine, "cores", lambda: 1)
    monkeypatch.setattr(process, "stop_all", interrupted_again)
    ended = certify.side_by_side([lambda: "first", lambda: stopped.wait(10), lambda: started.append("third")])
    assert next(ended) == "first"
    with pytest.raises(KeyboardInterrupt):
        ended.throw(KeyboardInterrupt)
    assert not started


def test_a_fault_of_this_project_starts_nothing_more(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 1)
    started = []

    def broken():
        raise RuntimeError("a fault")

    def slow():
        started.append("one more")
        time.sleep(0.1)

    with pytest.raises(RuntimeError, match="a fault"):
        list(certify.side_by_side([broken, *[slow] * 99]))
    assert len(started) < 20
