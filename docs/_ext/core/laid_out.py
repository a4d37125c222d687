"""Pages that the build writes into docs/, where Sphinx reads them. Git ignores them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def lay_out(folder: Path, pages: Mapping[str, bytes]) -> None:
    """Make a folder hold these pages, by their names without .md, and no other."""
    wanted = {folder / f"{name}.md": content for name, content in pages.items()}
    for path in {*folder.glob("*.md")} - {*wanted}:
        path.unlink()
    for path, content in wanted.items():
        if not path.exists() or path.read_bytes() != content:  # which another build may be reading
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
