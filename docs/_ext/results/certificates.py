"""`{certificates}`: the newest certificate of each implementation: a line of figures, with all checks to unfold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from docutils import nodes
from sphinx.application import Sphinx

from _ext.core import formatting, newest, verdicts
from _ext.core import store as stores
from _ext.core.directives import OfWorkloads
from _ext.core.elements import Details, Summary, cell, row_header, table
from _ext.core.links import target
from rosetta_host.records.store import CertificateRecord, RecordedCheck

DASH = "–"
WIDER = "†"


class Certificates(OfWorkloads):
    """The newest certificate of each implementation, variant, device and precision, grouped by implementation."""

    def content_nodes(self) -> list[nodes.Node]:
        groups: dict[tuple[str, ...], list[CertificateRecord]] = {}
        for run in self.store.certificates(self.workload):
            groups.setdefault(
                (run.implementation, run.variant or "", run.device or "", run.precision or ""), []
            ).append(run)
        if not groups:
            return [nodes.paragraph("", "No certificate is recorded yet.", classes=["rosetta-none"])]
        runs = sorted(
            filter(None, map(newest.anywhere, groups.values())),
            key=lambda run: (self.store.name(run).lower(), run.implementation, run.variant or ""),
        )
        families = list(dict.fromkeys(family(check) for run in runs for check in run.checks))
        head = nodes.row("", cell("Framework"), *(cell(name, classes=("numeric",)) for name in families))
        body = [
            row
            for _, group in groupby(runs, lambda run: run.implementation)
            for row in self.group(list(group), families)
        ]
        return [
            table(
                [head],
                body,
                "The newest certificate of each implementation, on each kind of processor",
                ("rosetta-proofs",),
            )
        ]

    def group(self, runs: list[CertificateRecord], families: list[str]) -> Iterable[nodes.row]:
        """The lines of one implementation: its own and those of its variants."""
        for run in runs:
            name = formatting.implementation_name(self.store, run) + (
                f", {formatting.processor(run)}" if run.device == "gpu" else ""
            )
            checks = [[check for check in run.checks if family(check) == wanted] for wanted in families]
            line = nodes.row("", row_header(name), *map(figure, checks))
            line["classes"] = ["is-first"] if run is runs[0] else []
            target(self.env, line, run, name)
            yield line
            yield nodes.row("", cell(proof(self.store, run), columns=len(families) + 1), classes=["rosetta-proof"])


def family(check: RecordedCheck) -> str:
    """What checks like "step median" and "step worst", or "shuffle: samples, not blocks", have in common."""
    before, colon, _ = check.name.partition(":")
    return before if colon else before.partition(" ")[0]


def figure(checks: list[RecordedCheck]) -> nodes.entry:
    """The figure of a family that lies nearest to its limit, or the check that failed."""
    failed = [check for check in checks if not check.ok]
    if failed:
        rest = failed[0].name.removeprefix(family(failed[0])).strip(": ")
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        text = " ".join(part for part in ("✗", rest, number(failed[0].figure)) if part)
        return cell(text + more, classes=("numeric", "failed"))
    if any(check.limit is None for check in checks):
        return cell(f"✓ {len(checks)} of {len(checks)}", classes=("numeric",))
    shares = [(check.figure / check.limit, check) for check in checks if check.figure is not None and check.limit]
    if not shares:
        return cell("✓" if checks else DASH, classes=("numeric",))
    nearest = max(shares, key=lambda share: share[0])[1]
    return cell(number(nearest.figure) + (f" {WIDER}" if nearest.reason else ""), classes=("numeric",))


def number(value: float | None) -> str:
    """0.36, 1.2e-4; nothing for what was not a finite number."""
    if value is None:
        return ""
    return f"{value:.2g}" if value == 0 or value >= 0.01 else f"{value:.1e}".replace("e-0", "e-")


def proof(store: stores.Store, run: CertificateRecord) -> Details:
    """The verdict in a line, which opens to every check with its figure, its limit and where the worst lies."""
    implementation = store.implementations.get(run.implementation)
    stale = verdicts.outdated(run, implementation) if implementation else ""
    passed = run.status == "ok"
    says = f"passed ✓ {len(run.checks)} checks" if passed else f"{run.status} ✗: {verdicts.why_failed(run)}"
    says += f", stale ✗: {stale}" if stale else ""
    passed = passed and not stale
    on = formatting.PROCESSORS.get(run.device or "")
    where = (run.version, on, run.machine.name, formatting.environment(run), formatting.dated(run))
    verdict = nodes.inline("", says, classes=[] if passed else ["failed"])
    summary = Summary("", "", verdict, nodes.Text("".join(f" · {fact}" for fact in where if fact)))
    items = [nodes.list_item("", nodes.paragraph("", says_check(check))) for check in run.checks]
    return Details("", summary, nodes.bullet_list("", *items, classes=["rosetta-checks"]), *reasons(run), *ways(run))


def ways(run: CertificateRecord) -> list[nodes.paragraph]:
    """How its processes ran: those that are judged as the timed run, and those that need not run so."""
    if not run.variables:
        return []
    timed = f"The steps, the loop and the schedule ran exactly as a timed run does, with {_way(run.variables)}."
    others = {name: value for name, value in run.untimed_variables.items() if run.variables.get(name) != value}
    aside = (
        f"The initial weights, the shuffle, dropout and float64 ran beside other certificates, with {_way(others)}. "
        'They do not depend on that. The check "one thread" above compares a step and the predictions of both.'
    )
    return [nodes.paragraph("", text) for text in (timed, aside if others else "") if text]


def _way(variables: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(variables.items()))


def says_check(check: RecordedCheck) -> str:
    """One check in words."""
    figures = f": {number(check.figure)}" if check.figure is not None else ""
    limit = f" of at most {number(check.limit)}" if figures and check.limit is not None else ""
    limit += f" of at least {number(check.floor)}" if figures and check.floor is not None else ""
    where = f" ({check.where})" if check.where else ""
    return f"{'✓' if check.ok else '✗'} {check.name}{figures}{limit}{where}"


def reasons(run: CertificateRecord) -> list[nodes.paragraph]:
    """Why limits are wider or a form is declared: each reason once, after the checks that it holds for."""
    checks: dict[str, list[str]] = {}
    for check in run.checks:
        if check.reason:
            checks.setdefault(check.reason, []).append(check.name)
    return [nodes.paragraph("", f"{'; '.join(names)}: {reason.rstrip('.')}.") for reason, names in checks.items()]


def setup(app: Sphinx) -> None:
    app.add_directive("certificates", Certificates)
