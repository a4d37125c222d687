"""The real site builds without a warning, in the time that is its goal."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.goals import FAR, beside_goal

pytestmark = pytest.mark.timed

ROOT = Path(__file__).resolve().parents[2]
GOAL = 90.0  # seconds


def test_the_site_from_scratch(tmp_path, capsys) -> None:
    options = ["-E", "-W", "--keep-going", "--no-color", "-j", "auto", "-d", tmp_path / "trees"]
    start = time.perf_counter()
    command = [sys.executable, "-m", "sphinx", *options, ROOT / "docs", tmp_path / "html"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    with capsys.disabled():
        print("\n" + beside_goal("the site from scratch", seconds, GOAL, "s"))
    assert seconds <= FAR * GOAL
