"""What stands under a snippet: what its run gave, whether that run is certified, and how to repeat it. From records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from statistics import median
from typing import NamedTuple, cast

import msgspec
from docutils import nodes
from sphinx.environment import BuildEnvironment

from _ext.core import comparison, formatting, newest
from _ext.core.comparison import Setting
from _ext.core.links import link, site_file
from _ext.core.store import Store
from _ext.core.texts import executed_text
from _ext.snippets import downloads, repeats
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import VARIANTS, Case
from rosetta_host.environments.digests import example_digest
from rosetta_host.records.codes import Coverage
from rosetta_host.records.store import BenchmarkRecord, CertificateRecord, Executed, Times

CURVE_WIDTH, CURVE_HEIGHT = 120, 24  # pixels
ALL = "all of this run"

Shown = BenchmarkRecord | CertificateRecord


class Rates(NamedTuple):
    """Which rates captions give: those of this setting first, and those of `others` or none."""

    setting: Setting | None
    others: bool


def shown_run(store: Store, case: Case, digest: str, setting: Setting | None) -> Shown | None:
    """The run that speaks for a snippet, or None.

    One of this very source if there is one; a success before a failure, a benchmark before a certificate; one of the
    given setting, so that captions can be compared; all of the data before the sample, a locked environment, which a
    reader can make as well, before an external interpreter, a CPU before a GPU; the newest of what is left.
    """

    def worth(record: Shown) -> tuple[bool, bool, bool, bool, int, bool, tuple[bool, str]]:
        return (
            record.digests.get("example") == digest,
            record.status == "ok",
            isinstance(record, BenchmarkRecord),
            isinstance(record, BenchmarkRecord) and Setting.of(record) == setting,
            -_preset_rank(record),
            record.environment is None,
            newest.rank(record),
        )

    return max(_runs(store, case), key=worth, default=None)


def _runs(store: Store, case: Case) -> list[Shown]:
    wanted = {"implementation": case.implementation.id, "workload": case.workload, "variant": case.variant}
    runs: list[Shown] = [*store.of_kind(CertificateRecord, **wanted)]
    return runs + store.of_kind(BenchmarkRecord, **wanted, historic=False)


def _preset_rank(record: Shown) -> int:
    """The place of a run's preset among all, those of more data first."""
    presets = list(formatting.PRESETS)
    if isinstance(record, BenchmarkRecord) and record.preset in presets:
        return presets.index(record.preset)
    return len(presets)


def shared_setting(store: Store, folders: Iterable[list[Case]]) -> Setting | None:
    """The setting in which each folder has a published run of its source as it is; None where there is none.

    Each folder's cases are its implementations. Of several settings the usual one is taken, otherwise the first by
    name."""
    folders = list(folders)
    settings = [
        {
            Setting.of(run)
            for case in cases
            for run in _runs(store, case)
            if isinstance(run, BenchmarkRecord)
            and run.status == "ok"
            and not store.is_local(run)
            and run.digests.get("example") == example_digest(case.implementation.example(case.workload))
        }
        for cases in folders
    ]
    shared = set.intersection(*settings) if settings else set()
    usual = {comparison.usual(store, case.workload) for cases in folders for case in cases}
    return min(shared, key=lambda setting: (setting not in usual, setting), default=None)


def ran(env: BuildEnvironment, store: Store, case: Case, functions: list[str], rates: Rates) -> nodes.container:
    """A line that says what the run gave and whether it is certified; then all of it, folded.

    All of it is on a page once, under the run's first snippet, and the later ones link there: repeated under each
    snippet it would be a sixth of a page with every step.
    """
    return nodes.container("", *_ran(env, store, case, functions, rates), classes=["rosetta-run"])


def _ran(env: BuildEnvironment, store: Store, case: Case, functions: list[str], rates: Rates) -> list[nodes.Node]:
    digest = example_digest(case.implementation.example(case.workload))
    run = shown_run(store, case, digest, rates.setting)
    name = case.implementation.name
    if run is None:
        return [caption(f"{name}: not run yet", "is-open")]
    where = formatting.versioned(name, run)
    if run.digests.get("example") != digest:
        return [caption(link(run, f"edited since it last ran: {where} · {formatting.date(run)}"), "is-open")]
    if run.status != "ok":
        reason = f" ({run.reason})" if run.reason else ""
        return [caption(link(run, f"{run.status}{reason}: {where} · {formatting.date(run)}"), "is-open")]
    line = _summary(store, run, where, functions, rates)
    ways = store.executed(run.implementation, run.workload, digest)
    idle = [name for name in functions if name in ways and ways[name].code == Coverage.NOT_RUN]
    if idle:
        line += nodes.Text(f" · not run in its certificate: {', '.join(idle)}")
    anchors = cast("set[str]", env.temp_data.setdefault("rosetta_runs", set()))
    anchor: str = nodes.make_id(
        "run-" + "-".join(filter(None, (run.kind, run.implementation, run.workload, run.variant)))
    )
    if anchor in anchors:
        line += [nodes.Text(" · "), nodes.reference("", ALL, refid=anchor, internal=True, classes=["rosetta-all"])]
        return [line]
    anchors.add(anchor)
    return [line, *_folded(env, store, run, case, ways, anchor)]


def caption(content: nodes.Node | str, state: str) -> nodes.paragraph:
    """A line under a snippet, with a dot that tells its state."""
    text = nodes.Text(content) if isinstance(content, str) else content
    return nodes.paragraph("", "", text, classes=["rosetta-ran", state])


def _summary(store: Store, run: Shown, where: str, functions: list[str], rates: Rates) -> nodes.paragraph:
    verdict = store.verdict(run)
    why = f": {verdict.why}" if verdict.state in ("failed", "stale") else ""
    line = caption(link(run, f"ran: {where}"), "is-certified" if verdict.state == "certified" else "is-open")
    mark = f"{verdict.mark}{why}"
    line += [nodes.Text(" · "), link(verdict.certificate, mark) if verdict.certificate else nodes.Text(mark)]
    if changes := formatting.uncommitted(run):
        line += nodes.Text(f" · {changes}")
    if isinstance(run, BenchmarkRecord):
        rated = rates.others or Setting.of(run) == rates.setting
        shown = run if rated else msgspec.structs.replace(run, train_rate=None, predict_rate=None)
        for name in functions:
            line += [nodes.Text(f" · {fact}") for fact in GAVE.get(name, _nothing)(shown)]
        if {"train", *VARIANTS}.intersection(functions):
            line += _curve(run)
    return line


def _nothing(run: BenchmarkRecord) -> Iterator[str]:
    return iter(())


def _loaded(run: BenchmarkRecord) -> Iterator[str]:
    yield from (f"{name}: {run.shapes[name]}" for name in ("x", "y") if name in run.shapes)


def _symbol(run: BenchmarkRecord) -> Iterator[str]:
    if run.parameters:
        yield f"{run.parameters:,} parameters"


def _initialized(run: BenchmarkRecord) -> Iterator[str]:
    if run.times and run.times.build is not None:
        yield f"built in {formatting.seconds(run.times.build)}"


def _trained(run: BenchmarkRecord) -> Iterator[str]:
    losses = [loss for loss in run.losses if loss is not None]
    if losses:
        epochs = "1 epoch" if len(losses) == 1 else f"{len(losses)} epochs"
        yield f"loss {losses[-1]:.3f} after {epochs}"
    if run.train_rate:
        yield _rate(run, run.train_rate)


def _rate(run: BenchmarkRecord, rate: float) -> str:
    """A rate names its machine: rates of two machines cannot be compared."""
    where = f"the GPU of {run.machine.name}" if run.device == "gpu" else run.machine.name
    return f"{rate:,.0f} {workloads.get(run.workload).samples}/s on {where}"


def _predicted(run: BenchmarkRecord) -> Iterator[str]:
    if "scores" in run.shapes:
        yield f"scores: {run.shapes['scores']}"
    if run.predict_rate:
        yield _rate(run, run.predict_rate)


def _evaluated(run: BenchmarkRecord) -> Iterator[str]:
    if run.accuracy is not None:
        yield f"accuracy {run.accuracy:.1%} after {formatting.epochs(run)}"


# What the one line says of each verb; the rest is folded.
GAVE: dict[str, Callable[[BenchmarkRecord], Iterator[str]]] = {
    "load_data": _loaded,
    "create_symbol": _symbol,
    "init_model": _initialized,
    "train": _trained,
    **dict.fromkeys(VARIANTS, _trained),
    "predict": _predicted,
    "evaluate": _evaluated,
    "all": _evaluated,
}


def _curve(run: BenchmarkRecord) -> list[nodes.Node]:
    """The loss of each epoch as a small line; its numbers stand in what is folded."""
    losses = [loss for loss in run.losses if loss is not None]
    if len(losses) < 2:
        return []
    low, high = min(losses), max(losses)
    step, scale = (CURVE_WIDTH - 4) / (len(losses) - 1), (CURVE_HEIGHT - 4) / ((high - low) or 1)
    points = " ".join(f"{2 + i * step:.1f},{2 + (high - loss) * scale:.1f}" for i, loss in enumerate(losses))
    label = f"The loss goes from {losses[0]:.3f} to {losses[-1]:.3f} in {len(losses)} epochs."
    svg = (
        f'<svg class="rosetta-curve" role="img" aria-label="{label}" width="{CURVE_WIDTH}" height="{CURVE_HEIGHT}">'
        f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>'
    )
    return [nodes.raw("", svg, format="html")]


def _folded(
    env: BuildEnvironment, store: Store, run: Shown, case: Case, ways: dict[str, Executed], anchor: str
) -> list[nodes.Node]:
    """All of a run, folded. The id is within the fold: a browser that is led to it opens what it is folded in."""
    facts = list(_facts(store, run))
    if ways:
        same = {way: [name for name in ways if ways[name] == way] for way in ways.values()}
        coverage_text = "; ".join(f"{', '.join(names)}: {executed_text(way)}" for way, names in same.items())
        facts.append(("Line coverage in its certificate", coverage_text))
    items = [nodes.list_item("", nodes.paragraph("", "", *_fact(name, text))) for name, text in facts]
    door = f"benchmark -- --preset {run.preset}" if isinstance(run, BenchmarkRecord) else "certificate --"
    handed = " --device gpu" if run.device == "gpu" else ""
    handed += ' --python "$(command -v python3)"' if run.environment else ""
    command = f"nox -s {door} --workload {run.workload}{handed} {run.implementation}"
    again = nodes.paragraph("", "", nodes.Text("To repeat this run: "), nodes.literal(command, command))
    if not store.is_local(run):
        again += [nodes.Text(". "), site_file(f"records/{store.path(run)}", "The record"), nodes.Text(".")]
    items.append(nodes.list_item("", again))
    take = nodes.paragraph("", "", *_fact("Downloads", ""), *downloads.links(env, case.implementation, case.workload))
    items.append(nodes.list_item("", take))
    opened, closed = f"<details class='rosetta-details'><summary>{ALL}</summary>", "</details>"
    listed = nodes.bullet_list("", *items, ids=[anchor])
    return [nodes.raw("", opened, format="html"), listed, nodes.raw("", closed, format="html")]


def _fact(name: str, text: str) -> list[nodes.Node]:
    return [nodes.strong("", name), nodes.Text(f": {text}")]


def _facts(store: Store, run: Shown) -> Iterator[tuple[str, str]]:
    """Name and text of what a record holds, in the order of the steps."""
    if isinstance(run, BenchmarkRecord):
        yield from _measured(store, run)
    elif run.times and (spans := list(_spans(run.times))):
        yield "Seconds", " · ".join(spans)
    threads = f", {run.threads} threads" if run.threads and run.threads > 1 else ", one thread" if run.threads else ""
    machine = f"{run.machine.name}{', on its GPU' if run.device == 'gpu' else ''}{threads}"
    environment = f" {formatting.environment(run)}" if run.environment else ""
    yield "Place and time", f"{machine}, Python {run.python}{environment}, {formatting.date(run)}"


def _measured(store: Store, run: BenchmarkRecord) -> Iterator[tuple[str, str]]:
    """What a benchmark measured, by name."""
    preset = formatting.PRESETS.get(run.preset or "")
    if preset and run.data:
        yield preset.partition(":")[0], f"{preset.partition(': ')[2]}; {run.data.name}, {run.data.source}"
    if run.shapes:
        yield "Shapes", " · ".join(f"{name} {shape}" for name, shape in run.shapes.items())
    if run.parameters:
        yield "Parameters", f"{run.parameters:,}"
    if run.times and (spans := list(_spans(run.times))):
        yield "Seconds", " · ".join(spans)
    if run.losses:
        yield "Loss of each epoch", " ".join("not finite" if loss is None else f"{loss:.3f}" for loss in run.losses)
    yield from _again(store, run)
    if run.accuracy is not None:
        yield "Accuracy", f"{run.accuracy:.2%} of the test set"


def _again(store: Store, run: BenchmarkRecord) -> Iterator[tuple[str, str]]:
    """Whether another run of the same seed gave the same losses; nothing where there was none."""
    if again := repeats.repeated(store, run):
        same, epochs = again
        where = "the first epoch" if epochs == 1 else f"the first {epochs} epochs"
        text = f"the same loss in {where}, to the last digit" if same else f"a different loss in {where}"
        yield "Repeated with the same seed", text


def _spans(times: Times) -> Iterator[str]:
    epoch = median(times.epochs) if times.epochs else None
    named = {
        "import": times.imported,
        "data": times.load,
        "build": times.build,
        "first step": times.first_step,
        "an epoch": epoch,
        "predict": times.predict,
        "evaluate": times.evaluate,
    }
    yield from (f"{name} {formatting.seconds(value)}" for name, value in named.items() if value is not None)
