"""The facts that a run's own process knows."""

import sys

from rosetta_common import record


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
