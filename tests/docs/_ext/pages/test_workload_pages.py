"""The page of each workload, laid out where Sphinx reads it."""

from __future__ import annotations

from shown import page

LINKS = "```{translations} All steps:\n```"


def test_a_page_is_built_where_it_is_there_and_gone_with_its_file(site) -> None:
    for workload in ("cnn", "gru"):
        site.workload_page(workload, "The steps.\n\n[Home](../index.md)")
    site.page("index", LINKS)
    assert not site.build()
    assert "The steps." in site.html("translate/gru")
    paragraph = page(site.html("index")).select_one("section p")
    assert paragraph.get_text() == "All steps: the CNN, the GRU."
    assert [link["href"] for link in paragraph.select("a")] == ["translate/cnn.html", "translate/gru.html"]
    (site.folder / "workloads" / "gru" / "page.md").unlink()
    assert not site.build()
    assert page(site.html("index")).select_one("section p").get_text() == "All steps: the CNN."
    assert not (site.docs / "translate" / "gru.md").exists()


def test_without_a_page_there_are_no_links(site) -> None:
    site.page("index", LINKS)
    assert not site.build()
    assert "All steps" not in site.html("index")
