"""Environments that are damaged after they were made."""

import shutil
import subprocess
import sys

import pytest

from rosetta_host.catalog.frameworks import ROOT
from tests.faults.conftest import wait_for
from tests.rosetta_host.environments.test_environment import VERSION, environment, home, implementation  # noqa: F401
from tests.rosetta_host.environments.test_process import alive

PACKAGE = """
import pathlib, sys
[packages] = pathlib.Path(sys.prefix).glob("lib/python*/site-packages")
(packages / "framework").mkdir()
(packages / "framework" / "__init__.py").write_text("")
"""


def remove_package(folder):
    [package] = folder.glob("lib/python*/site-packages/framework")
    shutil.rmtree(package)


DAMAGE = {
    "its Python": lambda folder: (folder / "bin" / "python").unlink(),
    "a package": remove_package,
    "all packages": lambda folder: shutil.rmtree(folder / "lib"),
    "the whole folder": shutil.rmtree,
}


@pytest.mark.fault("environment", outcome="It is made again from its lock.")
@pytest.mark.parametrize("what", DAMAGE)
def test_an_environment_that_lacks_something_is_made_again(home, tmp_path, what):  # noqa: F811
    alpha = implementation(tmp_path, 'setup="setup_it.py"', files={"setup_it.py": PACKAGE})
    python = environment.ensure(alpha)
    DAMAGE[what](python.parents[1])
    assert not environment.complete(alpha)
    assert environment.ensure(alpha) == python
    assert environment.complete(alpha)
    assert [*python.parents[1].glob("lib/python*/site-packages/framework/__init__.py")]


INSTALLING = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
import uv
uv.find_uv_bin = lambda: {installer!r}
from rosetta_host.environments import environment
environment.plain("alpha", {version!r}, Path({lock!r}))
"""


@pytest.mark.fault("kill-runner", outcome="Its installer ends as well, so that no environment is written to by two.")
def test_an_installer_ends_with_the_host(tmp_path, monkeypatch):
    monkeypatch.setenv("ROSETTA_HOME", str(tmp_path / "home"))
    lock, installer, number = (tmp_path / name for name in ("requirements.txt", "uv", "number"))
    lock.touch()
    installer.write_text(f"#!/bin/sh\necho $$ > {number}.part; mv {number}.part {number}; exec sleep 300\n")
    installer.chmod(0o755)
    code = INSTALLING.format(root=str(ROOT), installer=str(installer), version=VERSION, lock=str(lock))
    host = subprocess.Popen([sys.executable, "-c", code])
    wait_for(number.exists)
    assert alive(int(number.read_text()))
    host.kill()
    host.wait()
    wait_for(lambda: not alive(int(number.read_text())))


@pytest.mark.fault("environment", outcome="What cannot be seen before ends the run, which is `failed` with the error.")
def test_a_module_that_cannot_be_imported_is_the_reason(benchmark):
    record = benchmark("import time\n", "import time\nimport module_that_is_gone\n")
    assert record.status == "failed"
    assert record.reason.startswith("ModuleNotFoundError: No module named 'module_that_is_gone' (gru.py, line ")


@pytest.mark.fault("disk", outcome="An environment that finds no room is not made; its runs are `unsupported`.")
def test_an_environment_that_finds_no_room_leaves_nothing(home, tmp_path, monkeypatch):  # noqa: F811
    def full(*_):
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr(environment, "_set_up", full)
    with pytest.raises(
        environment.Unsupported, match=r"environment alpha-\w+ could not be made: No space left on device\."
    ):
        environment.ensure(implementation(tmp_path))
    assert not [*(home / "environments").glob("alpha*")]
