"""`{results} cnn`: every run of a workload, a section a machine, with plots. `{certificates} cnn`: their proofs.

`{lifecycle}`: the frameworks themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import mean, median, stdev
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

from rosetta_common.host import work
from rosetta_common.host.catalogue import WORKLOADS, Row, nearest
from rosetta_common.host.records import Check, Record

from . import certified, words
from . import store as stores
from .certified import Verdict
from .links import link, target
from .plots import Bar, bars

DASH = "–"
SHARE, SEED = "Of GEMM rate", "The seed, K80"
LITTLE = 0.2  # of the machine's matrix-product rate: below it, a reader is told what a profiler found
FAR_OFF = 1.5  # points of accuracy; two trials of one row lay 0.2 apart
RATES = {"cnn": "Images/s", "gru": "Reviews/s"}


@dataclass
class Line:
    """One line of a table: the newest run of a row, and the runs of other seeds that differ in nothing else."""

    record: Record
    runs: list[Record]
    verdict: Verdict

    def average(self, value: Callable[[Record], float | None]) -> tuple[float, float | None] | None:
        """Mean and standard deviation over the seeds; None where nothing was measured."""
        values = [found for found in map(value, self.runs) if found is not None]
        if not values:
            return None
        return mean(values), stdev(values) if len(values) > 1 else None

    @property
    def time(self) -> tuple[float, float | None] | None:
        return self.average(lambda run: run.times.train if run.times else None)

    @property
    def accuracy(self) -> tuple[float, float | None] | None:
        return self.average(lambda run: run.accuracy)

    @property
    def order(self) -> tuple[bool, bool, float, str]:
        """Successes first, the certified among them before the others, and then by time."""
        uncertified = self.verdict.state != "certified"
        return self.record.status != "ok", uncertified, self.time[0] if self.time else 0.0, self.record.row


def lines(store: stores.Store, records: list[Record]) -> list[Line]:
    """The newest run of each row, with the runs of other seeds under the same digests and version."""

    def subject(record: Record) -> tuple[str, str, str]:
        return record.row, record.variant or "", record.precision or ""

    found = []
    for _, group in groupby(sorted(records, key=lambda r: (*subject(r), r.created)), subject):
        runs = list(group)
        newest = runs[-1]
        same = [
            run for run in runs if run.status == "ok" and (run.digests, run.version) == (newest.digests, newest.version)
        ]
        seeds = {run.seed: run for run in same} if newest.status == "ok" else {}
        found.append(Line(newest, list(seeds.values()), store.verdict(newest)))
    return sorted(found, key=lambda line: line.order)


def _spread(value: tuple[float, float | None] | None, form: Callable[[float], str]) -> str:
    if value is None:
        return DASH
    return form(value[0]) + (f" ± {form(value[1])}" if value[1] is not None else "")


def _certificate(line: Line) -> str:
    why = f": {line.verdict.why}" if line.verdict.state in ("failed", "stale") else ""
    return line.verdict.mark + why


def _status(line: Line) -> str:
    return line.record.status + (f": {line.record.reason}" if line.record.reason else "")


def _far_off(line: Line, found: list[Line]) -> str:
    """That an accuracy lies far from the others of its table, which train the same network on the same data."""
    usual = [other.accuracy[0] for other in found if other.accuracy and other.verdict.state == "certified"]
    if line.record.lane != "full" or line.record.historic or not line.accuracy or len(usual) < 3:
        return ""
    points = 100 * (line.accuracy[0] - median(usual))
    side = "above" if points > 0 else "below"
    return f"{abs(points):.1f} points {side} the median of this table" if abs(points) > FAR_OFF else ""


def _share(line: Line) -> float | None:
    """The arithmetic done, over what NumPy's float32 matrix product did on the machine at that hour."""
    rate, peak = line.record.train_rate, line.record.machine.matmul_rate
    return rate * work.image_flop() / peak if rate and peak and line.record.workload == "cnn" else None


def _slow_because(store: stores.Store, line: Line) -> str:
    share, row = _share(line), store.rows.get(line.record.row)
    if share is None or share >= LITTLE or row is None:
        return ""
    return row.workload(line.record.workload).slow_because or ""


def _seed(store: stores.Store, line: Line) -> str:
    """What the seed's table said of the same row."""
    one = line.record
    historic = store.of(historic=True, row=one.row, workload=one.workload, variant=one.variant)
    known = [] if one.historic else historic
    return ", ".join(f"{r.accuracy:.0%}, {words.seconds(r.times.train)}" for r in known if r.times and r.times.train)


def _notes(store: stores.Store, line: Line, found: list[Line]) -> list[str]:
    """What a reader of the numbers has to know; what holds for a whole table is said in its title."""
    record = line.record
    notes = [
        _far_off(line, found),
        _slow_because(store, line),
        f"{len(line.runs)} seeds" if len(line.runs) > 1 else "",
        record.data.source if record.data and record.data.source == "unofficial copy" else "",
        f"{record.threads} threads" if record.threads else "",
    ]
    return [note for note in notes if note]


def _columns(store: stores.Store, workload: str) -> dict[str, Callable[[Line], str]]:
    return {
        "Framework": lambda line: words.row_name(store, line.record),
        "Version": lambda line: line.record.version or "",
        "Accuracy": lambda line: _spread(line.accuracy, _percent(line)),
        "Training time": _time,
        RATES[workload]: lambda line: _spread(line.average(lambda run: run.train_rate), "{:,.0f}".format),
        SHARE: lambda line: DASH if _share(line) is None else f"{_share(line):.0%}",
        SEED: lambda line: _seed(store, line),
        "Epochs": lambda line: str(line.record.epochs or DASH),
        "Certificate": _certificate,
        "Status": _status,
        "Date": lambda line: "" if line.record.historic else words.date(line.record),
    }


def _time(line: Line) -> str:
    if line.time is None:
        return DASH
    return words.seconds(line.time[0]) + ("" if line.time[1] is None else f" ± {line.time[1]:.1f} s")


def _percent(line: Line) -> Callable[[float], str]:
    """The seed's tables give whole per cent, and no digit is added to them."""
    return ("{:.0%}" if line.record.historic else "{:.1%}").format


def table(
    header: list[str], body: Sequence[Sequence[nodes.Node]], title: str, numeric: Collection[str] = ()
) -> nodes.table:
    """A table with a caption, in a box that scrolls sideways where it must. The cells are inline nodes."""
    group = nodes.tgroup(cols=len(header))
    group += [nodes.colspec(colwidth=1) for _ in header]

    def cell(name: str, content: nodes.Node) -> nodes.entry:
        entry = nodes.entry("", nodes.paragraph("", "", content))
        if name in numeric:
            entry["classes"].append("numeric")
        return entry

    head = nodes.row("", *(cell(name, nodes.Text(name)) for name in header))
    group += nodes.thead("", head)
    group += nodes.tbody("", *(nodes.row("", *map(cell, header, cells)) for cells in body))
    return nodes.table("", nodes.title("", title), group, classes=["rosetta-table"])


class _Workload(SphinxDirective):
    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        stores.note(self.env)
        if self.arguments[0] not in WORKLOADS:
            raise self.error(str(nearest("network", self.arguments[0], list(WORKLOADS))))
        self.workload = self.arguments[0]
        return self.content_nodes()

    def content_nodes(self) -> list[nodes.Node]:
        raise NotImplementedError


class Results(_Workload):
    """All machines: this one first where it just ran, then the newest, the historic last."""

    def content_nodes(self) -> list[nodes.Node]:
        runs = self.store.of(kind="benchmark", workload=self.workload)
        groups: dict[tuple[str, bool], list[Record]] = {}
        for run in reversed(runs):  # newest first
            groups.setdefault((run.machine.id, self.store.is_local(run)), []).append(run)
        ordered = sorted(groups.items(), key=lambda item: (not item[0][1], item[1][0].historic))
        sections: list[nodes.Node] = [self.machine(local, found) for (_, local), found in ordered]
        if all(run.historic for run in runs):
            text = "No benchmark of this project is recorded yet: what follows is the seed's own table."
            sections.insert(0, nodes.paragraph("", text, classes=["rosetta-none"]))
        return sections

    def machine(self, local: bool, runs: list[Record]) -> nodes.section:
        newest = runs[0]
        title = newest.machine.name + (" (this machine, just now: not published)" if local else "")
        name = nodes.make_id(f"{self.workload}-{newest.machine.id}{'-local' if local else ''}")
        section = nodes.section("", nodes.title("", title), ids=[name], names=[name])
        facts = [f"Historic, quoted: {run.source}" for run in runs if run.historic and run.source]
        for fact in dict.fromkeys(facts or [words.machine_facts(newest.machine)]):
            section += nodes.paragraph("", fact)
        for lane in words.LANES:
            for device in words.DEVICES:
                found = [run for run in runs if (run.lane, run.device) == (lane, device)]
                if found:
                    section += self.lane(lane, device, lines(self.store, found))
        return section

    def lane(self, lane: str, device: str, found: list[Line]) -> list[nodes.Node]:
        if lane == "quick":
            found = sorted(found, key=lambda line: line.record.row)
        notes = {id(line): _notes(self.store, line, found) for line in found}
        shared = [note for note in notes[id(found[0])] if all(note in of_line for of_line in notes.values())]
        title = "; ".join([words.LANES[lane], words.DEVICES[device], *shared])
        columns = _columns(self.store, self.workload)
        columns["Notes"] = lambda line: "; ".join(note for note in notes[id(line)] if note not in shared)
        columns = {
            name: shown for name, shown in columns.items() if any(shown(line) not in ("", DASH) for line in found)
        }
        if all(line.record.historic for line in found):
            columns.pop("Status")
        body = []
        for line in found:
            cells = [nodes.inline("", shown(line)) for shown in columns.values()]
            target(self.env, cells[0], line.record, words.row_name(self.store, line.record))
            if line.verdict.parity:
                cells[list(columns).index("Certificate")] = link(line.verdict.parity, _certificate(line))
            body.append(cells)
        numeric = {"Accuracy", "Training time", RATES[self.workload], SHARE, SEED, "Epochs", "Date"}
        plot = [] if lane == "quick" else self.plot(title, found)
        return [*plot, table(list(columns), body, title, numeric)]

    def plot(self, title: str, found: list[Line]) -> list[nodes.Node]:
        shown = [
            Bar(
                words.row_name(self.store, line.record),
                line.time[0],
                words.seconds(line.time[0]) + (f" · {_percent(line)(line.accuracy[0])}" if line.accuracy else ""),
                line.verdict.state in ("certified", "historic"),
            )
            for line in found
            if line.time
        ]
        if len(shown) < 2:
            return []
        open_ = any(not bar.certified for bar in shown)
        text = "Training time in seconds, and test accuracy." + (
            " An empty bar has no valid certificate." if open_ else ""
        )
        figure = nodes.figure("", nodes.raw("", bars(shown, title), format="html"), classes=["rosetta-plot"])
        figure += nodes.caption("", text)
        return [figure]


class Certificates(_Workload):
    """The newest parity run of each row: every check, its figure and its limit."""

    def content_nodes(self) -> list[nodes.Node]:
        newest: dict[tuple[str, ...], Record] = {}
        for run in self.store.of(kind="parity", workload=self.workload):
            newest[run.row, run.variant or "", run.device or "", run.precision or ""] = run
        if not newest:
            return [nodes.paragraph("", "No certificate is recorded yet.", classes=["rosetta-none"])]
        runs = [newest[key] for key in sorted(newest)]
        families = list(dict.fromkeys(family(check) for run in runs for check in run.checks))
        header = ["Framework", "Version", "Certificate", "Device", *families, "Machine", "Date"]
        body = []
        for run in runs:
            name = words.row_name(self.store, run)
            first = [name, run.version or "", _parity_status(run), run.device or ""]
            known = [nodes.inline("", text) for text in first]
            target(self.env, known[0], run, name)
            cells: list[nodes.Node] = [*known]
            cells += [self.cell([check for check in run.checks if family(check) == wanted]) for wanted in families]
            cells += [nodes.inline("", text) for text in (run.machine.name, words.date(run))]
            body.append(cells)
        return [table(header, body, "The newest certificate of each row", set(families))]

    @staticmethod
    def cell(checks: list[Check]) -> nodes.Node:
        """One check's figure, or the worst figure of a family and how many checks it has."""
        if not checks:
            return nodes.inline("", DASH)
        failed = [check for check in checks if not check.ok]
        figures = [check.figure for check in failed or checks if check.figure is not None]
        worst = max(figures, default=None)
        comparable = worst is not None and len({check.limit for check in checks}) == 1
        figure = f" {worst:.1e}" if comparable and worst else " 0" if comparable else ""
        count = f" {len(checks) - len(failed)} of {len(checks)}" if len(checks) > 1 else ""
        text = ("✗" if failed else "✓") + count + figure
        return nodes.inline("", text, classes=["failed"] if failed else [])


class Lifecycle(SphinxDirective):
    """`{lifecycle}`: of every row, when it lived, what came after it, and what it needs to run today."""

    def run(self) -> list[nodes.Node]:
        store = stores.store(self.config)
        stores.note(self.env)
        header = ["Framework", "Since", "Last release", "Now", "Here", "What it needs today, and why"]
        body: list[list[nodes.Node]] = []
        for row in store.rows.values():
            name = nodes.reference("", row.name, refuri=row.framework.home_page)
            body.append([name, *(nodes.inline("", text) for text in self.life(store, row))])
        return [table(header, body, "The frameworks and their lives")]

    @staticmethod
    def life(store: stores.Store, row: Row) -> list[str]:
        it = row.framework
        now = "retired" if it.retired else "living"
        now += f"; then came {it.successor}" if it.successor else ""
        versions = [record.version for record in store.of(row=row.id, historic=False) if record.version]
        here = f"{versions[-1] if versions else 'not run yet'}, Python {row.environment.python}"
        return [it.since, it.last_release or DASH, now, here, it.needs or "nothing but its packages"]


def family(check: Check) -> str:
    """What checks like "shuffle: epochs in different orders" have in common; a single check is its own family."""
    return check.name.partition(":")[0]


def _parity_status(run: Record) -> str:
    if run.status == "ok":
        return "passed ✓"
    return f"{run.status} ✗: {certified.why_failed(run)}"


def setup(app: Sphinx) -> None:
    app.add_directive("results", Results)
    app.add_directive("certificates", Certificates)
    app.add_directive("lifecycle", Lifecycle)
