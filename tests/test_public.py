"""What CONTRIBUTING.md, the README and the workflows ask a reader to run exists: commands, options, files, versions."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from rosetta_host import __main__ as host
from rosetta_host.catalog import frameworks

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / ".ci" / "run", *ROOT.glob(".github/**/*.*")])
COMMAND = re.compile(r"nox -s ([\w(]+\)?)((?: [^`\n#]+)?)")
PATH = re.compile(
    r"`((?:docs|examples|requirements|rosetta_common|rosetta_host|workloads|tests|tools|\.github)/[\w./-]*)`"
)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands(path: Path) -> list[tuple[str, str]]:
    """The sessions that a file tells its reader to run, with what stands behind their name."""
    return COMMAND.findall(path.read_text("utf-8").replace('"', ""))


def sessions() -> set[str]:
    """The functions of the noxfile that are sessions."""
    functions = [
        node for node in ast.parse((ROOT / "noxfile.py").read_text("utf-8")).body if hasattr(node, "decorator_list")
    ]
    return {node.name for node in functions if any("nox.session" in ast.unparse(it) for it in node.decorator_list)}


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_every_command_is_a_session(path) -> None:
    unknown = {session for session, _ in commands(path)} - sessions() - {"NAME", "benchmark(ID)"}
    assert not unknown


def test_the_commands_are_found() -> None:
    """So that the tests here cannot pass on nothing."""
    found = {session for path in PAGES for session, _ in commands(path)}
    assert {"lint", "tests", "docs", "shared", "site_tests"} <= found
    assert found & {*host.COMMANDS}


@pytest.mark.parametrize("path", [ROOT / "CONTRIBUTING.md", ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md"], ids=name)
def test_every_option_of_the_hosts_commands_is_one(path) -> None:
    for session, behind in commands(path):
        if session in host.COMMANDS and behind.startswith(" -- "):
            host.parse([session, *shlex.split(behind.removeprefix(" -- "))])


@pytest.mark.parametrize("path", [ROOT / "CONTRIBUTING.md", ROOT / "NOTICE"], ids=name)
def test_every_path_exists(path) -> None:
    text = path.read_text("utf-8")
    named = [*PATH.findall(text), *re.findall(r"\]\(([^):]+)\)", text)]
    built = ("docs/_build",)
    assert not [it for it in named if not (ROOT / it).exists() and not it.startswith(("examples/ID", *built))]


def test_one_version_of_nox_is_installed() -> None:
    versions = {version for path in PAGES for version in re.findall(r"nox\[uv\]==([\d.]+)", path.read_text("utf-8"))}
    assert len(versions) == 1


def test_the_workflows_name_no_framework() -> None:
    """They ask tools/touched.py; a new folder needs no change here."""
    words = {word for path in ROOT.glob(".github/workflows/*.yml") for word in re.findall(r"[\w-]+", path.read_text())}
    implementations = frameworks.implementations().values()
    assert not words & {
        it for implementation in implementations for it in (implementation.id, implementation.folder.name)
    }
