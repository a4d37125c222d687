"""The facts that a run's own process knows."""

import os
import subprocess
import sys

import numpy as np

from rosetta_common import record

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def test_of_two_installed_versions_the_one_that_is_imported_is_told(tmp_path, monkeypatch):
    for folder, name in (("first", "Some_Thing-2.0"), ("second", "some_thing-1.0"), ("second", "other-3.1")):
        (tmp_path / folder / (name + ".dist-info")).mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "second"), str(tmp_path / "none")])
    assert record.packages() == {"some-thing": "2.0", "other": "3.1"}


def test_what_a_linux_distribution_installed_is_told_too(tmp_path, monkeypatch):
    for name in ("PyJWT-2.6.0-py3.11.egg-info", "blinker-1.5.egg-info", "mine.egg-info"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert record.packages() == {"pyjwt": "2.6.0", "blinker": "1.5"}


def test_the_peak_of_a_child_is_not_that_of_its_parent():
    """ru_maxrss is: Linux hands it on through fork and exec."""
    held = np.ones(300 * 2**20, np.uint8)
    code = "from rosetta_common import record; print(record.peak_resident())"
    child = int(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT))
    assert 2**20 < child < 100 * 2**20
    assert record.peak_resident() > held.nbytes


def test_the_peak_stays_after_the_memory_is_given_back():
    code = "from rosetta_common import record; held = bytearray(200 * 2 ** 20); del held; print(record.peak_resident())"
    assert int(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT)) > 200 * 2**20
