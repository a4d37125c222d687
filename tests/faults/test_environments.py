"""Environments that are damaged after they were made."""

import shutil

import pytest

from tests.rosetta_host.environments.test_environment import environment, home, row  # noqa: F401

PACKAGE = """
import pathlib, sys
[packages] = pathlib.Path(sys.prefix).glob("lib/python*/site-packages")
(packages / "framework").mkdir()
(packages / "framework" / "__init__.py").write_text("")
"""


def remove_package(folder):
    [package] = folder.glob("lib/python*/site-packages/framework")
    shutil.rmtree(package)


DAMAGE = {
    "its Python": lambda folder: (folder / "bin" / "python").unlink(),
    "a package": remove_package,
    "all packages": lambda folder: shutil.rmtree(folder / "lib"),
    "the whole folder": shutil.rmtree,
}


@pytest.mark.fault("environment", outcome="It is made again from its lock.")
@pytest.mark.parametrize("what", DAMAGE)
def test_an_environment_that_lacks_something_is_made_again(home, tmp_path, what):  # noqa: F811
    alpha = row(tmp_path, 'setup="setup_it.py"', files={"setup_it.py": PACKAGE})
    python = environment.ensure(alpha)
    DAMAGE[what](python.parents[1])
    assert not environment.complete(alpha)
    assert environment.ensure(alpha) == python
    assert environment.complete(alpha)
    assert [*python.parents[1].glob("lib/python*/site-packages/framework/__init__.py")]


@pytest.mark.fault("environment", outcome="What cannot be seen before ends the run, which is `failed` with the error.")
def test_a_module_that_cannot_be_imported_is_the_reason(benchmark):
    record = benchmark("import time\n", "import time\nimport module_that_is_gone\n")
    assert record.status == "failed"
    assert record.reason.startswith("ModuleNotFoundError: No module named 'module_that_is_gone' (gru.py, line ")


@pytest.mark.fault("disk", outcome="An environment that finds no room is not made; its runs are `unsupported`.")
def test_an_environment_that_finds_no_room_leaves_nothing(home, tmp_path, monkeypatch):  # noqa: F811
    def full(*_):
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr(environment, "_set_up", full)
    with pytest.raises(
        environment.Unsupported, match=r"environment alpha-\w+ could not be made: No space left on device\."
    ):
        environment.ensure(row(tmp_path))
    assert not [*(home / "environments").glob("alpha*")]
