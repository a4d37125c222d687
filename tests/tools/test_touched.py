"""Which certificates a change needs: never fewer than it touches."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from rosetta_host.catalog import frameworks
from tools import touched
from tools.touched import ROOT, Implementation

ALONE = Implementation("alone", "alone", "alone", "3.13")
OWNER = Implementation("owner", "owner", "owner", "3.6")
GUEST = Implementation("guest-owner", "guest", "owner", "3.6")
KNOWN = [ALONE, GUEST, OWNER]


def test_every_implementation_is_as_the_catalogue_reads_it():
    implementations = frameworks.implementations().values()
    expected = [
        (
            implementation.id,
            implementation.folder.name,
            implementation.environment_folder.name,
            implementation.environment.python,
        )
        for implementation in implementations
    ]
    assert sorted(touched.implementations(ROOT / "examples")) == sorted(expected)


def test_a_backend_lays_its_environment_over_the_folders(tmp_path):
    (tmp_path / "yours").mkdir()
    text = '[environment]\npython = "3.9"\nsetup = "setup.py"\n[backend.a.environment]\npython = "3.12"\n[backend.b]\n'
    (tmp_path / "yours" / "framework.toml").write_text(text, "utf-8")
    assert touched.implementations(tmp_path) == [
        ("yours-a", "yours", "yours", "3.12"),
        ("yours-b", "yours", "yours", "3.9"),
    ]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([], []),
        (["docs/index.md", "tests/test_noxfile.py", "tools/prose.py", ".github/workflows/tests.yml", "README.md"], []),
        (["LICENSE", "workloads/cnn/sample/README.md"], []),
        (["examples/alone/cnn.py"], [ALONE]),
        (["examples/alone/cnn.py", "docs/index.md"], [ALONE]),
        (["examples/guest/mutants.toml"], [GUEST]),
        (["examples/owner/requirements.txt"], [GUEST, OWNER]),
        (["examples/gone/cnn.py"], []),
        (["examples/alone/cnn.py", "rosetta_common/data.py"], KNOWN),
        (["noxfile.py"], KNOWN),
        (["requirements/host.txt"], KNOWN),
        (["examples/a_file_of_no_folder.py"], KNOWN),
        (["a/folder/that/nobody/knows.py"], KNOWN),
        (None, KNOWN),
    ],
)
def test_what_a_change_touches(paths, expected):
    assert touched.touched(paths, KNOWN) == expected


@pytest.mark.parametrize("base", [None, "", "0" * 40])
def test_without_a_base_that_is_here_all_are_touched(base):
    assert touched.changed(base) is None


def test_the_program_prints_one_line_of_json():
    done = subprocess.run([sys.executable, "-m", "tools.touched"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {one["id"] for one in json.loads(done.stdout)} == set(frameworks.implementations())
    assert len(done.stdout.splitlines()) == 1
