"""`{forms} NETWORK.FORM`: the form of an operation that each implementation computes, as its folder declares it.

The role {forms}`NETWORK.FORM` says in a sentence how many implementations compute which.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import OptionSpec

from _ext.core import newest
from _ext.core import store as stores
from _ext.core.elements import cell, in_short, row_header, table
from _ext.core.links import link
from _ext.core.numbers import Role
from rosetta_host.catalog.frameworks import WORKLOADS, Implementation, UserError, nearest
from rosetta_host.certificate import oracle
from rosetta_host.environments.digests import declared_digest
from rosetta_host.records.store import CertificateRecord

Asked = tuple[str, str]  # the workload, and what differs


def asked(text: str) -> Asked:
    """The workload and the name of a form. Raises UserError."""
    names = [f"{workload}.{name}" for workload in WORKLOADS for name in oracle.model(workload).forms]
    if text not in names:
        raise nearest("form", text, names)
    workload, _, name = text.partition(".")
    return workload, name


def declared(env: BuildEnvironment, what: Asked) -> list[tuple[Implementation, str]]:
    """Each implementation with the form that it computes; a folder that says nothing computes the first."""
    workload, name = what
    implementations = [
        implementation
        for implementation in stores.store(env.config).implementations.values()
        if workload in implementation.workloads
    ]
    return [
        (implementation, implementation.workload(workload).forms.get(name, oracle.model(workload).forms[name][0]))
        for implementation in implementations
    ]


def summary(declarations: list[tuple[Implementation, str]]) -> str:
    """How many implementations compute which form: “first” in 13 implementations, “all” in 1."""
    counts = Counter(form for _, form in declarations)
    phrases = [f"“{form}” in {count}" for form, count in counts.most_common()]
    if phrases:
        phrases[0] += " implementation" if phrases[0].endswith(" 1") else " implementations"
    return f"{', '.join(phrases)}." if phrases else "No implementation yet."


class Forms(SphinxDirective):
    """A line for each implementation; `:unexamined:` for a form that leaves no trace in a certificate."""

    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {"unexamined": directives.flag}

    def run(self) -> list[nodes.Node]:
        try:
            what = asked(self.arguments[0])
        except UserError as error:
            raise self.error(str(error)) from None
        declarations = declared(self.env, what)
        examined = "unexamined" not in self.options
        head = nodes.row("", *map(cell, ["Framework", "Form", *(["Newest certificate"] if examined else [])]))
        body = [nodes.row("", row_header(implementation.name), cell(form)) for implementation, form in declarations]
        for line, (implementation, _) in zip(body, declarations, strict=True):
            line += [self.certificate(implementation, what[0])] if examined else []
        title = "The form that each implementation computes" if examined else "The form that each folder declares"
        return in_short(table([head], body, title, ("rosetta-lesson",)), title)

    def certificate(self, implementation: Implementation, workload: str) -> nodes.entry:
        """Whether the reference, computing this form, agreed."""
        runs = stores.store(self.config).of_kind(
            CertificateRecord, implementation=implementation.id, workload=workload, variant=None, device="cpu"
        )
        runs = [run for run in runs if run.status in ("ok", "failed")]
        last = newest.anywhere(runs)
        if last is None:
            return cell("no certificate ✗", classes=("failed",))
        stale = last.digests.get("framework") != declared_digest(implementation, workload)
        passed = last.status == "ok" and not stale
        text = "passed ✓" if passed else "stale ✗" if stale else "failed ✗"
        return cell(link(last, text), classes=() if passed else ("failed",))


class InShort(Role):
    """The sentence alone."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            text = summary(declared(self.env, asked(self.text)))
        except UserError as error:
            return self.warn(str(error))
        return [nodes.emphasis("", text, classes=["rosetta-verdicts"])], []


def setup(app: Sphinx) -> None:
    app.add_directive("forms", Forms)
    app.add_role("forms", InShort())
