"""A Python that the user hands over: it runs every implementation, and records and digests say so."""

import json
import os
import sys
from pathlib import Path

import pytest

from rosetta_host import __main__ as cli
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Case, UserError
from rosetta_host.certificate import certify
from rosetta_host.environments import environment, external_python
from rosetta_host.environments.digests import digests
from rosetta_host.records import machine
from rosetta_host.records.store import CertificateRecord

ENSURE = environment.ensure


@pytest.fixture(autouse=True)
def _in_the_end_none_is_handed_over(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "ensure", ENSURE)  # not the stand-in of the folder's other tests
    monkeypatch.setattr(environment, "HOME", tmp_path / "home")
    yield
    external_python.use(None)


def with_packages(folder, *names):
    """An interpreter that sees these distributions beside its own."""
    for name in names:
        (folder / f"{name}.dist-info").mkdir(parents=True)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{folder}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return python


def test_it_runs_every_implementation_and_its_folder_holds_what_is_kept():
    implementation = frameworks.implementations()["alpha"]
    external_python.use(Path(sys.executable))
    assert environment.ensure(implementation, "gpu") == Path(sys.executable)
    assert environment.folder_of(implementation, "gpu").is_dir()
    assert not (environment.folder_of(implementation, "gpu") / "bin").exists()


def test_a_framework_that_it_lacks_is_unsupported(folder):
    toml = folder / "framework.toml"
    toml.write_text(toml.read_text().replace('package = "numpy"', 'package = ["Thing", "thing-gpu"]'))
    external_python.use(Path(sys.executable))
    with pytest.raises(environment.Unsupported, match=r"Alpha is not in .*, which lists no package thing or thing-gpu"):
        environment.ensure(frameworks.implementations()["alpha"], "gpu")


def test_its_build_for_the_cpu_alone_is_unsupported_on_a_gpu(folder, monkeypatch):
    monkeypatch.setattr(external_python, "_facts", lambda python: {"python": "3.13", "packages": {"numpy": "2.1+cpu"}})
    external_python.use(Path(sys.executable))
    implementation = frameworks.implementations()["alpha"]
    with pytest.raises(environment.Unsupported, match=r"^numpy 2\.1\+cpu in .* is built for the CPU alone\. Install"):
        environment.ensure(implementation, "gpu")
    assert environment.ensure(implementation, "cpu") == Path(sys.executable)


def test_no_packages_of_the_users_own_count_for_examples_see_none(tmp_path, monkeypatch):
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\n[ "$PYTHONNOUSERSITE" ] || exit 5\nexec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.delenv("PYTHONNOUSERSITE", raising=False)
    external_python.use(script)
    assert external_python.versions()["numpy"]


def test_what_is_in_it_takes_the_place_of_the_lock_and_nothing_else(tmp_path):
    implementation = frameworks.implementations()["alpha"]
    locked = digests(implementation, "gru")
    found = []
    for number, packages in enumerate((["thing-1.0"], ["thing-1.0"], ["thing-1.1"])):
        external_python.use(with_packages(tmp_path / str(number), *packages))
        found.append(digests(implementation, "gru"))
    assert found[0] == found[1]
    assert {key for key in locked if found[0][key] != locked[key]} == {"lock"}
    assert {key for key in locked if found[0][key] != found[2][key]} == {"lock"}
    external_python.use(None)
    assert digests(implementation, "gru") == locked


def test_a_record_says_so():
    case, here = Case(frameworks.implementations()["alpha"], "gru"), machine.describe("here")
    assert certify.blank(CertificateRecord, case, here, "cpu", checks=[]).environment is None
    external_python.use(Path(sys.executable))
    assert certify.blank(CertificateRecord, case, here, "cpu", checks=[]).environment == "as found"


def test_a_benchmark_runs_in_it_and_names_its_packages(tmp_path):
    python, records = with_packages(tmp_path / "found", "numpy-99.0"), tmp_path / "records"
    asked = ["benchmark", "alpha", "--workload", "gru", "--python", str(python), "--records", str(records)]
    cli.main([*asked, "--device", "cpu"])
    (path,) = records.glob("benchmark/*/*.json")
    record = json.loads(path.read_text())
    assert (record["environment"], record["version"], record["packages"]["numpy"]) == ("as found", "99.0", "99.0")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (None, "No such file or directory"),
        ("exit 3", "it ended with 3"),
        ("exit 0", "it does not answer as Python does"),
        ("echo It is broken. >&2; exit 1", "It is broken"),
    ],
)
def test_what_is_no_interpreter_is_one_sentence(tmp_path, script, why, capsys):
    python = tmp_path / "python"
    if script:
        python.write_text(f"#!/bin/sh\n{script}\n")
        os.chmod(python, 0o755)
    with pytest.raises(UserError, match=why):
        external_python.use(python)
    assert cli.main(["certificate", "--python", str(python), "alpha"]) == 2
    out = capsys.readouterr().out
    assert out.startswith(f"error: --python {python} is no interpreter that can run an example: ")
    assert out.count("\n") == 1
