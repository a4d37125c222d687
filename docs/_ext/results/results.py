"""`{results}`: every run, a table a machine, preset and device, with plots, and a bar to choose among them.

`{lifecycle}`: the frameworks themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

from _ext.core import elements, formatting, newest
from _ext.core import store as stores
from _ext.core.elements import DASH, Details, Summary, aside, cell, datum, row_header
from _ext.core.folders import marker, promotable
from _ext.core.links import link, target
from _ext.results import table_picker
from _ext.results.ceilings import UNKNOWN, share
from _ext.results.plots import figure
from _ext.results.result_lines import Line, lines, notes_of, original_of, percent, slow_because
from _ext.results.table_picker import TableChoice
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import WORKLOADS, Implementation, nearest
from rosetta_host.records.store import BenchmarkRecord

BRIEF = 45  # characters of a note that stands in its cell; a longer one is folded
STATES = ("certified", "failed", "stale", "missing", "historic")  # the order in which a reader sorts them


def _figure(
    value: tuple[float, float | None] | None, form: Callable[[float], str], spread: Callable[[float], str]
) -> nodes.Node:
    """A mean and its deviation, with the mean as what a script sorts by."""
    if value is None:
        return nodes.Text(DASH)
    middle, deviation = value
    return datum(form(middle) + ("" if deviation is None else f" ± {spread(deviation)}"), middle)


def _seconds(value: tuple[float, float | None] | None, *notes: nodes.Node) -> nodes.entry:
    return cell(_figure(value, formatting.seconds, "{:,.1f} s".format), *notes, classes=("numeric",))


@dataclass(frozen=True)
class Column:
    """A column: its name in an address (`sort=time`), its title and what makes its cells.

    more: whether a reader looks for the greatest first. measured: whether a failed run leaves it empty.
    """

    key: str
    title: str
    cell: Callable[[Line], nodes.entry]
    more: bool = False
    measured: bool = False

    def head(self, note: str = "") -> nodes.entry:
        """Its title, with its name in an address as what a script reads."""
        classes = [f"by-{self.key}", *(["is-more"] if self.more else []), *_numeric(self.key)]
        return cell(datum(self.title, self.key), *([aside(note)] if note else []), classes=tuple(classes))


def folded(notes: list[str]) -> list[nodes.Node]:
    """Long notes, which would make their row many lines high, folded under how many they are."""
    if not notes:
        return []
    title = "1 note" if len(notes) == 1 else f"{len(notes)} notes"
    return [Details("", Summary("", title), *map(aside, notes), classes=["rosetta-notes"])]


def _numeric(key: str) -> list[str]:
    return [] if key in ("framework", "certificate") else ["numeric"]


class Table:
    """The runs of one workload on one machine, in one preset, on one device. Time is compared here and nowhere else."""

    def __init__(self, store: stores.Store, env: BuildEnvironment, shown: list[Line]) -> None:
        self.store, self.env = store, env
        first = shown[0].record
        self.preset, self.workload = first.preset or "", first.workload
        self.ranked = self.preset != "quick" and len([line for line in shown if line.time]) > 1
        self.shown = shown if self.preset != "quick" else sorted(shown, key=lambda line: line.record.implementation)
        self.historic = all(line.record.historic for line in shown)
        notes = {line.key: notes_of(store, line, shown) for line in shown}
        # `slow_because` is about one implementation, so it never moves into the caption.
        own = {slow_because(store, line) for line in shown}
        common = [note for note in notes[shown[0].key] if note not in own]
        self.shared = [note for note in common if all(note in others for others in notes.values())]
        self.notes = {key: [note for note in mine if note not in self.shared] for key, mine in notes.items()}

    @cached_property
    def reference(self) -> Line | None:
        """The row that the others are held against until a reader chooses another: the first certified one."""
        return next((line for line in self.shown if self.ranked and line.certified and line.time), None)

    @property
    def caption(self) -> str:
        about = formatting.PRESETS[self.preset].partition(": ")[2]
        text = "; ".join([about, *self.shared, *(["historic, no certificate"] if self.historic else [])])
        return text[0].upper() + text[1:]

    @cached_property
    def columns(self) -> list[Column]:
        def any_of(value: Callable[[Line], object]) -> bool:
            return any(value(line) is not None for line in self.shown)

        rate = f"{workloads.get(self.workload).samples.capitalize()}/s"
        wanted = [
            (True, Column("framework", "Framework", self.framework)),
            (True, Column("accuracy", "Accuracy", self.accuracy, more=True, measured=True)),
            (True, Column("time", self.time_title, self.time, measured=True)),
            (any_of(lambda line: line.compile), Column("compile", "Compile", self.compile, measured=True)),
            (any_of(lambda line: line.total), Column("sum", "Sum", self.total, measured=True)),
            (any_of(lambda line: line.rate), Column("rate", rate, self.rate, more=True, measured=True)),
            (self.ranked, Column("ratio", "Ratio", self.ratio)),
            (self.preset != "quick" and any_of(self.original_of), Column("original", "Original, K80", self.original)),
            (not self.historic, Column("certificate", "Certificate", self.certificate)),
        ]
        return [column for is_wanted, column in wanted if is_wanted]

    def content(self) -> list[nodes.Node]:
        """The table, and a chart where there is something to compare."""
        notes = {
            "ratio": f"of {self.time_title.lower()}, to the marked row",
            "original": "" if self.preset == "full" else "preset full",
        }
        head = [column.head(notes.get(column.key, "")) for column in self.columns]
        classes = ["rosetta-runs", *(["is-ranked"] if self.ranked else []), *([] if self.reference else ["is-unheld"])]
        body = [self.row(line) for line in self.shown]
        shown = elements.table([nodes.row("", *head)], body, self.caption, tuple(classes))
        return [*promotable(shown), *(self.plot() if self.preset != "quick" else [])]

    def row(self, line: Line) -> nodes.row:
        columns = self.columns
        measured = [column for column in columns if column.measured]
        cells = [column.cell(line) for column in columns if not (line.failed and column.measured)]
        if line.failed:
            reason = line.record.status + (f": {line.record.reason}" if line.record.reason else "")
            cells.insert(1, cell(reason, classes=("failed",), columns=len(measured)))
        marks = {"is-failed": line.failed, "is-reference": line is self.reference}
        implementation = self.store.implementations.get(line.record.implementation)
        own = marker(implementation.folder.name if implementation else line.record.implementation)
        row = nodes.row("", *cells, classes=[own, *(name for name, holds in marks.items() if holds)])
        target(self.env, row, line.record, formatting.implementation_name(self.store, line.record))
        return row

    def framework(self, line: Line) -> nodes.entry:
        record = line.record
        facts = [
            record.version,
            None if record.historic else formatting.date(record),
            f"{len(line.runs)} seeds" if len(line.runs) > 1 else None,
        ]
        if record.historic and record.implementation in self.store.implementations:
            facts = [
                "here: "
                + formatting.with_variant(self.store.implementations[record.implementation].name, record.variant)
            ]
        name = datum(formatting.implementation_name(self.store, record), line.key)
        return row_header(name, aside(" · ".join(fact for fact in facts if fact)))

    def accuracy(self, line: Line) -> nodes.entry:
        return cell(_figure(line.accuracy, percent(line), "{:.1%}".format), classes=("numeric",))

    @property
    def time_title(self) -> str:
        """What the table compares and is sorted by."""
        return "Steady training" if any(line.is_steady for line in self.shown) else "Training time"

    def time(self, line: Line) -> nodes.entry:
        mixed = line.time and not line.is_steady and self.time_title == "Steady training"
        return _seconds(line.time, *([aside("with compiling")] if mixed else []))

    def compile(self, line: Line) -> nodes.entry:
        return _seconds(line.compile)

    def total(self, line: Line) -> nodes.entry:
        return _seconds(line.total)

    def rate(self, line: Line) -> nodes.entry:
        used = share(line.record)
        text = used.text if used else UNKNOWN
        notes = [aside(text)] if line.rate and not line.record.historic else []
        return cell(_figure(line.rate, "{:,.0f}".format, "{:,.0f}".format), *notes, classes=("numeric",))

    def ratio(self, line: Line) -> nodes.entry:
        """Time over that of the reference row, and below it the rate over that row's."""
        held = self.reference
        if not held or not held.time or not line.time:
            return cell(DASH, aside(), classes=("numeric", "by-ratio"))
        ratio = line.time[0] / held.time[0]
        rate = f"rate {formatting.ratio(line.rate[0] / held.rate[0])}" if line.rate and held.rate else ""
        return cell(datum(formatting.ratio(ratio), ratio), aside(rate), classes=("numeric", "by-ratio"))

    def original_of(self, line: Line) -> BenchmarkRecord | None:
        record = line.record
        return (
            None if record.historic else original_of(self.store, record.implementation, record.workload, record.variant)
        )

    def original(self, line: Line) -> nodes.entry:
        original = self.original_of(line)
        if not original or not original.times or not original.times.train or not original.accuracy:
            return cell("", classes=("numeric",))
        time = datum(formatting.seconds(original.times.train), original.times.train)
        return cell(time, aside(f"{original.accuracy:.0%}"), classes=("numeric",))

    def certificate(self, line: Line) -> nodes.entry:
        """The verdict, leading to its proof, and what a reader of the row has to know."""
        verdict = line.verdict
        mark = datum("", STATES.index(verdict.state))
        mark += link(verdict.certificate, verdict.mark) if verdict.certificate else nodes.Text(verdict.mark)
        mark["classes"] = [] if verdict.state in ("certified", "historic") else ["failed"]
        why = [verdict.why] if verdict.state in ("failed", "stale") else []
        notes = [*why, *self.notes[line.key]]
        brief = [note for note in notes if len(note) <= BRIEF]
        return cell(mark, *map(aside, brief), *folded([note for note in notes if note not in brief]))

    def plot(self) -> list[nodes.Node]:
        name = f"Plot of the table above. {self.caption}"
        return figure(self.store, self.shown, name, f"{self.time_title} in seconds and test accuracy.")


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
    return nodes.table("", nodes.title("", title), group, classes=["rosetta-table", "rosetta-lines"])


class Results(SphinxDirective):
    """All machines: the newest first, then the historic; what is not published comes after all that is.

    The controls open with the published table that has most rows.
    """

    optional_arguments = len(WORKLOADS)
    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        if self.state.document.next_node(table_picker.Bar):
            raise self.error("One {results} a page: its controls choose among all tables of the page.")
        self.store = stores.store(self.config)
        unknown = [name for name in self.arguments if name not in WORKLOADS]
        if unknown:
            raise self.error(str(nearest("network", unknown[0], list(WORKLOADS))))
        self.workloads = list(self.arguments or WORKLOADS)
        self.choices: dict[TableChoice, tuple[int, bool, bool, int]] = {}  # what the controls open with is least
        sections = [self.section(workload) for workload in self.workloads]
        choices = sorted(self.choices, key=lambda choice: self.choices[choice])
        return [*self.unpublished(choices), *table_picker.bar(choices), *sections, *table_picker.end(choices)]

    def unpublished(self, choices: list[TableChoice]) -> list[nodes.Node]:
        """Links to the tables of this machine's own runs, which come last."""
        local = [choice for choice in choices if self.choices[choice][1]]
        if not local:
            return []
        text = nodes.paragraph("", "This machine’s own runs, not published: ")
        for choice in local:
            name = f"{workloads.get(choice.workload).title}, preset {choice.preset}"
            text += [nodes.reference("", name, refid=choice.id, internal=True), nodes.Text(" · ")]
        text.pop()
        return [text]

    def section(self, workload: str) -> nodes.section:
        runs = self.store.of_kind(BenchmarkRecord, workload=workload)
        groups: dict[tuple[str, bool], list[BenchmarkRecord]] = {}
        for run in reversed(runs):  # newest first
            groups.setdefault((run.machine.id, self.store.is_local(run)), []).append(run)
        ordered = sorted(groups.items(), key=lambda item: (item[0][1], item[1][0].historic))
        section = _part(workloads.get(workload).title, f"results-{workload}")
        if all(run.historic for run in runs):
            text = "This project has no recorded benchmark yet. The table below is from the original notebooks."
            section += nodes.paragraph("", text, classes=["rosetta-none"])
        section += [self.machine(local, runs_of_machine) for (_, local), runs_of_machine in ordered]
        return section

    def machine(self, local: bool, runs: list[BenchmarkRecord]) -> nodes.section:
        last = runs[0]
        title = last.machine.name + (" (this machine, just now; not published)" if local else "")
        machine = f"{last.machine.id}{'-local' if local else ''}"
        section = _part(title, f"{last.workload}-{machine}")
        facts = [f"Historic, quoted from: {run.source}" for run in runs if run.historic and run.source]
        for fact in dict.fromkeys(facts or [formatting.machine_facts(last.machine)]):
            section += nodes.paragraph("", fact)
        for preset in formatting.PRESETS:
            for device in formatting.DEVICES:
                measured = [run for run in runs if (run.preset, run.device) == (preset, device)]
                if measured:
                    name = f"{last.workload}-{machine}-{preset}-{device}"
                    part = _part(f"Preset {preset}, {formatting.DEVICES[device]}", name)
                    shown = lines(self.store, measured)
                    part += Table(self.store, self.env, shown).content()
                    section += part
                    choice = TableChoice(part["ids"][0], last.workload, machine, title, preset, device)
                    asked = self.workloads.index(last.workload)
                    self.choices[choice] = (asked, local, last.historic, -len(shown))
        return section


def _part(title: str, name: str) -> nodes.section:
    """A section that the bar of controls shows or hides."""
    name = nodes.make_id(name)
    return nodes.section("", nodes.title("", title), ids=[name], names=[name], classes=["rosetta-part"])


class Lifecycle(SphinxDirective):
    """`{lifecycle}`: of every framework, when it lived, what came after it, and what it needs to run today."""

    def run(self) -> list[nodes.Node]:
        store = stores.store(self.config)
        header = ["Framework", "Since", "Last release", "Status", "Runs here", "Needs today, and why"]
        body: list[list[nodes.Node]] = []
        for implementation in store.implementations.values():
            name = nodes.reference("", implementation.name, refuri=implementation.framework.home_page)
            body.append([name, *(nodes.inline("", text) for text in self.life(store, implementation))])
        return [table(header, body, "The history of the frameworks")]

    @staticmethod
    def life(store: stores.Store, implementation: Implementation) -> list[str]:
        framework = implementation.framework
        now = "retired" if framework.retired else "active"
        now += f"; succeeded by {framework.successor}" if framework.successor else ""
        here = f"{newest.version(store, implementation) or 'not run yet'}, Python {implementation.environment.python}"
        return [framework.since, framework.last_release or DASH, now, here, framework.needs or "only its packages"]


def setup(app: Sphinx) -> None:
    app.add_directive("results", Results)
    app.add_directive("lifecycle", Lifecycle)
