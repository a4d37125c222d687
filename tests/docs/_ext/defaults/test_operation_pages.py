"""A page for each question about the defaults."""

from __future__ import annotations

import pytest
from shown import page


@pytest.fixture
def with_pages(site):
    conf = site.docs / "conf.py"
    conf.write_text(conf.read_text("utf-8") + 'rosetta_operations = "operations"\n', "utf-8")
    return site


def test_each_question_has_a_page_and_the_list_leads_to_it(with_pages, ask) -> None:
    for name in ("ada", "bell", "curie"):
        ask(name, {"pool.stride": "1"})
    (with_pages.docs / "operations").mkdir()
    (with_pages.docs / "operations" / "gone.md").write_text("# Gone\n", "utf-8")
    with_pages.page("index", "```{operations}\n```\n\n```{defaults}\n```")
    (with_pages.docs / "defaults").mkdir()
    with_pages.page("defaults/index", "# Defaults")
    with_pages.page("defaults/probes", "# Probes")
    assert not with_pages.build()
    links = page(with_pages.html("index")).select(".rosetta-operations a")
    assert [(link.get_text(), link["href"]) for link in links] == [
        ("Pool", "operations/pool.html"),
        ("Loss", "operations/loss.html"),
    ]
    shown = page(with_pages.html("operations/pool"))
    assert shown.h1.get_text().startswith("Pool: the code that asked")
    assert "ada.pool(x, 2)" in shown.get_text()
    assert "ada has no loss" not in shown.get_text()
    assert not (with_pages.docs / "operations" / "gone.md").exists()


def test_an_unknown_question_is_an_error(site, ask) -> None:
    site.page("index", "```{probes} pol\n```")
    assert "There is no question 'pol': did you mean 'pool'?" in site.build()
