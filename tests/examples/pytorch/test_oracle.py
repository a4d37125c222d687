"""The oracle agrees with PyTorch in float64, in PyTorch's own locked environment."""

import os
import subprocess

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import ROOT
from rosetta_host.environments import environment

SCRIPT = ROOT / "tests" / "rosetta_host" / "certificate" / "oracle_against_pytorch.py"


def test_oracle_and_pytorch_agree_to_1e_12():
    implementation = frameworks.implementations()["pytorch"]
    environ = environment.variables(implementation, "cnn", 1, "cpu")
    done = subprocess.run(
        [environment.ensure(implementation), SCRIPT, "--limit", "1e-12"],
        capture_output=True,
        text=True,
        env=environ,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) > 40, os.linesep.join(done.stdout.splitlines()[-5:])
