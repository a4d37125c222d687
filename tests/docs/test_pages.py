"""The pages and the rest of the project agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from _ext.core import numbers
from _ext.results import result_lines, spread
from rosetta_common import weights
from rosetta_common.run import VERBS
from rosetta_host.catalog import frameworks, workloads
from rosetta_host.certificate import oracle
from workloads import gru

DOCS = Path(__file__).resolve().parents[2] / "docs"


WITH_PAGE = [name for name in frameworks.WORKLOADS if (workloads.WORKLOADS / name / "page.md").exists()]


@pytest.mark.parametrize("workload", WITH_PAGE)
@pytest.mark.parametrize("verb", [*VERBS, "all"])
def test_every_function_is_on_a_page_for_each_network(verb: str, workload: str) -> None:
    pages = [*(DOCS / "concepts").glob("*.md"), workloads.WORKLOADS / workload / "page.md"]
    text = "".join(path.read_text("utf-8") for path in pages)
    assert re.search(rf"\{{rosetta\}} .*\b{workload}\.{verb}\b", text)


CONCEPTS = sorted((DOCS / "concepts").glob("*.md"))


@pytest.mark.parametrize("path", CONCEPTS, ids=lambda path: path.stem)
def test_a_step_says_what_goes_in_and_what_comes_out_for_each_network(path: Path) -> None:
    names = "|".join(name.upper() for name in frameworks.WORKLOADS)
    parts = rf"^## (?:{names})\n(.*?)(?=^## |\Z)"
    sections = re.findall(parts, path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(sections) > 1
    for section in sections:
        assert re.search(r"Goes in\n: .*Comes out\n: .*\{rosetta\}", section, re.DOTALL)


@pytest.mark.parametrize("path", CONCEPTS, ids=lambda path: path.stem)
def test_no_shape_of_a_network_is_typed_by_hand(path: Path) -> None:
    typed = re.findall(r"\(n, *\d[^)]*\)|\d+ × \d+ × \d+", path.read_text("utf-8"))
    assert not typed, "use the roles and directives that take shapes from the code"


def test_the_museum_shows_the_living_and_the_retired() -> None:
    text = (DOCS / "museum.md").read_text("utf-8")
    assert sorted(re.findall(r"\{museum\} (\S+)", text)) == ["living", "retired", "time-line"]


@pytest.mark.parametrize(
    "table",
    [frameworks.Framework, frameworks.Environment, frameworks.Example, frameworks.Distribution, frameworks.Tolerance],
)
def test_every_key_of_framework_toml_is_explained(table: type[msgspec.Struct]) -> None:
    page = (DOCS / "add-a-framework.md").read_text("utf-8")
    missing = [name for name in table.__struct_encode_fields__ if not re.search(rf"[`\[ ]{name}[`\] =]", page)]
    assert not missing


def test_no_framework_is_named_where_a_new_one_would_need_an_edit() -> None:
    implementations = frameworks.implementations().values()
    names = {implementation.id for implementation in implementations} | {
        implementation.name for implementation in implementations
    }
    files = [DOCS / "conf.py", *(DOCS / "_static").iterdir(), *(DOCS / "_ext").rglob("*.py")]
    # An implementation may be called as a library that the site is built with: NumPy is.
    built_with = re.findall(r"^[a-z]\w*", (DOCS.parent / "requirements" / "docs.in").read_text("utf-8"), re.MULTILINE)
    for path in files:
        text = re.sub(r'""".*?"""', "", path.read_text("utf-8"), flags=re.DOTALL)
        text = re.sub(rf"^import ({'|'.join(built_with)})( as \w+)?$", "", text, flags=re.MULTILINE)
        named = [name for name in names if re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)]
        assert not named, f"{path.name} names {named}"


def test_no_tab_set_is_limited_to_frameworks_by_name_but_the_front_pages_pair() -> None:
    pairs = [path.name for path in DOCS.rglob("*.md") if ":pair:" in path.read_text("utf-8")]
    assert pairs == ["index.md"]


@pytest.mark.parametrize(
    ("limit", "known"),
    [
        (spread.FAR, {3: "lies more than three of these standard deviations from the median"}),
        (result_lines.LITTLE, {0.2: "less than a fifth of GEMM"}),
        (next(iter(numbers.WITHDRAWN)), {"peak_memory": "a field `peak_memory`. It is withdrawn"}),
    ],
)
def test_a_limit_in_prose_is_that_of_the_code(limit: object, known: dict[object, str]) -> None:
    assert known[limit] in " ".join((DOCS / "how-numbers.md").read_text("utf-8").split())


@pytest.mark.parametrize(("gates", "same"), [(slice(0, 200), True), (slice(200, 300), False)])
def test_the_biases_of_reset_and_update_can_be_folded_and_the_new_gates_cannot(gates: slice, same: bool) -> None:
    own = weights.canonical("gru")
    folded = {name: value.copy() for name, value in own.items()}
    folded["gru.bias_ih"][gates] += own["gru.bias_hh"][gates]
    folded["gru.bias_hh"][gates] = 0
    x = np.arange(2 * gru.params.max_length).reshape(2, -1)
    before, after = (oracle.scores("gru", one, x) for one in (own, folded))
    assert np.allclose(before, after, rtol=0, atol=1e-6) == same
    page = (DOCS / "concepts" / "network.md").read_text("utf-8")
    assert "Those of the new gate cannot be folded" in " ".join(page.split())


def test_no_page_claims_that_all_is_certified_or_drawn_alike() -> None:
    for path in [DOCS.parent / "README.md", *DOCS.rglob("*.md")]:
        prose = " ".join(path.read_text("utf-8").split()).lower()
        for claim in ("accuracy that the site shows comes with", "they all draw", "draw their batches from the same"):
            assert claim not in prose, f"{path.name}: {claim}"


NOTEBOOKS = sorted((DOCS / "notebooks").glob("*"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_committed_notebook_is_of_an_implementation_and_holds_a_few_lines_of_text(path: Path) -> None:
    known = {
        f"{implementation.id}-{workload}.ipynb"
        for implementation in frameworks.implementations().values()
        for workload in implementation.workloads
    }
    assert path.name in known
    assert path.stat().st_size < 100_000
    book = json.loads(path.read_text("utf-8"))
    outputs = [output for cell in book["cells"] for output in cell.get("outputs", [])]
    assert {output["output_type"] for output in outputs} == {"stream"}
    said = "".join("".join(output["text"]) for output in outputs)
    assert re.search(r"^epoch 1: loss \d", said, re.MULTILINE)
    assert re.search(r"^accuracy: \d", said, re.MULTILINE)
    assert not re.search(r"/(home|root|tmp|work)/", path.read_text("utf-8"))
