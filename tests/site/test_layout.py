"""What a reader sees: phone, paper, two columns, large type, no JavaScript, no motion; and nothing jumps."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.site.conftest import address, look, pair, views
from tests.site.test_speed import slow
from tools.built_site import served


def test_no_page_scrolls_sideways_and_nothing_covers_anything(tour, pages) -> None:
    """From the narrowest phone to a wide screen; 640 is 1280 at twice the size."""
    faults = []
    for _, _, tab in tour(views(pages.values())):
        for width in (320, 375, 640, 1280):
            tab.set_viewport_size({"width": width, "height": 900})
            faults += [f"{tab.url} at {width} scrolls sideways: {it}" for it in look(tab, "sideways")]
            faults += [f"{tab.url} at {width}: {it} lie over each other" for it in look(tab, "overlaps")]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(("width", "stacked"), [(1280, False), (640, True), (375, True), (320, True)])
def test_two_stand_side_by_side_or_stack_where_it_is_narrow(read, concept, width, stacked) -> None:
    one, two = look(read(concept, pair(concept), width=width).page, "panels")[0]
    if stacked:
        assert two["top"] >= one["bottom"]
        assert two["left"] == one["left"]
    else:
        assert two["top"] == one["top"]
        assert two["left"] >= one["right"]
        assert abs((two["right"] - two["left"]) - (one["right"] - one["left"])) < 1


def test_code_that_all_share_wraps_under_its_indentation(tour, pages) -> None:
    """It was the one block of such a page that a phone cut off."""
    shared = [page for page in pages.values() if "translate/" in page.address]
    assert shared
    for page, _, tab in tour(((page, None) for page in shared), width=375):
        code = tab.locator(".rosetta-helpers pre")
        assert code.evaluate("pre => pre.scrollWidth <= pre.clientWidth"), page.address
        assert code.locator(".rosetta-line").first.is_visible(), page.address


def test_at_twice_the_size_nothing_is_lost(tour, each_kind) -> None:
    """A window of 1280 at 200 % is 640 wide, with two of the screen's points to each of its own."""
    wide = tour(views(each_kind))
    zoomed = tour(views(each_kind), width=640, height=450, device_scale_factor=2)
    for (page, _, tab), (_, _, zoomed_tab) in zip(wide, zoomed, strict=True):
        assert look(zoomed_tab, "lines") == look(tab, "lines"), page.address


def test_on_paper_stand_the_chosen_panels_and_no_controls(tour, with_tabs) -> None:
    chosen = [(page, query) for page in with_tabs for query in ({"framework": page.sets[0][1]}, pair(page))]
    for page, query, tab in tour(chosen, width=718):  # A4 less its margins
        tab.emulate_media(media="print")
        panels = look(tab, "panels")[0]
        assert [panel["framework"] for panel in panels] == list(query.values()), page.address
        assert all(panel["named"] and panel["code"] and panel["fits"] for panel in panels), page.address
        controls = tab.locator("button, select, input, [role=tablist], header, aside")
        assert controls.filter(visible=True).count() == 0, page.address
        tab.emulate_media(media="screen")


def test_without_javascript_everything_stands_there_in_order(tour, with_tabs) -> None:
    for page, _, tab in tour(((page, None) for page in with_tabs), java_script_enabled=False):
        sets = look(tab, "panels")
        assert [[panel["framework"] for panel in panels] for panels in sets] == page.sets, page.address
        for panels in sets:
            assert all(panel["named"] and panel["code"] for panel in panels), page.address
            assert all(panel["bottom"] - panel["top"] > 20 for panel in panels), page.address
            assert all(upper["bottom"] <= lower["top"] for upper, lower in pairwise(panels)), page.address
        assert tab.locator(".rosetta-tabs [role=tab]").filter(visible=True).count() == 0


def test_who_wants_no_motion_gets_none(tour, each_kind) -> None:
    for page, _, tab in tour(((page, None) for page in each_kind), reduced_motion="reduce"):
        assert not look(tab, "moving"), page.address


def test_colors_follow_the_machine_until_the_reader_chooses(visit, concept) -> None:
    grounds = set()
    for scheme in ("light", "dark"):
        tab = visit(concept, theme="auto", color_scheme=scheme)
        grounds.add(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("network", ["fast", "slow"])
def test_nothing_jumps_when_a_choice_is_restored(visit, concept, with_tabs, network, width) -> None:
    """One framework or two, from what was stored or from the address."""
    with served(compress=True) as compressed:
        for stored, query in [
            ({"framework": concept.frameworks[-1]}, None),
            (pair(concept), None),
            (None, {"framework": with_tabs[-1].frameworks[-1]}),
            (None, pair(with_tabs[-1])),
        ]:
            tab = visit(concept if stored else None, stored, width=width, at=compressed)
            if network == "slow":
                slow(tab)
            tab.goto(address(compressed, with_tabs[-1], query))
            tab.wait_for_load_state("load")
            assert look(tab, "shifts") <= 0.02, f"stored {stored}, address {query}"


@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_jumps_where_the_chosen_come_first(visit, pages, with_tabs, width) -> None:
    """Tables and sections are painted in the reader's order only."""
    two = pair(with_tabs[-1])
    ordered = [page for page in pages.values() if any("is-promotable" in classes for _, classes in page.kinds)]
    assert ordered
    with served(compress=True) as compressed:
        for page in ordered:
            tab = visit(None, width=width, at=compressed)
            slow(tab)
            tab.goto(address(compressed, page, two))
            tab.wait_for_load_state("load")
            assert look(tab, "shifts") <= 0.02, page.address
