"""Which form of an operation each implementation computes."""

from __future__ import annotations

import pytest
from shown import page, tables


@pytest.fixture
def html(site):
    def build(text: str = "```{forms} cnn.max_pool\n```") -> str:
        site.page("index", text)
        assert not site.build()
        return site.html("index")

    return build


def test_each_implementation_has_its_form_and_a_certificate_that_checked_it(site, html) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + '[cnn.forms]\nmax_pool = "all"\n', "utf-8")
    site.record("ada", kind="certificate")
    site.record("bell", kind="certificate", status="failed")
    (table,) = tables(html())
    assert table.head == ["Framework", "Form", "Newest certificate"]
    assert [list(table.row(name).values()) for name in table.names] == [
        ["Ada", "first", "passed ✓"],
        ["Bell", "all", "failed ✗"],
        ["Curie", "first", "no certificate ✗"],
    ]
    (table,) = tables(html("```{forms} cnn.max_pool\n:unexamined:\n```"))
    assert table.head == ["Framework", "Form"]
    assert table.table.caption.get_text().startswith("The form that each folder declares")
    assert "“first” in 2 implementations, “all” in 1." in page(html("It: {forms}`cnn.max_pool`")).get_text()


def test_a_certificate_of_another_form_is_stale_and_one_that_was_cut_short_says_nothing(site, html) -> None:
    site.record("ada", kind="certificate", created="20260101T000000.000000Z")
    site.record("ada", kind="certificate", created="20260102T000000.000000Z", status="interrupted")
    site.record("ada", kind="certificate", created="20260103T000000.000000Z", status="failed", device="gpu")
    (table,) = tables(html())
    assert table.row("Ada")["Newest certificate"] == "passed ✓"
    toml = site.examples / "ada" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + '[cnn.forms]\nmax_pool = "all"\n', "utf-8")
    (table,) = tables(html())
    assert list(table.row("Ada").values()) == ["Ada", "all", "stale ✗"]


def test_an_implementation_without_the_network_is_left_out(html) -> None:
    assert "No implementation yet." in html("It: {forms}`gru.epsilon`")


@pytest.mark.parametrize("text", ["It: {forms}`cnn.min_pool`", "```{forms} cnn.min_pool\n```"])
def test_an_unknown_form_is_named(site, text: str) -> None:
    site.page("index", text)
    assert "There is no form 'cnn.min_pool': did you mean 'cnn.max_pool'?" in site.build()


def test_one_form_everywhere_is_a_sentence_with_the_table_folded_below(site, html) -> None:
    for name in ("ada", "bell", "curie"):
        site.record(name, kind="certificate")
    built = page(html())
    expected = "All 3 implementations are alike: form “first”, newest certificate “passed ✓”."
    sentence = built.find("p", string=expected)
    assert sentence
    folded = sentence.find_next_sibling("details")
    assert not folded.has_attr("open")
    assert len(folded.find_all("tr")) == 1 + 3
    site.record("curie", kind="certificate", status="failed")
    assert not page(html()).find("details", class_="rosetta-details")
