"""The folders of examples/ and the order in which a page shows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from docutils import nodes

from rosetta_host.catalog.frameworks import Implementation


def by_folder(implementations: Iterable[Implementation]) -> dict[str, list[Implementation]]:
    """The implementations of each folder."""
    folders: dict[str, list[Implementation]] = defaultdict(list)
    for implementation in implementations:
        folders[implementation.folder.name].append(implementation)
    return folders


def by_life(folders: dict[str, list[Implementation]]) -> list[str]:
    """The folders' names: what is to be shown first, the other living frameworks, then the retired, each by title."""

    def rank(name: str) -> tuple[bool, bool, str]:
        framework = folders[name][0].framework
        return framework.retired, not framework.shown_first, folders[name][0].title.casefold()

    return sorted(folders, key=rank)


def marker(folder: str) -> str:
    """The class by which a script knows the row, cell or section of this folder's framework."""
    return f"is-of-{folder}"


def promotable(*shown: nodes.Element) -> list[nodes.Node]:
    """These nodes, with what belongs to the reader's frameworks before its siblings.

    They are painted only once it stands there, so that nothing moves. Without scripts the order is as written.
    """
    for node in shown:
        node["classes"].append("is-promotable")
    return [*shown, nodes.raw("", "<script>rosetta.promote()</script>", format="html")]
