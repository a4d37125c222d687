"""Mutants: the deliberate errors that a folder's mutants.toml offers, and its example with one of them patched in.

Nothing here runs a framework, so that the site can read them too.
"""

from __future__ import annotations

import functools
import tomllib
from typing import Literal

import msgspec

from rosetta_host.catalog.frameworks import Case, Row, UserError


class Mutant(msgspec.Struct, frozen=True):
    """One deliberate error: whose certificate has to fail, and texts of its file with what replaces them.

    harmless: it costs time alone, and its certificate has to hold. unsupported: why it cannot be written here.
    device: where alone it changes anything.
    """

    case: Case
    name: str
    edits: list[tuple[str, str]] = []
    harmless: bool = False
    unsupported: str | None = None
    device: Literal["cpu", "gpu"] | None = None

    @property
    def row(self) -> Row:
        return self.case.row

    @property
    def label(self) -> str:
        return f"{self.row.id} {self.case.workload} {self.name}"

    def patched(self) -> str:
        """The example's text with the error in it."""
        text = self.row.example(self.case.workload).read_text("utf-8")
        for old, new in self.edits:
            text = text.replace(old, new)
        return text


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    """One table of mutants.toml. variant: the function that it spoils, where that is not `train`.

    backend: on which alone it is an error; `unsupported` then says why it is none on the folder's others.
    """

    edits: list[tuple[str, str]] = []
    variant: str | None = None
    backend: str | None = None
    harmless: bool = False
    unsupported: str | None = None
    device: Literal["cpu", "gpu"] | None = None


@functools.cache  # the site asks for each of them dozens of times
def _tables(text: str, workload: str) -> dict[str, _Table]:
    return msgspec.convert(tomllib.loads(text).get(workload, {}), dict[str, _Table])


def offered(row: Row, workload: str) -> dict[str, Mutant]:
    """All that a folder says of mutants of this workload, by name; those that it cannot write say why.

    Raises UserError for a table that is not valid, or whose texts are not found just once.
    """
    path = row.folder / "mutants.toml"
    where = f"{row.folder.name}/mutants.toml"
    try:
        found = _tables(path.read_text("utf-8"), workload) if path.exists() else {}
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UserError(f"{where} is not valid: [{workload}] {error}.") from None
    text = row.example(workload).read_text("utf-8") if found else ""
    for name, table in found.items():
        _check_given(row, table, f"{where}, {workload}.{name}")
        for old, _ in table.edits:
            if text.count(old) != 1:
                times = f"occurs {text.count(old)} times in {workload}.py, not once"
                raise UserError(f"{where}, {workload}.{name}: {old!r} {times}.")
    return {name: _mutant(row, workload, name, table) for name, table in found.items()}


def _check_given(row: Row, table: _Table, where: str) -> None:
    if table.backend is None:
        if bool(table.edits) == bool(table.unsupported):
            raise UserError(f"{where}: one of `edits` and `unsupported` must be given.")
        return
    if table.backend not in row.backends:
        raise UserError(f"{where}: there is no backend {table.backend!r}.")
    if not (table.edits and table.unsupported):
        raise UserError(f"{where}: `backend` wants both `edits` and, for the other backends, `unsupported`.")


def _mutant(row: Row, workload: str, name: str, table: _Table) -> Mutant:
    case = Case(row, workload, table.variant)
    if table.backend in (None, row.backend):
        reason = None if table.backend else table.unsupported
        return Mutant(case, name, table.edits, table.harmless, reason, table.device)
    return Mutant(case, name, unsupported=table.unsupported)
