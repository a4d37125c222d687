"""Roles that put a number into prose: none is ever typed by hand.

`{number}` takes a measured one from a record: `pytorch.cnn.full.accuracy|.1%`, that is the row, the
workload, the lane (or `parity`), and the path of a field, with a format. It is the newest committed
run. `seed-k80/cntk+train_with_loader.cnn.full.times.train` names the machine and the variant too.
`{param}` takes a hyper-parameter from rosetta_common/params.py: `cnn.batch_size`.
An unknown one is a warning, and so fails the build.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from rosetta_common import params
from rosetta_common.host.catalogue import UserError, nearest
from rosetta_common.host.records import Record

from . import store as stores
from . import words
from .links import link

logger = logging.getLogger(__name__)

FORM = re.compile(
    r"(?:(?P<machine>[\w-]+)/)?(?P<row>[\w-]+)(?:\+(?P<variant>\w+))?"
    r"\.(?P<workload>cnn|gru)\.(?P<lane>\w+)\.(?P<field>[\w. -]+)"
)


def find(store: stores.Store, text: str) -> tuple[Record, Any]:
    """The record and the value that a number's text asks for. Raises UserError."""
    match = FORM.fullmatch(text)
    if not match:
        raise UserError(f"{text!r} is not of the form framework.workload.lane.field.")
    asked = match.groupdict()
    kind = "parity" if asked["lane"] == "parity" else "benchmark"
    runs = store.of(kind=kind, row=asked["row"], workload=asked["workload"], variant=asked["variant"])
    runs = [run for run in runs if not store.is_local(run) and run.status == "ok"]
    runs = [run for run in runs if kind == "parity" or run.lane == asked["lane"]]
    if asked["machine"]:
        runs = [run for run in runs if run.machine.id == asked["machine"]]
    else:
        runs = [run for run in runs if not run.historic]
    if not runs:
        raise UserError(f"No committed record that went well answers {text!r}.")
    return runs[-1], field(runs[-1], asked["field"])


def field(record: Record, path: str) -> Any:
    """The value at `path`: attributes, keys of a table, places of a list or names of checks. Raises UserError."""
    value: Any = record
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal():
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, list):
            value = next((item for item in value if getattr(item, "name", None) == step), None)
        else:
            value = getattr(value, step, None)
        if value is None:
            raise UserError(f"The record of {record.row} has no {path!r}.")
    return value


class _Role(SphinxRole):
    def warn(self, text: str) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        logger.warning("%s: %s", self.name, text, location=self.get_location(), type="rosetta", subtype="number")
        stores.note_warning(self.env)
        return [nodes.inline("", "?")], []


class Number(_Role):
    """A measured number, with where it comes from."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        store = stores.store(self.config)
        stores.note(self.env)
        text, _, form = self.text.partition("|")
        try:
            record, value = find(store, text.strip())
            shown = format(value, form)
        except (UserError, ValueError, TypeError) as error:
            return self.warn(str(error))
        return [link(record, shown, words.provenance(store, record), ("rosetta-number",))], []


class Param(_Role):
    """A hyper-parameter, as every example reads it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        stores.note(self.env, Path(params.__file__))
        text, _, form = self.text.partition("|")
        workload, _, name = text.partition(".")
        known = vars(getattr(params, workload, None) or params.cnn)
        if workload not in ("cnn", "gru") or name not in known:
            return self.warn(str(nearest("hyper-parameter", text, [f"{workload}.{key}" for key in known])))
        shown = format(known[name], form)
        return [nodes.inline(shown, shown, classes=["rosetta-param"])], []


def setup(app: Sphinx) -> None:
    app.add_role("number", Number())
    app.add_role("param", Param())
