"""The example of a changed learning rate says what the lesson says that it says."""

import subprocess
import sys

from rosetta_host.catalog.frameworks import ROOT

LESSONS = ROOT / "docs" / "lessons"


def test_the_lesson_shows_what_the_script_prints():
    script = LESSONS / "changed_rate.py"
    printed = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True).stdout
    assert f"$ python docs/lessons/{script.name}\n{printed}```" in (LESSONS / "kinds-of-momentum.md").read_text("utf-8")
    assert printed == "rate outside: -0.119, rate inside: -0.200\n"
