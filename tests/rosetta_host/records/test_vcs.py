"""The commit of a checkout, and what differs from it, in a repository of the tests' own."""

import subprocess

import pytest

from rosetta_host.records import vcs

FILES = ("README.md", "examples/ada/cnn.py", "docs/records/certificate/desk/old.json", "docs/notebooks/ada.ipynb")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A clean checkout with these files."""
    monkeypatch.setattr(vcs, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for name in FILES:
        write(tmp_path, name)
    (tmp_path / ".gitignore").write_text("docs/_local/\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "user.name", "Ada")
    git(tmp_path, "config", "user.email", "ada@example.org")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "all")
    vcs.commit.cache_clear()
    yield tmp_path
    vcs.commit.cache_clear()


def git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def write(folder, name, text="1"):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def test_a_clean_checkout_is_its_commit(repository):
    assert vcs.changed() == []
    assert vcs.commit() == git(repository, "rev-parse", "HEAD")[:12]


@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize(
    "name", ["docs/records/certificate/desk/new.json", "docs/notebooks/ada.ipynb", "docs/notebooks/bell.ipynb"]
)
def test_what_runs_write_makes_no_difference(repository, name, staged):
    write(repository, name, "2")
    write(repository, "docs/_local/certificate/desk/new.json", "2")
    if staged:
        git(repository, "add", "--all")
    assert vcs.changed() == []
    assert "+" not in vcs.commit()


@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize(
    "name", ["examples/ada/cnn.py", "docs/records/certificate/desk/old.json", "examples/new/cnn.py"]
)
def test_code_and_edited_records_make_a_difference(repository, name, staged):
    write(repository, name, "2")
    if staged:
        git(repository, "add", "--all")
    assert vcs.changed() in ([name], ["examples/new/"])
    assert vcs.commit() == git(repository, "rev-parse", "HEAD")[:12] + "+"


def test_a_deleted_record_makes_a_difference(repository):
    (repository / FILES[2]).unlink()
    assert vcs.changed() == [FILES[2]]


def test_outside_a_repository_there_is_no_commit_to_differ_from(tmp_path, monkeypatch):
    monkeypatch.setattr(vcs, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    vcs.commit.cache_clear()
    assert (vcs.commit(), vcs.changed()) == (None, [])
    vcs.commit.cache_clear()
