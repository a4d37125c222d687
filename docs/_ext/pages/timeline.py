"""`{museum} living`, `{museum} retired`: a section a folder of examples/, its life and how it runs here today.

`{museum} time-line`: when each was born, as a drawing. The years in which they ended are in no file, so none is drawn.
"""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

from _ext.core import newest
from _ext.core import store as stores
from _ext.core.folders import by_folder
from _ext.core.links import link, page_link
from _ext.pages.svg import INK, LINE, Drawing
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import Implementation, nearest
from rosetta_host.records.store import BenchmarkRecord, CertificateRecord, Record, is_historic

logger = logging.getLogger(__name__)

TIME_LINE, LIVING, RETIRED = "time-line", "living", "retired"
READ = "concepts/whole"  # the page with all of an example's code
STEP, LEFT, RIGHT = 30, 5, 95  # of the time line: pixels a framework; where it begins and ends, in percent


def oldest_first(store: stores.Store) -> list[list[Implementation]]:
    """The implementations of each folder, the oldest folder first."""
    folders = by_folder(store.implementations.values()).values()
    return sorted(
        folders, key=lambda implementations: (implementations[0].framework.since, implementations[0].title.casefold())
    )


def time_line(lives: list[tuple[str, int, bool]], today: int) -> str:
    """Name, year of birth, and whether it is retired -> an SVG element with an accessible name."""
    first = min(born for _, born, _ in lives)
    drawing = Drawing(None, "Timeline. The sections below list the years.")
    height = STEP * len(lives) + 24

    def at(year: float) -> str:
        return f"{LEFT + (RIGHT - LEFT) * (year - first) / max(1, today - first):.4g}%"

    for year in range(first, today + 1, max(1, -(-(today - first) // 6))):
        drawing.add("line", x1=at(year), x2=at(year), y1=20, y2=height, stroke=INK, stroke_opacity=0.15)
        drawing.text(at(year), 13, str(year), text_anchor="middle", font_size="12")
    for number, (name, born, retired) in enumerate(lives):
        y = 24 + STEP * number
        anchor = "end" if 2 * born > first + today else "start"
        if not retired:
            drawing.add("line", x1=at(born), x2="100%", y1=y + 21, y2=y + 21, stroke=LINE, stroke_width=2)
        fill = {"fill": "var(--color-background-primary)"} if retired else {"fill": LINE}
        drawing.add("circle", cx=at(born), cy=y + 21, r=4.5, stroke=LINE, stroke_width=2, **fill)
        drawing.text(at(born), y + 13, name, text_anchor=anchor)
    return drawing.html(height)


class Museum(SphinxDirective):
    """Draws from framework.toml and from the newest records; a life is edited nowhere else."""

    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        self.store = stores.store(self.config)
        asked = self.arguments[0]
        if asked not in (TIME_LINE, LIVING, RETIRED):
            raise self.error(str(nearest("part of the museum", asked, [TIME_LINE, LIVING, RETIRED])))
        if asked == TIME_LINE:
            return self.drawn()
        wanted = [
            implementations
            for implementations in oldest_first(self.store)
            if implementations[0].framework.retired == (asked == RETIRED)
        ]
        if not wanted:
            return [nodes.paragraph("", "There is none.", classes=["rosetta-none"])]
        return [self.section(implementations) for implementations in wanted]

    def drawn(self) -> list[nodes.Node]:
        lives = []
        for implementations in oldest_first(self.store):
            framework = implementations[0].framework
            if framework.since.isdecimal():
                lives.append((implementations[0].title, int(framework.since), framework.retired))
            else:
                text = f"{implementations[0].folder.name}/framework.toml: since = {framework.since!r} is not a year."
                logger.warning("museum: %s", text, location=self.get_location(), type="rosetta", subtype="museum")
        if not lives:
            return []
        seen = [int(record.created[:4]) for record in self.store.records if not is_historic(record)]
        drawing = time_line(lives, max([*seen, *(born for _, born, _ in lives)]))
        figure = nodes.figure("", nodes.raw("", drawing, format="html"), classes=["rosetta-figure"])
        text = "The year of the first release. A line marks a framework that is still developed, a ring a retired one."
        figure += nodes.caption("", text)
        return [figure]

    def section(self, implementations: list[Implementation]) -> nodes.section:
        framework, name = implementations[0].framework, nodes.make_id(implementations[0].folder.name)
        section = nodes.section("", nodes.title("", implementations[0].title), ids=[name], names=[name])
        if framework.why_alive:
            section += nodes.paragraph("", framework.why_alive)
        facts: list[tuple[str, list[nodes.Node]]] = [("First release", [nodes.Text(framework.since)])]
        facts += [("Last release", [nodes.Text(framework.last_release)])] if framework.last_release else []
        facts += [("Successor", [nodes.Text(framework.successor)])] if framework.successor else []
        facts += [
            ("Runs here", [self.runs(implementation) for implementation in implementations]),
            ("Needs today", self.needs(implementations)),
        ]
        home = nodes.reference("", "home page", refuri=framework.home_page)
        read = page_link(READ, "its code here", f"?framework={implementations[0].folder.name}")
        facts += [("See", [nodes.inline("", "", read, nodes.Text(" · "), home)])]
        items = [
            nodes.definition_list_item(
                "", nodes.term("", term), nodes.definition("", *(nodes.paragraph("", "", fact) for fact in all_said))
            )
            for term, all_said in facts
        ]
        section += nodes.container("", nodes.definition_list("", *items), classes=["rosetta-facts"])
        return section

    def runs(self, implementation: Implementation) -> nodes.inline:
        """What ran last in the locked environment: its version, its Python, and the certificates of each network."""
        wanted = {"implementation": implementation.id, "variant": None, "environment": None}
        runs: list[Record] = [*self.store.of_kind(CertificateRecord, **wanted)]
        runs += self.store.of_kind(BenchmarkRecord, **wanted, historic=False)
        version = newest.version(self.store, implementation)
        name = f"{implementation.name}: " if implementation.backend else ""
        line = nodes.inline("", f"{name}{version or 'not run yet'}, on Python {implementation.environment.python}")
        for workload in implementation.workloads:
            last = newest.anywhere(run for run in runs if run.workload == workload)
            line += nodes.Text(f" · {workloads.get(workload).short} ")
            line += link(last, self.verdict(last)) if last else nodes.inline("", "not run yet")
        return line

    def verdict(self, run: Record) -> str:
        if isinstance(run, BenchmarkRecord) and run.status != "ok":
            return run.status + (f": {run.reason}" if run.reason else "")
        return self.store.verdict(run).mark

    @staticmethod
    def needs(implementations: list[Implementation]) -> list[nodes.Node]:
        """What it needs, once where all backends need the same."""
        needs = {
            implementation.name: implementation.framework.needs or "Only its packages."
            for implementation in implementations
        }
        if len(set(needs.values())) == 1:
            return [nodes.Text(next(iter(needs.values())))]
        return [nodes.inline("", f"{name}: {text}") for name, text in needs.items()]


def setup(app: Sphinx) -> None:
    app.add_directive("museum", Museum)
