"""What each framework calls what its defaults.py asks about."""

from __future__ import annotations

import pytest
from shown import Shown, page, tables


@pytest.fixture
def table(site):
    """Builds the page and gives its table. Each framework of the tests has a pool, and a reason for having no loss."""

    def build() -> Shown:
        site.page("index", "```{dictionary}\n```")
        assert not site.build()
        [found] = tables(site.html("index"))
        return found

    return build


def test_names_are_those_of_the_code_and_a_reason_stands_where_there_is_none(site, ask, table) -> None:
    ask("ada", {"pool.stride": "1"})
    ask("bell", {"pool.stride": "1"})
    shown = table()
    assert shown.head == ["What", "Ada", "Bell", "Curie"]
    assert shown.row("Pool") == {"What": "Pool", "Ada": "ada.pool", "Bell": "bell.pool", "Curie": "–"}
    assert shown.row("Loss")["Ada"] == "ada has no loss"


def test_the_columns_follow_the_readers_choice(site, ask, table) -> None:
    ask("ada", {"pool.stride": "1"})
    for row in table().lines:
        assert [cell["class"][-1] for cell in row.find_all("td")] == ["is-of-ada", "is-of-bell", "is-of-curie"]


def test_a_row_leads_to_what_was_measured(site, ask) -> None:
    ask("ada", {"pool.stride": "1"})
    site.page("index", "```{dictionary}\n```\n\n```{defaults}\n```")
    assert not site.build()
    links = [link["href"] for link in page(site.html("index")).select("table.rosetta-dictionary th a")]
    assert links[0] == "#default-pool-ada"
