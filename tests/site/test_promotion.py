"""What belongs to the reader's frameworks comes first on every page that lists frameworks."""

from __future__ import annotations

import pytest

from tools.built_site import Page


def listing(pages: dict[str, Page], name: str) -> Page:
    """The page with an element of this class."""
    return next(page for page in pages.values() if any(name in classes.split() for _, classes in page.kinds))


def order(tab, selector: str) -> list[str]:
    """The frameworks of the elements that a reader sees, from the top and from the left."""
    return tab.evaluate(
        """selector => [...document.querySelectorAll(selector)].filter(one => one.checkVisibility())
        .map(one => [...one.classList].find(name => name.startsWith("is-of-")).slice(6))""",
        selector,
    )


LISTS = {"rosetta-download": "section.rosetta-download", "rosetta-glance": "table.rosetta-glance tbody tr"}


@pytest.mark.parametrize("name", LISTS)
def test_the_pair_comes_first_and_the_others_follow_in_their_order(visit, pages, name) -> None:
    page = listing(pages, name)
    plain = list(dict.fromkeys(order(visit(page), LISTS[name])))
    pair = plain[-1], plain[2]
    chosen = list(dict.fromkeys(order(visit(page, dict(zip(("from", "to"), pair, strict=True))), LISTS[name])))
    assert chosen == [*pair, *(one for one in plain if one not in pair)]
    without = visit(page, java_script_enabled=False)
    assert without.locator(LISTS[name]).count() >= len(plain)


def test_a_choice_on_the_downloads_page_moves_it_up_at_once(read, pages) -> None:
    reader = read(listing(pages, "rosetta-download"))
    last = order(reader.page, "section.rosetta-download")[-1]
    reader.from_.select_option(last)
    assert order(reader.page, "section.rosetta-download")[0] == last


def test_the_columns_of_idioms_are_those_of_the_pair_in_its_order(read, pages) -> None:
    page = listing(pages, "rosetta-idioms")
    cells = "table.rosetta-idioms tr:first-child > [class*=is-of-]"
    reader = read(page)
    everything = page.frameworks
    assert len(set(order(reader.page, cells))) == 1
    pair = [everything[3], everything[1]]
    reader.go(page, dict(zip(("from", "to"), pair, strict=True)))
    assert list(dict.fromkeys(order(reader.page, cells))) == pair
    reader.swap.click()
    assert list(dict.fromkeys(order(reader.page, cells))) == pair[::-1]


def test_commands_wrap_on_a_phone(visit, pages) -> None:
    tab = visit(listing(pages, "rosetta-download"), width=375)
    wide = "() => [...document.querySelectorAll('.rosetta-download pre')].filter(it => it.scrollWidth > it.clientWidth)"
    assert tab.evaluate(f"({wide})().length") == 0
