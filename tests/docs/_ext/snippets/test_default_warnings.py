"""The line under a snippet that tells which defaults would bite there."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest
from conftest import matter

from _ext.core import answers
from _ext.snippets import default_warnings
from rosetta_common import weights
from rosetta_common.run import VERBS
from rosetta_host.catalog import frameworks
from rosetta_host.defaults import distributions, infer, needs
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Statement

TWO, MOST = needs.number(2), needs.MOST
TRAIN = "```{rosetta} cnn.train\n```"


@pytest.fixture
def by_framework(site):
    """Builds a page with a snippet: folder -> the line under it."""

    def build() -> dict[str, str]:
        site.page("index", TRAIN)
        site.page("defaults", "```{defaults}\n```")
        assert not site.build()
        parts = re.split(r'<div [^>]*data-framework="(\w+)"', site.html("index"))
        lines = [re.search(r'<p class="rosetta-bites">(.*?)</p>', part) for part in parts]
        return {
            name: re.sub(r"<[^>]+>", "", line[1]) for name, line in zip(parts[1::2], lines[2::2], strict=True) if line
        }

    return build


def test_what_the_network_does_not_need_bites_and_what_most_do_not_do(ask, by_framework) -> None:
    ask("ada", {"pool.stride": "1", "pool.β": "0.9"})
    ask("bell", {"pool.stride": "2", "pool.β": "0.8"})
    ask("curie", {"pool.stride": "1", "pool.β": "0.9"})
    assert by_framework() == {
        "ada": "By default: a pool, stride: 1",
        "bell": "By default: a pool, β₁: 0.8",
        "curie": "By default: a pool, stride: 1",
    }


def test_it_leads_to_the_line_of_the_answer(site, ask, by_framework) -> None:
    ask("ada", {"pool.stride": "1"})
    by_framework()
    [address] = re.findall(r'rosetta-bites">By default: <a [^>]*href="([^"]+)"', site.html("index"))
    page, _, place = address.partition("#")
    assert page == "defaults.html"
    assert f'id="{place}"' in site.html(page.removesuffix(".html"))


def test_there_are_three_at_most_the_odd_ones_first(ask, by_framework, monkeypatch) -> None:
    matter(monkeypatch, {"pool.stride": TWO, "loss.mean": Code.MEAN, "pool.β": MOST})
    ask("ada", {"pool.stride": "1", "pool.β": "0.8", "loss.mean": "the sum"})
    for name in ("bell", "curie"):
        ask(name, {"pool.stride": "2", "pool.β": "0.9", "loss.mean": "the sum"})
    found = by_framework()
    assert found["ada"] == (
        "By default: a pool, stride: 1 · a pool, β₁: 0.8 · the loss, what becomes of a batch: the sum"
    )
    monkeypatch.setattr(default_warnings, "SHOWN", 1)
    matter(monkeypatch, {"loss.mean": Code.MEAN, "pool.β": MOST})
    ask("ada", {"pool.β": "0.7", "loss.mean": "the sum"})
    assert by_framework()["ada"] == "By default: a pool, β₁: 0.7 · and 1 more"


@pytest.mark.parametrize(
    "answer", ["must be given: it insists", "refused: TypeError", "unknown: strange", "none: no pool"]
)
def test_what_makes_itself_known_is_not_told(ask, by_framework, answer: str) -> None:
    ask("ada", {"pool.stride": answer})
    assert by_framework() == {}


def test_of_answers_that_serve_alike_none_bites(ask, by_framework, monkeypatch) -> None:
    matter(monkeypatch, {"pool.stride": (Code.MEAN, Code.SUM)})
    for name, stride in (("ada", "the mean"), ("bell", "the sum"), ("curie", "a loss a sample")):
        ask(name, {"pool.stride": stride})
    assert by_framework() == {"curie": "By default: a pool, stride: one loss per sample"}


def test_what_no_longer_holds_is_not_told(site, ask, by_framework) -> None:
    ask("ada", {"pool.stride": "1"})
    (site.examples / "ada" / "requirements.txt").write_text("ada==2\n", "utf-8")
    assert by_framework() == {}


def test_back_ends_that_differ_are_named(site, ask, by_framework) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + "".join(f'[backend.{b}]\nname = "Bell on {b}"\n' for b in "xyz"), "utf-8")
    for back_end, stride in (("x", "1"), ("y", "3"), ("z", "2")):
        ask(f"bell-{back_end}", {"pool.stride": stride})
    assert by_framework() == {"bell": "By default: a pool, stride: 1 (Bell on x); 3 (Bell on y)"}


def test_an_unknown_question_is_a_warning(site, ask, monkeypatch) -> None:
    ask("ada")
    matter(monkeypatch, {"pool.strid": TWO})
    site.page("index", TRAIN)
    assert re.search(r"index\.md:6: WARNING: .*There is no question 'pool\.strid': did you mean", site.build())


# What the real project says that matters

NEEDS = {
    (name, statement)
    for workload in frameworks.WORKLOADS
    for wanted in needs.of(workload).needs.values()
    for name, need in wanted.items()
    if need is not MOST
    for statement in needs.statements(need)
}


@pytest.mark.parametrize("workload", frameworks.WORKLOADS)
def test_what_matters_is_asked_and_belongs_to_a_function_of_the_examples(workload: str) -> None:
    stated = needs.of(workload)
    assert {*stated.needs} <= {*VERBS, *frameworks.VARIANTS}
    named = {name for wanted in stated.needs.values() for name in wanted}
    assert {*stated.idioms} <= named <= {*answers.facets()}


@functools.cache
def codes_of_the_judges() -> set[str]:
    """Every code that the host's judges name or, for momentum, put together."""
    tree = ast.parse(Path(infer.__file__).read_text("utf-8"))
    named = {node.attr.lower() for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return named | {"_".join(kind) for kind in infer.KINDS}


@functools.cache  # the distributions are fitted to millions of weights
def laws_of_the_start() -> set[Statement]:
    """The distributions that the networks start from, as the host infers them; biases are zero then."""
    drawn = [weights.canonical(workload) for workload in frameworks.WORKLOADS]
    matrices = [array for arrays in drawn for array in arrays.values() if array.ndim > 1]
    distributions_of_weights = {
        distributions.distribution(array, *weights.fans(array.shape)).statement for array in matrices
    }
    return {Statement(Code.ZEROS), *distributions_of_weights}


@pytest.mark.parametrize(("name", "need"), sorted(NEEDS, key=str))
def test_what_is_needed_is_what_the_host_may_infer(name: str, need: Statement) -> None:
    if name.endswith(("weights", ".bias")):
        assert (need.parts[0] if need.parts else need) in laws_of_the_start()
    else:
        assert need.code in codes_of_the_judges()
