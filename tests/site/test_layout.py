"""What a reader sees: phone, paper, two columns, large type, no JavaScript, no motion; and nothing jumps."""

from __future__ import annotations

import pytest

from tests.site.conftest import address, look
from tests.site.test_access import pair
from tests.site.test_speed import slow
from tools.built_site import served


def views(pages) -> list:
    """Every page, and with two side by side where it has tabs, the closed view first."""
    return [(page, query) for page in pages for query in ([None, pair(page)] if page.sets else [None])]


def test_no_page_scrolls_sideways_and_nothing_covers_anything(visit, root, pages) -> None:
    """From the narrowest phone to a wide screen; 640 is 1280 at twice the size."""
    faults = []
    tab = visit(next(iter(pages.values())))
    for page, query in views(pages.values()):
        tab.goto(address(root, page, query))
        for width in (320, 375, 640, 1280):
            tab.set_viewport_size({"width": width, "height": 900})
            faults += [f"{tab.url} at {width} scrolls sideways: {it}" for it in look(tab, "sideways")]
            faults += [f"{tab.url} at {width}: {it} lie over each other" for it in look(tab, "overlaps")]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(("width", "stacked"), [(1280, False), (640, True), (375, True), (320, True)])
def test_two_stand_side_by_side_or_stack_where_it_is_narrow(read, concept, width, stacked) -> None:
    one, two = look(read(concept, pair(concept), width=width).page, "boxes")
    if stacked:
        assert two["top"] >= one["bottom"]
        assert two["left"] == one["left"]
    else:
        assert two["top"] == one["top"]
        assert two["left"] >= one["right"]
        assert abs((two["right"] - two["left"]) - (one["right"] - one["left"])) < 1


def test_code_that_all_share_wraps_under_its_indentation(visit, pages) -> None:
    """It was the one block of such a page that a phone cut off."""
    shared = [page for page in pages.values() if "translate/" in page.address]
    assert shared
    for page in shared:
        code = visit(page, width=375).locator(".rosetta-helpers pre")
        assert code.evaluate("pre => pre.scrollWidth <= pre.clientWidth"), page.address
        assert code.locator(".rosetta-line").first.is_visible(), page.address


def test_at_twice_the_size_nothing_is_lost(visit, each_kind) -> None:
    """A window of 1280 at 200 % is 640 wide, with two of the screen's points to each of its own."""
    for page, query in views(each_kind):
        wide = look(visit(page, query), "lines")
        zoomed = look(visit(page, query, width=640, height=450, device_scale_factor=2), "lines")
        assert zoomed == wide, page.address


def test_on_paper_stand_the_chosen_panels_and_no_controls(read, with_tabs) -> None:
    for page in with_tabs:
        chosen = page.sets[0][1]
        for query, expected in (({"framework": chosen}, [chosen]), (pair(page), page.frameworks[:2])):
            reader = read(page, query, width=718)  # A4 less its margins
            reader.page.emulate_media(media="print")
            assert reader.shown[0] == expected
            for framework in expected:
                panel = reader.sets.first.locator(f":scope > [data-framework={framework}]")
                assert named(reader, framework) in panel.inner_text()
                assert panel.locator("pre").first.evaluate("pre => pre.scrollWidth <= pre.clientWidth"), page.address
            controls = reader.page.locator("button, select, input, [role=tablist], header, aside")
            assert controls.filter(visible=True).count() == 0, page.address


def named(reader, framework: str) -> str:
    """A framework's name, as its tab says it."""
    return reader.sets.first.locator(f"[role=tab][data-framework={framework}]").text_content()


def test_without_javascript_everything_stands_there_in_order(visit, with_tabs) -> None:
    for page in with_tabs:
        tab = visit(page, java_script_enabled=False)
        sets = tab.locator(".rosetta-tabs")
        for number, frameworks in enumerate(page.sets):
            panels = sets.nth(number).locator(":scope > [data-framework]")
            bottom = 0.0
            assert panels.count() == len(frameworks)
            for i, framework in enumerate(frameworks):
                panel = panels.nth(i)
                assert panel.get_attribute("data-framework") == framework
                box = panel.bounding_box()
                assert box["y"] >= bottom, f"{page.address}: {framework}"
                assert box["height"] > 20
                bottom = box["y"] + box["height"]
                name = sets.nth(number).locator(f"[role=tab][data-framework={framework}]").text_content()
                assert name in panel.inner_text()
                assert panel.locator("pre").first.is_visible()
        assert tab.locator(".rosetta-tabs [role=tab]").filter(visible=True).count() == 0


def test_who_wants_no_motion_gets_none(visit, each_kind) -> None:
    for page in each_kind:
        assert not look(visit(page, reduced_motion="reduce"), "moving"), page.address


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
