"""The doors `docs` and `benchmark`, on a project of one page."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOX = [os.environ.get("ROSETTA_NOX_PYTHON", sys.executable), "-m", "nox", "-s"]


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (ROOT / ".nox").mkdir(exist_ok=True)
        (folder / ".nox").symlink_to(ROOT / ".nox")  # also for the session that another one starts
        shutil.copy(ROOT / "noxfile.py", folder)
        shutil.copytree(ROOT / "requirements", folder / "requirements")
        (folder / "docs").mkdir()
        (folder / "docs" / "conf.py").write_text('extensions = ["myst_parser"]\nhtml_theme = "basic"\n', "utf-8")
        self.page("index", "Nothing here.\n\n```{toctree}\nother\n```")
        self.page("other", "Nor here.")

    def page(self, name: str, text: str) -> None:
        (self.folder / "docs" / f"{name}.md").write_text(f"# {name}\n\n{text}\n", "utf-8")

    def docs(self, *options: str) -> tuple[bool, str]:
        """`nox -s docs -- options`: whether it succeeded, and what it said."""
        code, output = self.nox("docs", "--no-color", *options)
        return code == 0, output

    def nox(self, session: str, *options: str) -> tuple[int, str]:
        """`nox -s session -- options`: its exit code, and what it said."""
        command = [*NOX, session, "--", *options]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("project"))


def test_every_build_starts_from_scratch(project):
    ok, output = project.docs()
    assert ok, output
    gone = project.folder / "docs" / "_build" / "html" / "gone.html"
    gone.touch()
    _, output = project.docs()
    assert "2 added, 0 changed, 0 removed" in output
    assert not gone.exists()
    assert gone.with_name("index.html").exists()
    assert 0 < float((gone.parents[1] / "seconds").read_text()) < 600


def test_a_warning_is_an_error(project):
    project.page("other", "[A link](nowhere.md)")
    ok, output = project.docs()
    assert not ok
    assert "nowhere.md" in output
    project.page("other", "Nor here.")
    ok, output = project.docs()
    assert ok, output


def host(project, code):
    """Put a program in place of the host."""
    (project.folder / "requirements" / "host.txt").write_text("")
    (project.folder / "rosetta_host").mkdir()
    (project.folder / "rosetta_host" / "__main__.py").write_text(code)


@pytest.mark.parametrize(("code", "built"), [(0, True), (1, True), (2, False), (130, False)])
def test_a_benchmark_builds_the_site_whichever_implementation_failed(tmp_path, code, built):
    """2 is a user's mistake and 130 an interruption: there is nothing new to show."""
    project = Project(tmp_path)
    host(project, f"raise SystemExit({code})\n")
    status, output = project.nox("benchmark")
    assert status == (1 if code else 0), output
    assert (tmp_path / "docs" / "_build" / "html" / "index.html").exists() == built, output


FIRST_LOOK = """
import pathlib
import sys

calls = pathlib.Path("calls")
site = pathlib.Path("docs/_build/html/index.html").exists()
with calls.open("a") as file:
    print(*[argument for argument in sys.argv[1:] if "/" not in argument], "site" if site else "no site", file=file)
if "--left" in sys.argv:
    pathlib.Path(sys.argv[sys.argv.index("--left") + 1]).write_text("beta gamma")
    raise SystemExit({first})
raise SystemExit({rest})
"""


@pytest.mark.parametrize(("first", "rest"), [(0, 0), (1, 0), (0, 130)])
def test_the_site_is_built_before_the_frameworks_that_are_left(tmp_path, first, rest):
    project = Project(tmp_path)
    host(project, FIRST_LOOK.format(first=first, rest=rest))
    status, output = project.nox("benchmark", "--preset", "quick")
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == ["benchmark --left --preset quick no site", "benchmark beta gamma --preset quick site"], output
    assert status == (1 if first or rest else 0), output
    page = tmp_path / "docs" / "_build" / "html" / "index.html"
    assert page.exists()
    assert output.count(f"Open {page.as_uri()}") == (1 if rest else 2)
