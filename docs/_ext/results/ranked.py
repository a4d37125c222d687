"""`{ranked}`: the newest ranked sweep of each machine and device. Without any sweep, it shows nothing.

For each network: a plot with intervals, the ranked tables, whether accuracies are equivalent, and where the time goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isnan

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from _ext.core import formatting
from _ext.core import store as stores
from _ext.core.elements import DASH, aside, cell, heading, row_header, table
from _ext.core.links import link, page_link, target
from _ext.results import accuracies, time_parts
from _ext.results.plots import captioned
from _ext.results.sweeps import Entry, Sweep, sweeps
from _ext.results.whiskers import Whisker, whiskers
from rosetta_host.benchmark.ranking import counts
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import TUNED
from rosetta_host.records.store import Conditions, TurnRecord

TITLE = "Ranked by the time of a step"
RANKS = "Ranked is the time of a steady step relative to the reference. Compiling is a column of its own, not ranked."
MAY = (
    "two implementations that share no letter differ in the time of a step on this machine, with this network, in the "
    "hours of this sweep."
)
MAY_NOT = (
    "the order holds on another machine, device, network or batch size; that two which share a letter are equally "
    "fast; that an implementation could not be faster; or that one is more accurate."
)
RULES = "How a ranking is made"  # a section of that page
TIMED = ["Letters", "Step", "Ratio", "Compile", "Epoch in total"]
MARKS = (
    "Seconds per step relative to the reference, on a logarithmic axis, with the 95 % interval. Two that share a "
    "letter cannot be distinguished. A dot is an implementation out of the box{tuned}.{empty}"
)


class RankedSweeps(SphinxDirective):
    """A section with what a reader may conclude, and in it one for each network."""

    def run(self) -> list[nodes.Node]:
        store = stores.store(self.config)
        parts = {name: list(sweeps(store, name)) for name in workloads.names()}
        if not any(parts.values()):
            return []
        section = _section(TITLE, "ranked")
        section += [_sentence("You may conclude that", MAY), _sentence("You may not conclude that", MAY_NOT)]
        section += nodes.paragraph("", "", page_link("how-numbers", RULES, f"#{nodes.make_id(RULES)}"))
        section += [self.network(workload, shown) for workload, shown in parts.items() if shown]
        return [section]

    def network(self, workload: str, shown: list[Sweep]) -> nodes.section:
        """The sweeps of a network; several have a heading each, and so has one that is not published."""
        section = _section(workloads.get(workload).title, f"ranked-{workload}")
        for sweep in shown:
            if len(shown) == 1 and not sweep.local:
                section += self.sweep(sweep)
            else:
                place = f"{sweep.first.machine.id}-{sweep.first.device}{'-local' if sweep.local else ''}"
                part = _section(_place(sweep), f"ranked-{workload}-{place}")
                part += self.sweep(sweep)
                section += part
        return section

    def sweep(self, sweep: Sweep) -> list[nodes.Node]:
        title = f"{workloads.get(sweep.workload).title}, {_place(sweep)}, {formatting.day(sweep.first.sweep)}"
        plain = [entry for entry in sweep.entries if entry.ranked.case.variant is None]
        variants = [entry for entry in sweep.entries if entry.ranked.case.variant is not None]
        variants.sort(key=lambda entry: (entry.ranked.case.variant != TUNED, entry.ranked.case.variant))
        made = [*_plot(sweep, title), self.implementations(sweep, plain)]
        made += [self.variants(sweep, variants)] if variants else []
        return [*made, nodes.paragraph("", accuracies.sentence(sweep)), *time_parts.content(sweep, title)]

    def implementations(self, sweep: Sweep, entries: list[Entry]) -> nodes.table:
        """The implementations out of the box, each with its tuned variant beside it."""
        head = heading(["Framework", *TIMED, "Tuned", "Turns", "Certificate"], [*TIMED[1:], "Tuned", "Turns"])

        def tuned(entry: Entry) -> nodes.entry:
            return _tuned(sweep.entry(entry.ranked.case.implementation, TUNED))

        body = [self.line(sweep, entry, tuned) for entry in entries]
        return table([head], body, f"{caption(sweep)} {conditions(sweep.turns)}", ("rosetta-ranked",))

    def variants(self, sweep: Sweep, entries: list[Entry]) -> nodes.table:
        """The other ways of training, grouped by what they are."""
        head = heading(["Framework", *TIMED, "Variant", "Turns", "Certificate"], [*TIMED[1:], "Turns"])

        def variant(entry: Entry) -> nodes.entry:
            name = entry.ranked.case.variant or ""
            return cell(formatting.VARIANTS.get(name, name))

        body = [self.line(sweep, entry, variant) for entry in entries]
        text = "Variants, of the same sweep and with the letters of the same comparison: tuned ones first."
        return table([head], body, text, ("rosetta-ranked",))

    def line(self, sweep: Sweep, entry: Entry, own: Callable[[Entry], nodes.entry]) -> nodes.row:
        """A case: what was timed, or why nothing was; the cell that is its table's own; and what a reader must know."""
        ranked, record = entry.ranked, entry.record
        name = sweep.store.name(record)
        timed = _timed(sweep, entry)
        if entry.failed:
            reason = f"{ranked.status}: {ranked.reason}" if ranked.reason else ranked.status
            timed = [cell(reason, classes=("failed",), columns=len(TIMED))]
        version = [aside(ranked.version)] if ranked.version else []
        others = [aside(f"{ranked.disturbed} disturbed")] if ranked.disturbed else []
        turns = cell(str(ranked.turns), *others, classes=("numeric",))
        row = nodes.row("", row_header(name, *version), *timed, own(entry), turns, _certificate(entry))
        row["classes"] = ["is-stale"] if entry.stale else []
        target(self.env, row, record, formatting.implementation_name(sweep.store, record))
        return row


def _section(title: str, name: str) -> nodes.section:
    anchor = nodes.make_id(name)
    return nodes.section("", nodes.title("", title), ids=[anchor], names=[anchor])


def _sentence(begin: str, rest: str) -> nodes.paragraph:
    return nodes.paragraph("", "", nodes.strong("", begin), nodes.Text(f" {rest}"))


def _place(sweep: Sweep) -> str:
    """Machine and device of a sweep."""
    local = " (this machine, just now; not published)" if sweep.local else ""
    return f"{sweep.first.machine.name}, on its {formatting.PROCESSORS[sweep.first.device]}{local}"


def caption(sweep: Sweep) -> str:
    """Where and when, the reference, the turns, and what is ranked."""
    good = [turn for turn in sweep.turns if counts(turn)]
    disturbed = sum(bool(turn.disturbed) for turn in sweep.turns)
    turns = f"{len(good)} turns count" + (f"; disturbed, and not counted: {disturbed}" if disturbed else "")
    day = formatting.day(sweep.first.sweep)
    return f"{_place(sweep)}, {day}. Reference: {sweep.reference_name}. {turns}. {RANKS}"


def conditions(turns: Iterable[TurnRecord]) -> str:
    """What else the machine did during the turns that count, as it was sampled, in a sentence."""
    sampled = [turn.conditions for turn in turns if turn.conditions and counts(turn)]

    def span(value: Callable[[Conditions], float | None]) -> list[float]:
        values = [figure for figure in map(value, sampled) if figure is not None]
        return [min(values), max(values)] if values else []

    rates = [rate / 1e9 for each in sampled for rate in each.matmul_rates]
    facts = [
        *(f"other work took up to {most:.1%} of the cores" for most in span(lambda it: it.other_work)[1:]),
        *(f"the hypervisor up to {most:.1%}" for most in span(lambda it: it.steal)[1:]),
        *(f"a process waited for a core up to {most:.1%} of the time" for most in span(lambda it: it.pressure)[1:]),
        *(f"at least {least / 2**30:.1f} GiB of memory were free" for least in span(lambda it: it.free_memory)[:1]),
        *(f"the cores ran at {least / 1e9:.1f} GHz or more" for least in span(lambda it: it.frequency)[:1]),
        *([f"the matrix product ran at {min(rates):,.0f} to {max(rates):,.0f} GFLOP/s"] if rates else []),
    ]
    return f"Sampled during these turns: {', '.join(facts)}." if facts else "What else the machine did is not recorded."


def _interval(low: float, high: float, form: Callable[[float], str]) -> list[nodes.Node]:
    """The bounds as a second line; nothing for a single turn, which has none."""
    return [] if isnan(low) else [aside(f"{form(low)} to {form(high)}")]


def _timed(sweep: Sweep, entry: Entry) -> list[nodes.entry]:
    """The cells of `TIMED`."""
    ranked = entry.ranked
    is_known = not isnan(ranked.compile)
    contents: list[list[nodes.Node | str]] = [
        [ranked.letters or DASH],
        [formatting.duration(ranked.step), *_interval(ranked.step_low, ranked.step_high, formatting.duration)],
        [formatting.ratio(ranked.ratio), *_interval(ranked.low, ranked.high, formatting.ratio)],
        [formatting.seconds(ranked.compile) if is_known else DASH],
        [formatting.seconds(ranked.seconds(sweep.epoch_steps)) if is_known else DASH],
    ]
    letters, *numbers = contents
    return [cell(*letters), *(cell(*content, classes=("numeric",)) for content in numbers)]


def _tuned(entry: Entry | None) -> nodes.entry:
    """Ratio, interval and letters of the tuned variant."""
    if entry is None:
        return cell(DASH, classes=("numeric",))
    ranked = entry.ranked
    text = " ".join(filter(None, (formatting.ratio(ranked.ratio), ranked.letters)))
    return cell(text, *_interval(ranked.low, ranked.high, formatting.ratio), classes=("numeric",))


def _certificate(entry: Entry) -> nodes.entry:
    """The verdict, leading to its proof, and what a reader of the line has to know."""
    verdict, record = entry.verdict, entry.record
    mark = nodes.inline("", "", classes=[] if verdict.state == "certified" else ["failed"])
    mark += link(verdict.certificate, verdict.mark) if verdict.certificate else nodes.Text(verdict.mark)
    why = entry.stale or (verdict.why if verdict.state in ("failed", "stale") else "")
    notes = (why, formatting.environment(record), formatting.uncommitted(record))
    return cell(mark, *(aside(note) for note in notes if note))


def _plot(sweep: Sweep, title: str) -> list[nodes.Node]:
    """The implementations out of the box, the fastest first, each with its tuned variant on the same line."""
    dots = []
    for entry in sweep.entries:
        variant = entry.ranked.case.variant
        if not entry.failed and variant in (None, TUNED):
            dots.append(_whisker(sweep.store, entry, variant == TUNED))
    if not dots:
        return []
    dots.sort(key=lambda dot: dot.tuned)  # the first dots of the lines set their order
    tuned = ", and a diamond its tuned variant" if any(dot.tuned for dot in dots) else ""
    empty = "" if all(dot.current for dot in dots) else " An empty mark has no valid certificate or is stale."
    name = f"Time of a step relative to {sweep.reference_name}, {title}. The table below holds the numbers."
    return [captioned(whiskers(dots, name), MARKS.format(tuned=tuned, empty=empty), compact=True)]


def _whisker(store: stores.Store, entry: Entry, tuned: bool) -> Whisker:
    ranked = entry.ranked
    low, high = (ranked.ratio if isnan(bound) else bound for bound in (ranked.low, ranked.high))
    name = store.name(entry.record)
    return Whisker(name, ranked.ratio, low, high, tuned, entry.current, "" if tuned else ranked.letters)


def setup(app: Sphinx) -> None:
    app.add_directive("ranked", RankedSweeps)
