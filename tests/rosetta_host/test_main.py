"""The host's command line, as a user meets it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest

from rosetta_host import __main__ as cli
from rosetta_host.catalog.frameworks import ROOT, WORKLOADS
from rosetta_host.certificate import certify
from rosetta_host.command_line import certificates, commands
from rosetta_host.lessons import declarations
from rosetta_host.records import store
from rosetta_host.records.codes import CheckCode
from tests.rosetta_host.conftest import wait_for, written_to


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["benchmark", "pytroch"], "There is no framework 'pytroch': did you mean 'pytorch'?"),
        (["benchmark", "--preset", "ful"], "There is no preset 'ful': did you mean 'full'?"),
        (["certificate", "--workload", "cmn"], "There is no workload 'cmn': did you mean 'cnn'?"),
        (["certificate", "--device", "gpus"], "There is no device 'gpus': did you mean 'gpu'?"),
        (
            ["certificate", "--device", "gpu"],
            "--device gpu: nvidia-smi lists no GPU on this machine. Install its driver",
        ),
        (["validate", "/nowhere.json"], "There is no file /nowhere.json: name records, or folders that hold them."),
        (["benchmark", "--preset", "epoch", "--data", "/nowhere"], "There is no folder /nowhere"),
        (["benchmark", "--seeds", "0"], "--seeds must be at least 1, not 0."),
        (["benchmark", "--hours", "0"], "--hours must be more than 0, not 0."),
        (["benchmark", "--seeds", "two"], "--seeds must be at least 1, not two."),
        (["benchmark", "--hours", "two"], "--hours must be more than 0, not two."),
        (["benchmark", "--turns", "4"], "--turns must be at least 5, not 4."),
        (
            ["benchmark", "--ranked", "--records", "/nowhere", "--preset", "epoch"],
            "--ranked trains on the small sample",
        ),
        (["benchmark", "--ranked", "--records", "/nowhere", "--seeds", "3"], "--ranked trains on the small sample"),
        (["benchmark", "--ranked", "--records", "/nowhere", "pytroch"], "There is no framework 'pytroch'"),
        (["transfer", "pytroch"], "There is no framework 'pytroch': did you mean 'pytorch'?"),
        (["lessons", "--seeds", "0"], "--seeds must be at least 1, not 0."),
        (["lessons", "--kind", "size,tme"], "There is no kind 'tme': did you mean 'time'?"),
        (
            ["lessons", "soft-max-twic"],
            "There is no lesson or framework 'soft-max-twic': did you mean 'soft-max-twice'?",
        ),
        (["lessons", "pytroch"], "There is no lesson or framework 'pytroch': did you mean 'pytorch'?"),
        *(
            ([*command.split(), "--variant", "train_twice"], "There is no variant 'train_twice' of these examples. ")
            for command in ("certificate numpy", "benchmark numpy", "benchmark --ranked --records /nowhere numpy")
        ),
        (["mutation", "--mutant", "momentun"], "There is no mutant 'momentun': did you mean 'momentum'?"),
    ],
)
def test_a_mistake_is_one_sentence_and_a_failure(arguments, sentence, capsys, monkeypatch):
    monkeypatch.setattr(commands.vcs, "changed", list)  # none
    monkeypatch.setattr(commands.machine, "gpu", lambda: None)
    assert cli.main(arguments) == 2
    out = capsys.readouterr().out
    assert out.startswith(f"error: {sentence}")
    assert out.count("\n") == 1


PUBLISHING = [
    "benchmark --preset epoch numpy",
    "benchmark --preset full numpy",
    "benchmark --ranked numpy",
    "benchmark --records docs/records numpy",
    "certificate --records docs/records numpy",
    "lessons --kind size,accuracy",
    "transfer --records docs/records",
    "defaults --records docs/records/ numpy",
]


@pytest.mark.parametrize("command", PUBLISHING)
def test_no_published_record_is_of_a_checkout_that_differs_from_its_commit(command, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    for module, what in ((commands.runs, "jobs"), (commands.machine, "describe"), (commands.dataset, "locate")):
        monkeypatch.setattr(module, what, None)  # it is refused before anything is done
    monkeypatch.setattr(commands.vcs, "changed", lambda: ["examples/new/", "README.md"])
    assert cli.main(command.split()) == 2
    assert capsys.readouterr().out == (
        "error: Records under docs/records name the commit that ran, but this checkout has uncommitted changes "
        "(examples/new/ and 1 more). Commit them, or write the records elsewhere with --records DIR.\n"
    )


@pytest.mark.parametrize(
    "command", ["benchmark --preset epoch numpy --records {tmp}", "benchmark numpy", "certificate numpy"]
)
def test_other_records_are_written_from_any_checkout(command, tmp_path, monkeypatch):
    class Reached(Exception):
        pass

    def reached(*arguments):
        raise Reached

    monkeypatch.setattr(commands.vcs, "changed", lambda: ["README.md"])
    monkeypatch.setattr(commands.machine, "describe", reached)
    monkeypatch.setattr(commands.runs, "jobs", reached)
    with pytest.raises(Reached):
        cli.main(command.format(tmp=tmp_path).split())


@pytest.mark.parametrize("command", ["benchmark", "certificate", "mutation", "lessons", "transfer", "standalone"])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0
    assert "--workload" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("statuses", "ci", "code"),
    [
        (["ok", "ok"], "", 0),
        (["ok", "failed"], "", 1),
        (["ok", "timeout"], "", 1),
        (["ok", "unsupported"], "", 0),
        (["ok", "unsupported"], "true", 1),
        (["unsupported"], "", 1),
    ],
)
def test_exit_codes(statuses, ci, code, monkeypatch):
    monkeypatch.setenv("CI", ci)
    assert commands.exit_code(statuses) == code


DRIVER = """
    import signal
    import sys
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell has its background jobs ignore
    sys.path.insert(0, {root!r})
    from pathlib import Path
    from rosetta_host import __main__ as cli
    from rosetta_host.benchmark import paired_timing
    from rosetta_host.catalog import frameworks
    from rosetta_host.certificate import certify
    from rosetta_host.environments import environment
    from rosetta_host.lessons import declarations
    frameworks.EXAMPLES = Path({examples!r})
    declarations.PATH = frameworks.EXAMPLES / "lessons.toml"
    paired_timing.TURN = paired_timing.SETTLE = 0.0
    environment.ensure = lambda implementation, device="cpu": Path(sys.executable)
    certify.certified = lambda *arguments: True
    sys.exit(cli.main([*{command!r}.split(), *{ids!r}, "--workload", "gru", "--records", {records!r}]))
"""


def drive(folder, tmp_path, command="benchmark", ids=("alpha",), before=""):
    paths = {"root": str(ROOT), "examples": str(folder.parent), "records": str(tmp_path / "records")}
    code = DRIVER.format(command=command, ids=ids, **paths)
    command = [sys.executable, "-c", textwrap.dedent(code).replace("sys.exit(cli", f"{before}sys.exit(cli")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)


def written(tmp_path):
    return [json.loads(path.read_text()) for path in (tmp_path / "records").rglob("*.json")]


def declare_a_lesson(folder, harmless="false"):
    lesson = '[too-slow]\ntitle = "Slow"\nworkload = "gru"\nmutants = ["slower"]\ntimed = true\n'
    (folder.parent / "lessons.toml").write_text(lesson + '[told]\ntitle = "Told"\nworkload = "gru"\n')
    patch = f'harmless = {harmless}\nedits = [["time.sleep(0.001)", "time.sleep(0.002)"]]\n'
    (folder / "mutants.toml").write_text(f"[gru.slower]\n{patch}")


def test_lessons_are_measured_once_and_recorded(folder, tmp_path):
    declare_a_lesson(folder)
    process = drive(folder, tmp_path, "lessons")
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0, out
    assert "size: 1 of 1 to measure" in out
    assert "alpha gru slower: caught by" in out
    assert "alpha gru, by turns: as it is, slower" in out
    assert "2 of 2 measurements succeeded." in out
    size, time = sorted(written(tmp_path), key=lambda record: "pairs" in record)
    assert (size["lesson"], size["mutant"], size["status"]) == ("too-slow", "slower", "ok")
    assert len(time["pairs"]) >= 5
    process = drive(folder, tmp_path, "lessons")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert "size: 0 of 1 to measure" in out
    assert "0 of 0 measurements" in out
    assert len(written(tmp_path)) == 2


def test_a_harmless_mutant_that_is_caught_fails_and_the_others_go_on(folder, tmp_path):
    declare_a_lesson(folder, harmless="true")
    process = drive(folder, tmp_path, "lessons")
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 1, out
    assert "failed: It changes what is computed: FAILED scores before" in out
    assert "1 of 2 measurements succeeded. Failed: alpha gru slower (size)" in out
    assert len(written(tmp_path)) == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["told"], "There is nothing to measure for told by size, time."),
        (["too-slow", "--kind", "accuracy"], "There is nothing to measure for too-slow by accuracy."),
        (["--workload", "cnn"], "There is nothing to measure for the lessons by size, time."),
    ],
)
def test_a_lesson_without_a_measurement_says_so(folder, monkeypatch, capsys, arguments, sentence):
    declare_a_lesson(folder)
    monkeypatch.setattr(declarations, "PATH", folder.parent / "lessons.toml")
    assert cli.main(["lessons", *arguments]) == 2
    assert capsys.readouterr().out == f"error: {sentence}\n"


def test_a_sweep_shows_progress_and_writes_its_record(folder, tmp_path):
    process = drive(folder, tmp_path)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert "[1/1] alpha gru" in out
    assert "loss 0.5000" in out
    assert "reviews/s, accuracy" in out
    (record,) = written(tmp_path)
    assert record["status"] == "ok"


def test_a_quick_sweep_takes_the_machines_rate_once(folder, tmp_path):
    shutil.copytree(folder, folder.parent / "beta")
    out, _ = drive(folder, tmp_path, "benchmark beta").communicate(timeout=60)
    rates = [record["machine"]["matmul_rate"] for record in written(tmp_path)]
    assert len(rates) == 2, out
    assert rates[0] == rates[1]  # to the last bit, as no two measurements are


def add_frameworks(folder):
    """Five more: beta and epsilon have larger locks, gamma is shown first, delta and zeta are retired."""
    for name in ("beta", "gamma", "delta", "epsilon", "zeta"):
        shutil.copytree(folder, folder.parent / name)
    for name, key in (("gamma", "shown_first"), ("delta", "retired"), ("zeta", "retired")):
        declared = folder.parent / name / "framework.toml"
        declared.write_text(f"{key} = true\n{declared.read_text()}")
    for name, packages in (("beta", 2), ("epsilon", 3)):
        (folder.parent / name / "requirements.txt").write_text("numpy==2.3.5\n" + "package==1.0\n" * packages)


def test_a_first_look_takes_the_frameworks_that_install_quickly_and_names_the_others(folder, tmp_path):
    add_frameworks(folder)
    process = drive(folder, tmp_path, "benchmark --left left", ids=())
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert {record["framework"] for record in written(tmp_path)} == {"alpha", "beta", "gamma"}
    assert (tmp_path / "left").read_text() == "delta epsilon zeta"
    assert re.search(r"^3 of 6 frameworks are done. The others take about \d+ minutes.$", out, re.MULTILINE)


@pytest.mark.parametrize(("options", "ids"), [("", ("alpha", "zeta")), ("--preset epoch", ())])
def test_what_is_no_first_look_leaves_nothing(folder, tmp_path, options, ids):
    add_frameworks(folder)
    code = """
        import sys
        from rosetta_host.benchmark import runs
        runs.jobs = lambda implementations, *arguments: sys.exit(" ".join(each.id for each in implementations))
    """
    process = drive(folder, tmp_path, f"benchmark --left left {options}", ids, textwrap.dedent(code))
    _, err = process.communicate(timeout=60)
    assert err.strip() == " ".join(ids or ("alpha", "beta", "delta", "epsilon", "gamma", "zeta"))
    assert not (tmp_path / "left").exists()


def test_one_framework_lists_its_checks_and_several_list_their_verdicts(folder, tmp_path):
    shutil.copytree(folder, folder.parent / "beta")
    alone, _ = drive(folder, tmp_path, "certificate").communicate(timeout=180)
    assert "\nalpha gru: FAILED scores before" in alone
    assert "\n[1/1] alpha gru: failed: " in alone
    several, _ = drive(folder, tmp_path, "certificate beta").communicate(timeout=180)
    assert "\nalpha gru: " not in several
    assert re.search(r"^\[1/2\] \w+ gru: failed: \d+ of \d+ checks fail: .* · [\d:]{7} left$", several, re.MULTILINE)
    (last,) = re.findall(r"^\[2/2\] \w+ gru: failed: \d+ of \d+ checks fail: .*$", several, re.MULTILINE)
    assert not last.endswith("left")


EAGER = """

def train_eager(model, x, y):
    return train(model, x, y)
"""


def add_eager(folder):
    path = folder / "gru.py"
    path.write_text(path.read_text().replace("\n\ndef predict", f"{EAGER}\n\ndef predict", 1))


@pytest.mark.parametrize(("name", "variant"), [("train", None), ("train_eager", "train_eager")])
@pytest.mark.parametrize("command", ["certificate", "benchmark"])
def test_one_variant_alone_is_certified_and_run(folder, tmp_path, command, name, variant):
    add_eager(folder)
    out, _ = drive(folder, tmp_path, f"{command} --variant {name}").communicate(timeout=180)
    (record,) = written(tmp_path)
    assert (record["kind"], record.get("variant")) == (command, variant), out


def test_an_unknown_variant_is_refused_with_those_that_exist(folder, tmp_path):
    add_eager(folder)
    process = drive(folder, tmp_path, "certificate --variant train_compiled")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == (
        "error: There is no variant 'train_compiled' of these examples. Those that exist: train, train_eager.\n"
    )


def test_a_verdict_names_the_first_failed_checks_and_counts_the_others():
    codes = list(CheckCode)[:16]
    record = store.CertificateRecord(
        schema=store.SCHEMA,
        status="failed",
        framework="alpha",
        workload=WORKLOADS[0],
        created="now",
        machine=store.Machine("m", "m"),
        device="cpu",
        checks=[store.RecordedCheck(code, False, 1.0, 0.1) for code in codes],
    )
    first, *_ = names = [check.name for check in record.checks]
    expected = f"16 of 16 checks fail: {', '.join(names[:4])} and 12 more. First: FAILED {first} 1.0e+00 (limit 0.1)"
    assert certificates.reason(record) == expected


@pytest.mark.parametrize(
    ("float32", "float64", "start"),
    [
        (True, False, "Only the float64 pass fails"),
        (False, True, "Only the float32 pass fails"),
        (True, True, None),
        (False, False, None),
        (False, None, None),  # the framework has no float64 pass
    ],
)
def test_a_failure_in_one_precision_alone_has_a_hint(folder, tmp_path, monkeypatch, capsys, float32, float64, start):
    steps = [store.RecordedCheck(CheckCode.STEP_MEDIAN, float32, 1.0, 0.1)]
    if float64 is not None:
        steps.append(store.RecordedCheck(CheckCode.STEP_MEDIAN, float64, 1.0, 0.1, subject="float64"))

    def certify_all(cases, where, device, *arguments):
        (case,) = cases
        dropout = store.RecordedCheck(CheckCode.DROPOUT_OFF, False, 1.0, 0.1)  # which the float64 pass does not have
        yield case, certify.blank(store.CertificateRecord, case, where, device, checks=[*steps, dropout])

    monkeypatch.setattr(certificates.certify, "certify_all", certify_all)
    monkeypatch.setattr(certificates.precheck, "require_loaded", lambda *arguments: None)
    assert cli.main(["certificate", "alpha", "--records", str(tmp_path / "records")]) == 1
    hints = [line for line in capsys.readouterr().out.splitlines() if "Only the float" in line]
    assert [line.partition(": ")[2].partition(":")[0] for line in hints] == ([start] if start else [])
    assert all("examples/alpha/gru.py" in line for line in hints)


@pytest.mark.fault("interrupt", outcome="The run is `interrupted`; the exit code is 130, and no process goes on.")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["benchmark", "certificate", "lessons --kind size", "lessons --kind time"])
def test_what_is_interrupted_leaves_a_record_and_no_orphan(folder, tmp_path, command, number):
    declare_a_lesson(folder)
    path = folder / "gru.py"
    path.write_text(
        path.read_text().replace(
            "    return 0.5", f"    open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n    time.sleep(60)"
        )
    )
    process = drive(folder, tmp_path, command)
    wait_for(lambda: written_to(tmp_path / "pid"))
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err
    (record,) = written(tmp_path)
    assert record["status"] == "interrupted"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
