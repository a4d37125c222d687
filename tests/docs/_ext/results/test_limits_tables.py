"""Tables that are taken from the code."""

from __future__ import annotations

import re
from itertools import chain

import pytest
from shown import page, tables

from _ext.results.limits_tables import MUTATION, constant, shown
from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import ROOT, WORKLOADS
from rosetta_host.certificate import forms, oracle

MUTANT = '[{name}]\nedits = [["a", "b"]]\n'


@pytest.fixture
def text(site):
    def build() -> str:
        site.page("index", "```{mutation}\n```")
        assert not site.build()
        return " ".join(re.sub(r"<[^>]+>", " ", site.html("index")).split()).replace("’", "'")

    return build


def test_every_required_error_is_told_in_words(text) -> None:
    page = text()
    for workload in workloads.names():
        stated = workloads.get(workload)
        for expected in (
            *stated.mutants.values(),
            *chain.from_iterable(own.values() for own in stated.variant_mutants.values()),
        ):
            assert f" {expected} 0 " in page
    for expected in constant("REQUIRED_OR_REASON", MUTATION).values():
        assert f" CNN {expected} 0 " in page
        assert f" GRU {expected} 0 " in page
    assert "An example may leave out the last 3 of each network if its framework cannot make them." in page
    assert "There are 0 errors in 0 folders." in page


def test_what_the_examples_carry_is_counted(site, text) -> None:
    for name, mutants in {"ada": ["cnn.momentum", "gru.beta1"], "bell": ["cnn.momentum", "cnn.off_by_one"]}.items():
        path = site.examples / name / "mutants.toml"
        path.write_text("".join(MUTANT.format(name=mutant) for mutant in mutants), "utf-8")
    page = text()
    assert f"CNN {workloads.get('cnn').mutants['momentum']} 2" in page
    assert f"GRU {workloads.get('gru').mutants['beta1']} 1" in page
    assert "There are 4 errors in 2 folders. Some examples also carry: off by one." in page
    path.write_text(path.read_text("utf-8") + MUTANT.format(name="cnn.fewer_bits") + 'device = "gpu"\n', "utf-8")
    assert "There are 4 errors in 2 folders." in text()


def test_what_costs_time_alone_or_cannot_be_written_is_no_error(site, text) -> None:
    harmless, cannot = "[cnn.slow]\nharmless = true\n", '[cnn.nesterov]\nunsupported = "it has none"\n'
    offered = MUTANT.format(name="cnn.momentum") + harmless + 'edits = [["a", "b"]]\n' + cannot
    (site.examples / "ada" / "mutants.toml").write_text(offered, "utf-8")
    assert "There are 1 errors in 1 folders." in text()


def test_a_constant_that_is_gone_is_named() -> None:
    with pytest.raises(LookupError, match=r"runner\.py defines no NOTHING"):
        constant("NOTHING", MUTATION)


def test_a_limit_is_shown_with_all_its_digits() -> None:
    assert [shown(limit) for limit in (7.5e-4, 1e-10, 2e-2)] == ["7.5e-4", "1e-10", "2e-2"]


def test_every_form_is_shown_with_its_values_and_formulas(site) -> None:
    site.page("index", "```{form-values}\n```")
    assert not site.build()
    (table,) = tables(site.html("index"))
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in table.table.select("tbody tr")]
    expected = [
        [workload.upper(), name, ", ".join(f'"{value}"' for value in values), f"{explained[name]}."]
        for workload, explained in ((workload, forms.explanations(workload)) for workload in WORKLOADS)
        for name, values in oracle.model(workload).forms.items()
    ]
    assert [[straight(text) for text in row] for row in rows] == [[straight(text) for text in row] for row in expected]


def straight(text: str) -> str:
    return re.sub("[“”]", '"', text).replace("’", "'")


def test_a_constant_is_read_from_the_code_and_an_unknown_one_is_named(site) -> None:
    site.page("index", "At most {constant}`certificate/precheck.MOST_LINES` lines.")
    assert not site.build()
    most = constant("MOST_LINES", ROOT / "rosetta_host" / "certificate" / "precheck.py")
    assert f"At most {most} lines." in page(site.html("index")).get_text()
    site.page("index", "{constant}`certificate/precheck.NONE`")
    assert "precheck.py defines no NONE" in site.build()
