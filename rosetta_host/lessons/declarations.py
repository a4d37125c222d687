"""The lessons as experiments: what docs/lessons/lessons.toml declares, checked and typed.

Nothing here runs a framework, so that the site can read it too.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from rosetta_host.catalog.frameworks import ROOT, WORKLOADS, Implementation, UserError, nearest
from rosetta_host.mutation import mutants

PATH = ROOT / "docs" / "lessons" / "lessons.toml"
WHERE = "docs/lessons/lessons.toml"

T = TypeVar("T")


class Lesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one lesson measures.

    seed: the numbers of the claim in the seed document. workload: whose examples are patched, if any are. mutants:
    the patches; an implementation shows those that its folder offers. accuracy: whether what they cost in accuracy is
    measured.
    timed: whether seconds a step are compared. gpu: why it can only be shown on a GPU.
    """

    title: str
    workload: str = ""
    seed: list[int] = []
    mutants: list[str] = []
    accuracy: bool = False
    timed: bool = False
    gpu: str | None = None

    def __post_init__(self) -> None:
        if self.mutants and not self.workload:
            raise ValueError("`mutants` need a `workload`")
        if self.workload and self.workload not in WORKLOADS:
            raise ValueError(f"there is no workload {self.workload!r}")


class Lessons(msgspec.Struct, frozen=True):
    """All lessons by slug, the name of their page. accuracy_implementations: where accuracy is measured."""

    by_slug: dict[str, Lesson]
    accuracy_implementations: list[str] = []

    def of_mutant(self, workload: str, name: str) -> list[str]:
        """The slugs of the lessons that a mutant belongs to; none for an error that only tests the certificate."""
        return [slug for slug, lesson in self.by_slug.items() if lesson.workload == workload and name in lesson.mutants]


def read(path: Path | None = None) -> Lessons:
    """Read the declarations. Raises UserError, with the key, for an invalid one."""
    try:
        tables = tomllib.loads((path or PATH).read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{WHERE} is not valid: {error}.") from None
    return Lessons(
        accuracy_implementations=_typed(
            tables.pop("accuracy_implementations", []), list[str], "accuracy_implementations"
        ),
        by_slug={slug: _typed(table, Lesson, f"[{slug}]") for slug, table in tables.items()},
    )


def _typed(value: object, kind: type[T], key: str) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise UserError(f"{WHERE}, {key}, is not valid: {error}.") from None


def check(declared: Lessons, implementations: Iterable[Implementation]) -> None:
    """Raise UserError, with the key, for a mutant that no folder offers and for an unknown implementation."""
    implementations = list(implementations)
    offered = {
        workload: {
            name
            for implementation in implementations
            if workload in implementation.workloads
            for name in mutants.offered(implementation, workload)
        }
        for workload in {lesson.workload for lesson in declared.by_slug.values() if lesson.mutants}
    }
    for slug, lesson in declared.by_slug.items():
        for name in lesson.mutants:
            if name not in offered[lesson.workload]:
                what = f"no folder offers the {lesson.workload} mutant {name!r}"
                raise UserError(f"{WHERE}, [{slug}] mutants: {what}{_hint(name, offered[lesson.workload])}")
    ids = [implementation.id for implementation in implementations]
    for name in declared.accuracy_implementations:
        if name not in ids:
            raise UserError(f"{WHERE}, accuracy_implementations: there is no framework {name!r}{_hint(name, ids)}")


def _hint(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.4)
    return f"; did you mean {close[0]!r}?" if close else "."


def select(declared: Lessons, names: list[str], ids: Collection[str]) -> tuple[dict[str, Lesson], list[str]]:
    """The named lessons, or all if none is named; and the named ids. Raises UserError for any other name."""
    for name in names:
        if name not in declared.by_slug and name not in ids:
            raise nearest("lesson or framework", name, [*declared.by_slug, *ids])
    slugs = [name for name in names if name in declared.by_slug] or list(declared.by_slug)
    return {slug: declared.by_slug[slug] for slug in slugs}, [name for name in names if name in ids]
