"""The commit that the code is of, and what of the checkout differs from it."""

from __future__ import annotations

import functools
import subprocess

from rosetta_host.catalog.frameworks import ROOT

RECORDS, NOTEBOOKS = "docs/records", "docs/notebooks"  # what runs write; neither changes what another run computes


def _git(*arguments: str) -> str | None:
    """What git prints for this checkout; None outside a repository, or without git."""
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def changed() -> list[str]:
    """The files and new folders of the checkout that differ from its commit, by path; none outside a repository.

    Notebooks and new records do not count, nor what git ignores. A record that was edited or deleted does.
    """
    status = ("status", "--porcelain", "--no-renames")
    others = ("--untracked-files=normal", "--", ".", f":(exclude){RECORDS}", f":(exclude){NOTEBOOKS}")
    files = (_git(*status, *others) or "").splitlines()
    written = (_git(*status, "--untracked-files=no", "--", RECORDS) or "").splitlines()
    return [line[3:] for line in [*files, *(line for line in written if not line.startswith("A "))]]


@functools.cache
def commit() -> str | None:
    """The commit of this checkout, 12 hexadecimal digits, with "+" where it is `changed`; None outside a repository."""
    head = _git("rev-parse", "--short=12", "HEAD")
    return head.strip() + ("+" if changed() else "") if head else None
