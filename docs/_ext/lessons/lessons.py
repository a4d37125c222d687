"""A lesson's page: `{lesson}` says where it still matters, `{cost}` what it costs in accuracy.

`{caught}` says which checks catch its patches, and the role {verdicts}`soft-max-twice` sums it up in a line.
Each directive is of the lesson that its page is named after, or of that which its argument names. All is drawn
from lessons.toml, the folders' mutants.toml and the records of `nox -s lessons`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

from _ext.core import formatting
from _ext.core import store as stores
from _ext.core.elements import DASH, Details, aside, cell, datum, fold, heading, row_header, table
from _ext.core.links import site_file
from _ext.core.numbers import Role
from _ext.lessons.evidence import (
    NEEDS_GPU,
    STILL_A_TRAP,
    TIMED,
    Cost,
    LessonEvidence,
    Measurement,
    MeasurementSetting,
    today,
)
from rosetta_host.catalog.frameworks import UserError, nearest
from rosetta_host.lessons import declarations
from rosetta_host.lessons.declarations import Lessons
from rosetta_host.records.store import Record

logger = logging.getLogger(__name__)


def declared(env: BuildEnvironment) -> Lessons:
    """The lessons of this site. Raises UserError where lessons.toml is not valid."""
    path = Path(env.srcdir, "lessons", "lessons.toml")
    return declarations.read(path) if path.exists() else Lessons({})


def evidence(env: BuildEnvironment, slug: str) -> LessonEvidence:
    """The measurements of one lesson. Raises UserError for an unknown lesson."""
    lessons = declared(env).by_slug
    if slug not in lessons:
        raise nearest("lesson", slug, list(lessons))
    if not lessons[slug].mutants and not lessons[slug].gpu:
        raise UserError(f"The lesson {slug!r} names no mutant, so there is nothing to show.")
    return LessonEvidence(stores.store(env.config), today(env.config), slug, lessons[slug])


def summary(evidence: LessonEvidence) -> str:
    """The verdicts in short, a sentence for each patch."""
    several = len(evidence.lesson.mutants) > 1
    verdicts = {name: evidence.tell(name) for name in evidence.lesson.mutants}
    phrases = [(f"{formatting.mutant(name)}: " if several else "") + text for name, text in verdicts.items() if text]
    if evidence.lesson.gpu and not evidence.on_gpu:
        phrases.append((f"on a GPU: {NEEDS_GPU.partition(': ')[2]}") if phrases else NEEDS_GPU)
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in phrases or ["not measured yet"])


class _OfLesson(SphinxDirective):
    optional_arguments = 1
    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        slug = self.arguments[0] if self.arguments else self.env.docname.rpartition("/")[2]
        try:
            self.evidence = evidence(self.env, slug)
        except UserError as error:
            return self.warn(str(error))
        self.store, self.lesson = self.evidence.store, self.evidence.lesson
        self.several = len(self.lesson.mutants) > 1
        return self.content_nodes()

    def warn(self, text: str) -> list[nodes.Node]:
        logger.warning("%s: %s", self.name, text, location=self.get_location(), type="rosetta", subtype="lesson")
        return []

    def content_nodes(self) -> list[nodes.Node]:
        raise NotImplementedError

    def name_cell(self, measurement: Measurement | Cost) -> nodes.entry:
        """The name of the implementation, and the record of the verdict."""
        run = measurement.newest
        return row_header(measurement.implementation.name, *([aside(*self.provenance(run))] if run else []))

    def provenance(self, run: Record) -> list[nodes.Node | str]:
        """The version that ran, and the day, which leads to the record where it is published."""
        day = formatting.date(run)
        linked = day if self.store.is_local(run) else site_file(f"records/{self.store.path(run)}", day)
        changes = formatting.uncommitted(run)
        return [*([f"{run.version} · "] if run.version else []), linked, *([f" · {changes}"] if changes else [])]

    def patch_cell(self, name: str) -> list[nodes.entry]:
        return [cell(formatting.mutant(name))] if self.several else []

    def setting_cell(self, setting: MeasurementSetting | None, settings: set[str]) -> list[nodes.entry]:
        return [cell(setting.name if setting else "")] if len(settings) > 1 else []

    def head(self, titles: list[str], numeric: list[str], settings: set[str]) -> nodes.row:
        """The titles, with those of the columns that only some tables need."""
        named = ["Framework", *(["Patch"] if self.several else []), *titles]
        named += ["Machine"] if len(settings) > 1 else []
        return heading(named, numeric)


class LessonTable(_OfLesson):
    """The verdicts in a sentence, and a line for each implementation, patch and machine."""

    def content_nodes(self) -> list[nodes.Node]:
        text = summary(self.evidence)
        if self.lesson.gpu and not self.evidence.on_gpu:
            text += f" Why it needs a GPU: {self.lesson.gpu}."
        made: list[nodes.Node] = [nodes.paragraph("", "", nodes.strong("", text))]
        listed = [measurement for measurement in self.evidence.measurements if not self.is_apart(measurement)]
        made += self.shown(listed) if listed else []
        made += self.unwritten()
        if self.evidence.measurements and self.evidence.silent:
            names = ", ".join(implementation.name for implementation in self.evidence.silent)
            made.append(nodes.paragraph("", f"Not tried in: {names}."))
        return made

    def shown(self, listed: list[Measurement]) -> list[nodes.Node]:
        """The table of these measurements, folded where the sentence above says it all: one verdict, and no times."""
        made = self.table(listed)
        if (
            len(listed) < 2
            or len({measurement.verdict for measurement in listed}) > 1
            or any(measurement.seconds for measurement in listed)
        ):
            return [made]
        return [fold(f"All {len(listed)} lines, with what is recorded of each patch", made)]

    def is_apart(self, measurement: Measurement) -> bool:
        """With several patches, those that cannot be written stand below: most implementations lack one kind."""
        return self.several and measurement.verdict == "cannot be written here"

    def unwritten(self) -> Iterator[Details]:
        """For each patch the implementations that cannot write it, with their reasons."""
        for name in self.lesson.mutants:
            reasons = [
                f"{measurement.implementation.name}: {measurement.why}."
                for measurement in self.evidence.of_mutant(name)
                if self.is_apart(measurement)
            ]
            if reasons:
                implementations = "1 implementation" if len(reasons) == 1 else f"{len(reasons)} implementations"
                title = f"{formatting.mutant(name).capitalize()}: why it cannot be written in {implementations}"
                items = [nodes.list_item("", nodes.paragraph("", reason)) for reason in reasons]
                listed = nodes.bullet_list("", *items)
                yield fold(title, listed)

    def table(self, shown: list[Measurement]) -> nodes.table:
        timed = ["Step without the patch", "With the patch", "Ratio"] if self.lesson.timed else []
        settings = {measurement.setting.name for measurement in shown if measurement.setting}
        head = self.head(["Verdict", "Certificate", *timed], timed, settings)
        body = [self.line(measurement, settings) for measurement in shown]
        where = f", on {next(iter(settings))}" if len(settings) == 1 else ""
        return table([head], body, f"The patch in each implementation{where}", ("rosetta-lesson",))

    def line(self, measurement: Measurement, settings: set[str]) -> nodes.row:
        cells = [self.name_cell(measurement), *self.patch_cell(measurement.name), self.verdict(measurement)]
        cells += [cell(measurement.certificate or DASH), *(self.times(measurement) if self.lesson.timed else [])]
        return nodes.row("", *cells, *self.setting_cell(measurement.setting, settings))

    def verdict(self, measurement: Measurement) -> nodes.entry:
        text = measurement.verdict
        on_cpu = self.lesson.gpu and measurement.setting and measurement.setting.device == "cpu"
        words = f"{text} on a CPU" if on_cpu and text in (STILL_A_TRAP, *TIMED.values()) else text
        return cell(
            words,
            *([aside(measurement.why)] if measurement.why else []),
            classes=("failed",) if text == "failed" else (),
        )

    def times(self, measurement: Measurement) -> list[nodes.entry]:
        """Seconds a step, as it is and with the patch, and the ratio with what lies around it."""
        if not measurement.seconds or not measurement.time:
            return [cell(DASH, classes=("numeric",)) for _ in range(3)]
        before, after = measurement.seconds
        run, around = measurement.time, measurement.ratio
        threads = f"{run.threads} thread{'s' if run.threads > 1 else ''}" if run.threads else ""
        how = ", ".join(fact for fact in (threads, "" if run.load is None else f"load {run.load:.1f}") if fact)
        note = f"{formatting.ratio(around.low)} to {formatting.ratio(around.high)}" if around else ""
        return [
            cell(datum(formatting.step(before), before), aside(how), classes=("numeric",)),
            cell(datum(formatting.step(after), after), aside(f"{len(run.pairs)} pairs"), classes=("numeric",)),
            cell(datum(formatting.ratio(after / before), after / before), aside(note), classes=("numeric",)),
        ]


class CostTable(_OfLesson):
    """What each patch costs in accuracy, over the same seeds, with an interval."""

    def content_nodes(self) -> list[nodes.Node]:
        if not self.lesson.accuracy:
            return self.warn(f"lessons.toml does not say that {self.evidence.slug} has its accuracy measured")
        if not self.evidence.costs:
            stale = " with the current code; the earlier measurement is stale" if self.evidence.stale_costs else ""
            return [nodes.paragraph("", f"Accuracy: not measured yet{stale}.", classes=["rosetta-none"])]
        settings = {cost.setting.name for cost in self.evidence.costs}
        titles = ["Without the patch", "With the patch", "Difference", "95 % interval"]
        head = self.head(titles, titles, settings)
        body = [self.line(cost, settings) for cost in self.evidence.costs]
        where = f", on {next(iter(settings))}" if len(settings) == 1 else ""
        return [table([head], body, f"Accuracy after one epoch over all of the data{where}", ("rosetta-lesson",))]

    def line(self, cost: Cost, settings: set[str]) -> nodes.row:
        cells = [self.name_cell(cost), *self.patch_cell(cost.name), *self.figures(cost)]
        return nodes.row("", *cells, *self.setting_cell(cost.setting, settings))

    def figures(self, cost: Cost) -> list[nodes.entry]:
        failed = [f"seed {seed}: {run.reason or run.status}" for seed, run in sorted(cost.failed.items())]
        if not cost.runs:
            return [cell(*failed, classes=("failed",), columns=4)]
        before, after = cost.means
        seeds = "1 seed" if len(cost.runs) == 1 else f"{len(cost.runs)} seeds"
        around = cost.interval
        reach = f"{points(around.low)} to {points(around.high)}" if around else DASH
        each = ", ".join(map(points, cost.differences))
        return [
            cell(datum(f"{before:.2%}", before), aside(f"mean of {seeds}"), classes=("numeric",)),
            cell(datum(f"{after:.2%}", after), *map(aside, failed), classes=("numeric",)),
            cell(datum(f"{points(after - before)} points", after - before), aside(each), classes=("numeric",)),
            cell(reach, aside(cost.finding), classes=("numeric",)),
        ]


def points(fraction: float) -> str:
    """A difference of two accuracies in points: −1.20."""
    return f"{100 * fraction:+.2f}".replace("-", "−")


class Caught(_OfLesson):
    """Which check catches each patch most clearly, and in how many implementations."""

    def content_nodes(self) -> list[nodes.Node]:
        sentences = [text for name in self.lesson.mutants if (text := self.sentence(name))]
        return [nodes.paragraph("", text) for text in sentences or ["Not measured yet."]]

    def sentence(self, name: str) -> str:
        measured = [
            measurement for measurement in self.evidence.of_mutant(name) if measurement.size and measurement.size.checks
        ]
        if not measured:
            return ""
        about = f"{formatting.mutant(name).capitalize()}: " if self.several else ""
        implementations = "1 implementation" if len(measured) == 1 else f"{len(measured)} implementations"
        clearest = Counter(measurement.failed_checks[0].name for measurement in measured if measurement.failed_checks)
        if not clearest:
            return f"{about}It passes every check in {implementations}."
        counts = [f"“{check}” in {count}" for check, count in clearest.most_common()]
        unseen = len(measured) - clearest.total()
        counts += [f"none in {unseen}"] if unseen else []
        return f"{about}The check that fails most clearly, in {implementations}: {', '.join(counts)}."


class Verdicts(Role):
    """The verdicts of one lesson in short."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            text = summary(evidence(self.env, self.text))
        except UserError as error:
            return self.warn(str(error))
        return [nodes.emphasis("", text, classes=["rosetta-verdicts"])], []


def setup(app: Sphinx) -> None:
    app.add_directive("lesson", LessonTable)
    app.add_directive("cost", CostTable)
    app.add_directive("caught", Caught)
    app.add_role("verdicts", Verdicts())
