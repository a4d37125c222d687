"""One new folder, dropped into a copy of the project, is certified, benchmarked and on every page.

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
COPIED = ["docs", "examples", "noxfile.py", "pyproject.toml", "requirements", "rosetta_common", "rosetta_host"]
LEFT = shutil.ignore_patterns("_build", "_local", "__pycache__", "_staged")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with the toy's folder in it, after `nox -s benchmark -- toy`."""
    copy = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source = ROOT / name
        shutil.copytree(source, copy / name, ignore=LEFT) if source.is_dir() else shutil.copy(source, copy)
    shutil.copytree(ROOT / "tests" / "toy", copy / "examples" / "toy")
    nox = [os.environ.get("ROSETTA_NOX_PYTHON", sys.executable), "-m", "nox", "-s", "benchmark", "--", "toy"]
    done = subprocess.run(nox, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return copy, done.stdout


def test_it_is_certified_and_benchmarked(project):
    _, output = project
    assert "toy gru: certified" in output
    assert re.search(r"toy gru: [\d.]+ s of training, \d+ samples/s, accuracy [\d.]+ %", output)


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
