"""Roles that put a number into prose: none is ever typed by hand.

`{number}` takes a measured one from a record: `ID.NETWORK.full.accuracy|.1%`, that is the implementation, the
workload, the preset (or `certificate`), and the path of a field, with a format. It is the newest committed
run in float32. `MACHINE/ID+VARIANT.NETWORK.full.times.train` names the machine and the variant too, and
`MACHINE@gpu/ID.NETWORK.full.times.train` the device of a machine that has several. Where records of several machines
or devices answer, one has to be named.
`{param}` takes a hyperparameter from workloads/<name>/hyperparameters.py, `NETWORK.batch_size`, or what follows from
them, from the data's layout and from the canonical weights: `parameters` lists all.
An unknown one is a warning, and so fails the build.
"""

from __future__ import annotations

import re
from math import prod
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from _ext.core import formatting, newest
from _ext.core import store as stores
from _ext.core.links import link
from rosetta_common import run, weights
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import WORKLOADS, UserError, nearest
from rosetta_host.records.store import BenchmarkRecord, CertificateRecord, Record, is_historic

logger = logging.getLogger(__name__)

FORM = re.compile(
    r"(?:(?P<machine>[\w-]+)(?:@(?P<device>cpu|gpu))?/)?(?P<implementation>[\w-]+)(?:\+(?P<variant>\w+))?"
    rf"\.(?P<workload>{'|'.join(WORKLOADS)})\.(?P<preset>\w+)\.(?P<field>[\w. -]+)"
)
# Fields that records hold and no page may show, with the reason.
WITHDRAWN = {
    "peak_memory": "it was at least the memory of the process that started the run; peak_resident is the run's own",
}


def find(store: stores.Store, text: str) -> tuple[Record, Any]:
    """The record and the value that a number's text asks for. Raises UserError."""
    match = FORM.fullmatch(text)
    if not match:
        raise UserError(f"{text!r} is not of the form framework.workload.preset.field.")
    asked = match.groupdict()
    if asked["field"] in WITHDRAWN:
        raise UserError(f"{asked['field']} is withdrawn: {WITHDRAWN[asked['field']]}.")
    wanted = {name: asked[name] for name in ("implementation", "workload", "variant")}
    runs: list[Record] = [*store.of_kind(BenchmarkRecord, **wanted, preset=asked["preset"])]
    if asked["preset"] == "certificate":
        runs = [*store.of_kind(CertificateRecord, **wanted)]
    runs = [run for run in runs if not store.is_local(run) and run.status == "ok"]
    runs = [run for run in runs if run.precision in (None, "float32")]
    if asked["machine"]:
        runs = [run for run in runs if run.machine.id == asked["machine"]]
        runs = [run for run in runs if asked["device"] in (None, newest.processor(run)[1])]
    else:
        runs = [run for run in runs if not is_historic(run)]
    try:
        run = newest.here(runs)
    except UserError as error:
        raise UserError(f"{text!r}: {error}") from None
    if run is None:
        raise UserError(f"No committed record that went well answers {text!r}.")
    return run, field(run, asked["field"])


def field(record: Record, path: str) -> Any:
    """The value at `path`: attributes, keys of a table, places of a list or codes of checks. Raises UserError."""
    value: Any = record
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal():
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, list):
            value = next((item for item in value if getattr(item, "code", None) == step), None)
        else:
            value = getattr(value, step, None)
        if value is None:
            raise UserError(f"The record of {record.implementation} has no {path!r}.")
    return value


def parameters(workload: str) -> dict[str, Any]:
    """What `{param}` can show of a workload: the hyperparameters by their names, and what follows from them."""
    stated, settings = workloads.get(workload), run.settings_of(workload)
    train, test, batch = stated.source.train, stated.source.test, settings.batch_size
    facts = {"train_samples": train, "test_samples": test, "steps": train // batch, "rest": train % batch}
    facts |= {"test_rest": test % batch, "parameters": sum(map(prod, weights.shapes(workload).values()))}
    return facts | stated.sizes() | vars(settings)


class Role(SphinxRole):
    """A role that cannot be answered is a warning, and shows a question mark."""

    def warn(self, text: str) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        logger.warning("%s: %s", self.name, text, location=self.get_location(), type="rosetta", subtype="number")
        return [nodes.inline("", "?")], []


class Number(Role):
    """A measured number, with where it comes from."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        store = stores.store(self.config)
        text, _, form = self.text.partition("|")
        try:
            record, value = find(store, text.strip())
            shown = format(value, form)
        except (UserError, ValueError, TypeError) as error:
            return self.warn(str(error))
        return [link(record, shown, formatting.provenance(store, record), ("rosetta-number",))], []


class Param(Role):
    """A hyperparameter, as every example reads it, or what follows from it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        text, _, form = self.text.partition("|")
        every = {f"{workload}.{name}": value for workload in WORKLOADS for name, value in parameters(workload).items()}
        if text not in every:
            return self.warn(str(nearest("hyperparameter", text, list(every))))
        shown = format(every[text], form)
        return [nodes.inline(shown, shown, classes=["rosetta-param"])], []


def setup(app: Sphinx) -> None:
    app.add_role("number", Number())
    app.add_role("param", Param())
