"""Readers with a keyboard, a screen reader, little contrast: axe finds nothing, and keys do what a pointer does."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from tests.site.conftest import look, views

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")

# WCAG 2.0 to 2.2, A and AA, and axe's own good practice.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
COLORS = ["color-contrast", "link-in-text-block"]  # axe's rules whose outcome depends on a color
WIDTHS = pytest.mark.parametrize("width", [1280, 375])


def violations(tab, rules: list[str] = TAGS) -> list[str]:
    """What axe finds wrong with a page by these rules, or rules with these tags; a line an element."""
    tab.evaluate(AXE)
    assert look(tab, "colors")
    tab.evaluate("axe.configure({rules: [{id: 'color-contrast', selector: '[data-colors]'}]})")
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found = tab.evaluate("options => axe.run(document, options)", options)
    return [
        f"{tab.url}: {fault['id']} ({fault['impact']}): {node['html'][:200]} {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


@WIDTHS
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_a_page_of_each_kind(tour, each_kind, theme, width) -> None:
    """In the dark theme, by the rules about colors: the elements are those of the light one.

    But for the picture on one button of every page: see test_keys_alone_change_the_colors.
    """
    faults = []
    for _, _, tab in tour(views(each_kind), theme=theme, width=width):
        faults += violations(tab, TAGS if theme == "light" else COLORS)
    assert not faults, "\n".join(faults)


def test_axe_finds_nothing_on_any_page(tour, pages, each_kind) -> None:
    faults = []
    for _, _, tab in tour((page, None) for page in pages.values() if page not in each_kind):
        faults += violations(tab)
    assert not faults, "\n".join(faults)


def test_one_pale_word_among_thousands_is_found(visit, with_tabs) -> None:
    tab = visit(with_tabs[-1])
    words = tab.locator("pre span").filter(visible=True, has_text=re.compile(r"^\w\w+$"))
    words.nth(words.count() // 2).evaluate("it => it.style.color = '#bbb'")
    [found] = violations(tab)
    assert "color-contrast" in found


@WIDTHS
def test_the_keyboard_reaches_all_that_a_pointer_does(tour, each_kind, width) -> None:
    """With Tab, and arrows within a list of tabs; where it is can be seen, and nothing hides it."""
    faults = []
    for _, _, tab in tour(views(each_kind), width=width, reduced_motion="reduce"):  # at once there, not on the way
        faults += keyboard_faults(tab)
    assert not faults, "\n".join(faults)


@WIDTHS
def test_the_keyboard_goes_back_too_and_nothing_hides_it(tour, with_tabs, width) -> None:
    """On the longest page. Backwards what has the focus comes in at the top, where something may lie over it."""
    for _, _, tab in tour(views(with_tabs[-1:]), width=width, reduced_motion="reduce"):
        assert not keyboard_faults(tab, "Shift+Tab")


FOCUSABLE = "a[href], button, input, select, summary, [tabindex]"


def keyboard_faults(tab, key: str = "Tab") -> list[str]:
    names = look(tab, "controls")
    reached, faults = set(), []
    for _ in range(tab.locator(FOCUSABLE).count() + 20):  # those count too that a table has scrolled out of sight
        tab.keyboard.press(key)
        at = look(tab, "focus")
        if at is None or (at["number"] is not None and at["number"] in reached):
            break  # once round
        reached.add(at["number"])
        if not at["marked"]:
            faults.append(f"{at['name']} has the focus and does not show it")
        elif not at["open"]:
            faults.append(f"{at['name']} has the focus and is hidden")
    reached |= set(look(tab, "tabs"))  # test_choice.py goes along these
    faults += [f"the keyboard never reaches {name}" for number, name in enumerate(names) if str(number) not in reached]
    return [f"{tab.url}: {fault}" for fault in faults]


def focus(tab, locator, key: str = "Tab") -> None:
    """Press Tab until an element has the focus."""
    for _ in range(200):
        if locator.evaluate("it => it === document.activeElement"):
            return
        tab.keyboard.press(key)
    raise AssertionError(f"{locator} is never reached")


def test_keys_alone_compare_swap_and_go_back_to_one(read, concept) -> None:
    reader = read(concept)
    keys = reader.page.keyboard
    one = reader.shown[0][0]
    focus(reader.page, reader.to)
    keys.press("End")
    last = reader.to.locator("option").last.get_attribute("value")
    assert reader.shown[0] == [one, last]
    focus(reader.page, reader.swap, "Shift+Tab")
    keys.press("Enter")
    assert reader.shown[0] == [last, one]
    focus(reader.page, reader.to)
    keys.press("Home")
    assert reader.shown[0] == [last]


def test_keys_alone_copy(read, concept) -> None:
    reader = read(concept, permissions=["clipboard-read", "clipboard-write"])
    panel = reader.sets.first.locator("[data-framework]:not([role=tab])").filter(visible=True)
    focus(reader.page, panel.get_by_role("button").filter(visible=True).first)
    reader.page.keyboard.press("Enter")
    assert "def " in reader.page.evaluate("navigator.clipboard.readText()")


def test_keys_alone_open_the_navigation_on_a_phone_and_follow_it(visit, root, concept, other) -> None:
    tab = visit(concept, width=375)
    links = tab.locator(".sidebar-tree a")
    addresses = links.evaluate_all("links => links.map(link => link.href)")
    target = links.nth(addresses.index(root + other.address))
    assert not target.is_visible()
    focus(tab, tab.get_by_role("checkbox").first)
    tab.keyboard.press("Space")
    assert not violations(tab)
    focus(tab, target)
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**/{other.address}")


def test_keys_alone_change_the_colors(visit, concept) -> None:
    tab = visit(concept)
    focus(tab, tab.get_by_role("button", name="theme").filter(visible=True).first)
    before = tab.evaluate("document.body.dataset.theme")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.body.dataset.theme") != before
    assert not violations(tab)


def test_the_skip_link_leads_to_the_text(visit, concept) -> None:
    tab = visit(concept)
    link = tab.get_by_role("link", name="Skip to content")
    tab.keyboard.press("Tab")  # the first one: what stands before it could not be skipped
    assert link.evaluate("link => link === document.activeElement")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.querySelector('article').contains(document.activeElement)")
