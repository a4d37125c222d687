"""The commands that make an implementation's environment by hand, out of framework.toml and the lists."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Implementation
from rosetta_host.publishing import instructions

TOML = """
name = "Alpha"
package = "alpha"
since = "2020"
home_page = "h"
[environment]
python = "3.11"
"""
GPU = 'requirements_gpu = "requirements-gpu.txt"\n'
LOCK = "alpha==1.2 \\\n    --hash=sha256:aa\nbeta==3\n"


def implementations(tmp_path: Path, toml: str = "", files: dict[str, str] | None = None) -> list[Implementation]:
    """The implementations of examples/alpha with these files."""
    folder = tmp_path / "examples" / "alpha"
    folder.mkdir(parents=True)
    known = {"framework.toml": TOML + toml, "requirements.txt": LOCK, "cnn.py": "", "mutants.toml": ""}
    for name, text in {**known, **(files or {})}.items():
        (folder / name).write_text(text, "utf-8")
    return list(frameworks.implementations(tmp_path / "examples").values())


def test_a_script_alone_names_its_pins_and_the_archive_uses_the_lock(tmp_path: Path) -> None:
    listed = "# What it needs.\nalpha[fast]==1.2  # the last\n\nbeta==3\n"
    (implementation,) = implementations(tmp_path, "", {"requirements.in": listed})
    assert instructions.install(implementation, [implementation]) == "uv pip install 'alpha[fast]==1.2' beta==3"
    assert instructions.install(implementation, [implementation], unpacked=True) == "uv pip sync requirements.txt"


@pytest.mark.parametrize("listed", ["", "-r other.in\nalpha==1\n"])
def test_a_list_that_no_command_line_can_hold_leaves_the_lock(tmp_path: Path, listed: str) -> None:
    (implementation,) = implementations(tmp_path, "", {"requirements.in": listed})
    assert instructions.install(implementation, [implementation]) == "uv pip sync requirements.txt"
    assert "# requirements.txt is in alpha.zip.\nuv pip sync" in instructions.commands(
        implementation, [implementation], "cnn"
    )


def test_a_framework_in_anothers_environment_is_named_with_its_locked_version(tmp_path: Path) -> None:
    gpu = {"requirements-gpu.in": "# For a GPU.\nbeta-cuda==3\n", "requirements-gpu.txt": "beta-cuda==3\n"}
    files = {"requirements.in": "beta==3\n", **gpu}
    (owner,) = implementations(tmp_path, GPU, files)
    folder = tmp_path / "examples" / "guest"
    folder.mkdir()
    (folder / "framework.toml").write_text(TOML.partition("[environment]")[0] + 'environment = "alpha"\n', "utf-8")
    implementation = frameworks.implementations(tmp_path / "examples")["guest"]
    assert instructions.install(implementation, [implementation]) == "uv pip install beta==3 alpha==1.2"
    assert instructions.install(implementation, [implementation], "gpu") == "uv pip install beta-cuda==3 alpha==1.2"
    unpacked = instructions.install(implementation, [implementation], "gpu", unpacked=True)
    assert unpacked == "uv pip sync requirements-gpu.txt"
    # The pins for a GPU may name another build of what its own folder is about.
    assert instructions.install(owner, [owner], "gpu") == "uv pip install beta-cuda==3"


def test_the_installers_variables_stand_before_it_and_choose_the_cpus_builds_on_a_cpu_only(tmp_path: Path) -> None:
    toml = """
[environment.install]
BACKEND = { value = "cpu only", reason = "smaller" }
CONSTRAINT = { value = "limits.txt", reason = "it builds with old tools" }
"""
    files = {f"requirements{end}": "alpha==1\n" for end in (".in", "-gpu.in", "-gpu.txt")}
    (implementation,) = implementations(tmp_path, GPU + toml, {"limits.txt": "", **files})
    assert (
        instructions.install(implementation, [implementation])
        == "BACKEND='cpu only' CONSTRAINT=limits.txt uv pip install alpha==1"
    )
    assert (
        instructions.install(implementation, [implementation], "gpu") == "CONSTRAINT=limits.txt uv pip install alpha==1"
    )
    assert "# limits.txt is in alpha.zip." in instructions.commands(implementation, [implementation], "cnn")
    assert "alpha.zip" not in instructions.unpacked_commands(implementation, [implementation])
    names = [path.name for path in instructions.files(implementation)]
    assert names == ["limits.txt", "requirements-gpu.txt", "requirements.txt"]


def test_a_folder_without_a_lock_for_a_gpu_has_no_command_for_one(tmp_path: Path) -> None:
    (implementation,) = implementations(tmp_path)
    assert instructions.install(implementation, [implementation], "gpu") is None
    assert "GPU" not in instructions.commands(implementation, [implementation], "cnn")


def test_the_pins_for_a_gpu_come_as_a_comment_with_what_they_say_of_themselves(tmp_path: Path) -> None:
    gpu = "# For a GPU\n# of 2019.\nalpha==1.2+gpu\nbeta==3  # the last\n"
    (implementation,) = implementations(
        tmp_path, GPU, {"requirements-gpu.in": gpu, "requirements-gpu.txt": "alpha==1.2+gpu\ngamma==5\n"}
    )
    text = instructions.commands(implementation, [implementation], "cnn")
    assert "# Instead, for a GPU of 2019.\n# uv pip install alpha==1.2+gpu beta==3" in text


def test_a_set_up_step_and_its_files_come_along(tmp_path: Path) -> None:
    (implementation,) = implementations(tmp_path, 'setup = "setup_it.py"\n', {"setup_it.py": "", "stub.c": "int x;"})
    assert [path.name for path in instructions.files(implementation)] == ["requirements.txt", "setup_it.py", "stub.c"]
    alone = instructions.commands(implementation, [implementation], "cnn").splitlines()
    assert alone[-3:] == ["# setup_it.py is in alpha.zip.", "python setup_it.py", "python cnn.py"]


def test_implementations_with_environments_of_their_own_have_a_folder_each(tmp_path: Path) -> None:
    toml = "".join(
        f'[backend.{name}]\nname = "{name}"\nenvironment = {{ setup = "setup_it.py", requirements = "{name}.txt" }}\n'
        for name in ("one", "two")
    )
    found = implementations(tmp_path, toml, {"one.txt": LOCK, "two.txt": LOCK, "setup_it.py": ""})
    assert [instructions.archive_folder(implementation, found) for implementation in found] == [
        "alpha-one/",
        "alpha-two/",
    ]
    text = instructions.unpacked_commands(found[1], found)
    assert "uv pip sync alpha-two/two.txt\npython alpha-two/setup_it.py\n" in text
    assert instructions.archive_folder(found[0], found[:1]) == ""


def test_variables_come_with_their_reasons_and_the_shell_fills_them_in(tmp_path: Path) -> None:
    toml = """[environment.variables]
CACHE = { value = 'a "b" $c {environment}/x', reason = "it is kept there" }
POOL = { value = "{threads}", reason = "it heeds nothing else" }
PLAIN = { value = "a b$c", reason = "it is so" }
QUICK = { value = "1", reason = "it is faster", tuning = true }
COLD = { value = "{cache}/x", reason = "a timed run finds nothing there" }
[cnn.variables]
PLAIN = { value = "d", reason = "the network's own" }
FAST = { value = "1", reason = "it is faster", device = "gpu" }
[gru]
threads = 1
threads_reason = "it is small"
"""
    (implementation,) = implementations(tmp_path, toml, {"gru.py": ""})
    gru = {one.command: one.reason for one in instructions.variables(implementation, "gru")}
    cnn = {one.command: one.reason for one in instructions.variables(implementation, "cnn")}
    assert (gru["OMP_NUM_THREADS=1"], gru["POOL=1"]) == ("it is small", "it heeds nothing else")
    assert cnn["PLAIN=d"] == "the network's own"
    assert cnn["FAST=1"] == "it is faster; set it on a GPU alone"
    assert 'POOL="$(nproc)"' in cnn
    assert not any(command.startswith(("QUICK", "COLD")) for command in [*gru, *cnn])
    shell = "\n".join([*(f"export {command}" for command in gru), 'echo "$CACHE|$PLAIN"'])
    output = subprocess.run(["sh", "-c", shell], env={"VIRTUAL_ENV": "/v"}, capture_output=True, text=True, check=True)
    assert output.stdout == 'a "b" $c /v/x|a b$c\n'
    assert "# It is kept there.\nexport CACHE=" in instructions.commands(implementation, [implementation], "cnn")
    lines = instructions.unpacked_commands(implementation, [implementation]).splitlines()
    assert [line.partition("=")[0] for line in lines if line.startswith("export")] == ["export CACHE"]
    assert "PLAIN=d FAST=1 python cnn.py" in lines[-5]
    assert lines[-1] == "OMP_NUM_THREADS=1 POOL=1 PLAIN='a b$c' python gru.py"


@pytest.mark.parametrize(
    "implementation", frameworks.implementations().values(), ids=lambda implementation: implementation.id
)
def test_the_shell_understands_the_commands_of_every_implementation(implementation: Implementation) -> None:
    mates = [one for one in frameworks.implementations().values() if one.folder == implementation.folder]
    alone = [instructions.commands(implementation, mates, workload) for workload in implementation.workloads]
    for text in [*alone, instructions.unpacked_commands(implementation, mates)]:
        subprocess.run(["sh", "-n"], input=text, text=True, check=True)
        (install,) = [one for one in text.replace("\\\n", "").splitlines() if "uv pip" in one and one[0] != "#"]
        words = shlex.split(install)
        named = [word for word in words[words.index("pip") + 2 :] if word.endswith(".txt")]
        assert bool(named) != (text in alone)
        assert all((implementation.environment_folder / Path(name).name).is_file() for name in named)
