"""The bar of controls over the results: which table, held against which row. `_static/results.js` moves it.

Without the script the bar is hidden, and every table is shown under its heading.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.osutil import relative_uri
from sphinx.writers.html5 import HTML5Translator

from _ext.core import formatting
from rosetta_host.catalog import workloads

SCRIPT = Path(__file__).resolve().parents[2] / "_static" / "results.js"


@dataclass(frozen=True)
class TableChoice:
    """A table that a reader may choose: the id of its section, and what it is chosen by."""

    id: str
    workload: str
    machine: str
    machine_name: str
    preset: str
    device: str


class Bar(nodes.General, nodes.Element):
    """The controls and their script, which runs before any table is read, so that nothing jumps."""


def bar(choices: Sequence[TableChoice]) -> list[nodes.Node]:
    """The controls for these tables; none where there is nothing to choose."""
    if not choices:
        return []
    tables = json.dumps([asdict(choice) for choice in choices])
    controls = [
        _select("Network", "workload", {choice.workload: workloads.get(choice.workload).title for choice in choices}),
        _select("Machine", "machine", {choice.machine: choice.machine_name for choice in choices}),
        _select(
            "Preset",
            "preset",
            {preset: preset for preset in formatting.PRESETS if any(preset == choice.preset for choice in choices)},
        ),
        _select("Device", "device", {choice.device: formatting.PROCESSORS[choice.device] for choice in choices}),
        _select("Ratio to", "ratio", {"": "–"}),
    ]
    attributes = (
        f'class="rosetta-choice" id="runs" role="group" aria-label="Which table" data-tables="{escape(tables)}"'
    )
    return [Bar(html=f'<div {attributes} hidden>{"".join(controls)}<p role="status"></p></div>')]


def _select(label: str, name: str, options: dict[str, str]) -> str:
    choices = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options.items())
    return f'<label>{label} <select name="{name}" autocomplete="off">{choices}</select></label>'


def end(choices: Sequence[TableChoice]) -> list[nodes.Node]:
    """Tells the script that all tables have been read: it shows one before the browser paints what follows."""
    if not choices:
        return []
    return [nodes.raw("", "<script>dispatchEvent(new Event('rosetta-results'))</script>", format="html")]


def _visit(self: HTML5Translator, node: Bar) -> None:
    page = self.builder.get_target_uri(self.builder.current_docname)
    version = hashlib.sha256(SCRIPT.read_bytes()).hexdigest()[:8]
    script = f'<script src="{relative_uri(page, "_static/results.js")}?v={version}"></script>'
    self.body.append(f"{node['html']}{script}\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_node(Bar, html=(_visit, None))
