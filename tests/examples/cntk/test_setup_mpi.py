"""CNTK's set-up step on a machine without a compiler, or with one that fails."""

import subprocess
import sys

import pytest

from rosetta_host.catalog.frameworks import EXAMPLES

SCRIPT = EXAMPLES / "cntk" / "setup_mpi.py"


@pytest.fixture
def packages(tmp_path):
    """A folder that looks like an installed CNTK."""
    (tmp_path / "cntk" / "libs").mkdir(parents=True)
    (tmp_path / "cntk" / "__init__.py").touch()
    return tmp_path


def run(packages, **variables):
    environ = {"PATH": "", "PYTHONPATH": str(packages), **variables}
    return subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, env=environ, check=False)


def test_no_compiler_is_one_sentence_and_leaves_nothing(packages):
    done = run(packages)
    assert done.returncode != 0
    assert done.stderr.startswith("CNTK needs a C compiler")
    assert "install gcc" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list((packages / "cntk" / "libs").iterdir()) == []


def test_a_compiler_that_fails_is_one_sentence(packages):
    done = run(packages, CC="/bin/false")
    assert done.returncode != 0
    assert "could not be compiled" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((packages / "cntk" / "libs").iterdir()) == []


def test_cntk_that_is_not_installed_is_one_sentence(tmp_path):
    done = run(tmp_path)
    assert done.returncode != 0
    assert done.stderr.startswith("CNTK is not installed")
