"""Mutants: the deliberate errors that a folder's mutants.toml offers, and its example with one of them patched in.

Nothing here runs a framework, so that the site can read them too.
"""

from __future__ import annotations

import functools
import tomllib
from typing import Literal

import msgspec

from rosetta_host.catalog.frameworks import Case, Implementation, UserError


class Mutant(msgspec.Struct, frozen=True):
    """One deliberate error in an example, as texts of its file with their replacements. Its certificate must fail.

    harmless: it only costs time, and its certificate must hold. unsupported: why it cannot be written here.
    device: the only device on which it has an effect; None for all.
    """

    case: Case
    name: str
    edits: list[tuple[str, str]] = []
    harmless: bool = False
    unsupported: str | None = None
    device: Literal["cpu", "gpu"] | None = None

    @property
    def implementation(self) -> Implementation:
        return self.case.implementation

    @property
    def label(self) -> str:
        return f"{self.implementation.id} {self.case.workload} {self.name}"

    def patched(self) -> str:
        """The example's text with the error in it."""
        text = self.implementation.example(self.case.workload).read_text("utf-8")
        for old, new in self.edits:
            text = text.replace(old, new)
        return text


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    """One table of mutants.toml. variant: the training function that it changes, if that is not `train`.

    backend: the only one on which it is an error; `unsupported` then says why it is none on the others.
    """

    edits: list[tuple[str, str]] = []
    variant: str | None = None
    backend: str | None = None
    harmless: bool = False
    unsupported: str | None = None
    device: Literal["cpu", "gpu"] | None = None


@functools.cache  # the site reads each of them dozens of times
def _tables(text: str, workload: str) -> dict[str, _Table]:
    return msgspec.convert(tomllib.loads(text).get(workload, {}), dict[str, _Table])


def offered(implementation: Implementation, workload: str) -> dict[str, Mutant]:
    """The mutants of this workload in a folder's mutants.toml, by name, including the unsupported ones.

    Raises UserError for a table that is not valid, or a text that does not occur exactly once.
    """
    path = implementation.folder / "mutants.toml"
    where = f"{implementation.folder.name}/mutants.toml"
    try:
        tables = _tables(path.read_text("utf-8"), workload) if path.exists() else {}
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UserError(f"{where} is not valid: [{workload}] {error}.") from None
    text = implementation.example(workload).read_text("utf-8") if tables else ""
    for name, table in tables.items():
        _check_keys(implementation, table, f"{where}, {workload}.{name}")
        for old, _ in table.edits:
            if text.count(old) != 1:
                times = f"occurs {text.count(old)} times in {workload}.py, not once"
                raise UserError(f"{where}, {workload}.{name}: {old!r} {times}.")
    return {name: _mutant(implementation, workload, name, table) for name, table in tables.items()}


def _check_keys(implementation: Implementation, table: _Table, where: str) -> None:
    if table.backend is None:
        if bool(table.edits) == bool(table.unsupported):
            raise UserError(f"{where}: one of `edits` and `unsupported` must be given.")
        return
    if table.backend not in implementation.backends:
        raise UserError(f"{where}: there is no backend {table.backend!r}.")
    if not (table.edits and table.unsupported):
        raise UserError(f"{where}: `backend` wants both `edits` and, for the other backends, `unsupported`.")


def _mutant(implementation: Implementation, workload: str, name: str, table: _Table) -> Mutant:
    case = Case(implementation, workload, table.variant)
    if table.backend in (None, implementation.backend):
        reason = None if table.backend else table.unsupported
        return Mutant(case, name, table.edits, table.harmless, reason, table.device)
    return Mutant(case, name, unsupported=table.unsupported)
