"""A new framework and a new workload, each a folder dropped into a copy of the project, are certified and shown.

The session `new_framework` runs this through the project's own doors; nothing is patched.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COPIED = [
    "docs",
    "examples",
    "noxfile.py",
    "pyproject.toml",
    "requirements",
    "rosetta_common",
    "rosetta_host",
    "tests",  # which the page of faults lists
    "workloads",
]
LEFT = shutil.ignore_patterns("_build", "_local", "translate", "__pycache__", "_staged")


def add_workload(copy):
    """The toy workload's package, with its sample, and the toy framework's example of it."""
    toy = ROOT / "tests" / "toy_workload"
    shutil.copytree(toy / "logistic", copy / "workloads" / "logistic")
    shutil.copy(toy / "example.py", copy / "examples" / "toy" / "logistic.py")
    command = [sys.executable, toy / "make_sample.py", copy / "workloads" / "logistic" / "sample"]
    subprocess.run(command, check=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with a toy framework and a toy workload in it, after `nox -s benchmark -- toy`."""
    copy = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source = ROOT / name
        shutil.copytree(source, copy / name, ignore=LEFT) if source.is_dir() else shutil.copy(source, copy)
    shutil.copytree(ROOT / "tests" / "toy", copy / "examples" / "toy")
    add_workload(copy)
    nox = [os.environ.get("ROSETTA_NOX_PYTHON", sys.executable), "-m", "nox", "-s", "benchmark", "--", "toy"]
    done = subprocess.run(nox, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return copy, done.stdout


def test_it_is_certified_and_benchmarked(project):
    _, output = project
    assert "toy gru: certified" in output
    assert re.search(r"toy gru: [\d.]+ s of training, \d+ reviews/s, accuracy [\d.]+ %", output)


def test_a_workload_is_certified_benchmarked_and_shown(project):
    copy, output = project
    assert "toy logistic: certified" in output
    assert re.search(r"toy logistic: [\d.]+ s of training, \d+ points/s, accuracy [\d.]+ %", output)
    pages = copy / "docs" / "_build" / "html"
    for name in ("index", "certificates"):
        assert "Logistic regression on points" in (pages / "results" / f"{name}.html").read_text("utf-8")
    page = (pages / "translate" / "logistic.html").read_text("utf-8")
    assert re.search(r"ran: Toy, version [\d.]+<.*?certified ✓", page)
    for name in ("index", "404"):
        assert "the logistic regression</a>" in (pages / f"{name}.html").read_text("utf-8")
    assert "Translate the logistic regression</button>" in (pages / "index.html").read_text("utf-8")


def test_it_is_on_every_page_that_shows_frameworks(project):
    copy, _ = project
    pages = copy / "docs" / "_build" / "html"
    concepts = [path for path in (pages / "concepts").glob("*.html") if path.name != "index.html"]
    assert concepts
    for path in concepts:
        html = path.read_text("utf-8")
        assert re.search(r'data-framework="toy"[^>]* role="tab"[^>]*>Toy</button>', html), path.name
        assert re.search(r"ran: Toy, version [\d.]+<.*?certified ✓", html), path.name
    for name in ("index", "certificates"):
        assert "Toy" in (pages / "results" / f"{name}.html").read_text("utf-8")
