"""The choice of a framework, and two side by side: by pointer and key, in the address, remembered."""

from __future__ import annotations

from itertools import product

import pytest
from playwright.sync_api import expect

from tests.site.conftest import look
from tools.built_site import BUILT


@pytest.fixture(scope="session")
def partial(with_tabs):
    """A page, one of its sets of tabs, and a framework that this set lacks and the first set has."""
    for page in with_tabs:
        for number, names in enumerate(page.sets):
            lacking = [name for name in page.sets[0] if name not in names]
            if lacking and names[0] in page.sets[0]:
                return page, number, lacking[0]
    return pytest.skip("on every page all sets of tabs have the same frameworks")


def alike(page, *frameworks: str) -> list[list[str]]:
    """What is shown where every set shows the same."""
    return [list(frameworks)] * len(page.sets)


# One framework


def test_the_first_is_shown_until_the_reader_chooses(read, concept) -> None:
    reader = read(concept)
    assert reader.shown == alike(concept, concept.frameworks[0])
    assert reader.query == {}


def test_a_click_chooses_in_every_set(read, concept) -> None:
    reader = read(concept)
    reader.tab(concept.frameworks[-1]).click()
    assert reader.shown == alike(concept, concept.frameworks[-1])
    assert reader.query == {"framework": concept.frameworks[-1]}


def test_a_set_without_the_chosen_one_goes_on_showing_what_it_has(read, partial) -> None:
    page, number, lacking = partial
    reader = read(page)
    reader.tab(lacking).click()
    assert reader.shown[0] == [lacking]
    assert reader.shown[number] == [page.sets[number][0]]


def test_what_was_clicked_stays_where_it_is(read, with_tabs) -> None:
    """All sets change at a choice, and those above may grow or shrink."""
    page = with_tabs[-1]
    reader = read(page)
    last = len(page.sets) - 1
    for name in page.sets[last][1:4]:
        tab = reader.tab(name, last)
        tab.hover()  # which scrolls, as the click does, and waits until all stands still
        before = tab.bounding_box()["y"]
        tab.click()
        assert abs(tab.bounding_box()["y"] - before) <= 1


def test_the_address_wins_over_what_was_stored_and_that_over_the_first(read, concept, other) -> None:
    _, second, third, *_ = concept.frameworks
    reader = read(other)
    reader.tab(second).click()
    reader.go(concept)
    assert reader.shown == alike(concept, second)
    reader.go(concept, {"framework": third})
    assert reader.shown == alike(concept, third)
    for query in (None, {"framework": "nonsense"}):
        reader.go(other, query)
        assert reader.shown[0] == [third]


def test_the_choice_follows_along_a_link(read, concept, other) -> None:
    name = concept.frameworks[1]
    reader = read(concept)
    reader.tab(name).click()
    links = reader.page.locator(".sidebar-tree a")
    addresses = links.evaluate_all("links => links.map(link => link.href)")
    links.nth(addresses.index(reader.root + other.address)).click()
    reader.page.wait_for_url(f"**/{other.address}")
    assert reader.shown[0] == [name]


def test_a_link_to_a_panel_opens_it(read, concept) -> None:
    """Whatever was chosen before, one framework or two."""
    first, second, third, *_ = concept.frameworks
    reader = read(concept)
    panel = reader.sets.nth(1).locator(f":scope > [data-framework={third}]")
    name = panel.get_attribute("id")
    for query in ({"framework": second}, {"from": first, "to": second}):
        reader.go(concept, query)
        reader.page.goto(f"{reader.root}{concept.address}#{name}")
        assert reader.shown == alike(concept, third)
        expect(panel).to_be_in_viewport()


def test_a_later_snippet_leads_to_all_of_its_run(read, with_tabs) -> None:
    """It stands once on a page, folded under the run's first snippet; the link opens it and brings it into sight."""
    told_before = next(page for page in with_tabs if 'href="#run-' in (BUILT / page.address).read_text("utf-8"))
    tab = read(told_before).page
    tab.set_viewport_size({"width": 1280, "height": 300})  # less than the snippet, above which its panel begins
    link = tab.locator(".rosetta-panel:not([hidden]) .rosetta-ran a[href^='#run-']").first
    told = tab.locator(link.get_attribute("href"))
    assert not told.is_visible()
    link.click()
    expect(told).to_be_visible()
    tab.wait_for_timeout(1000)  # it scrolls smoothly, for 0.6 s: on a way that ends elsewhere it comes into sight, too
    expect(told).to_be_in_viewport(timeout=1)


def test_a_click_puts_the_section_into_the_address(read, concept) -> None:
    reader = read(concept)
    section = reader.page.locator("section:has(> .rosetta-tabs)").nth(1).get_attribute("id")
    reader.tab(concept.frameworks[1], 1).click()
    assert reader.page.url.endswith(f"?framework={concept.frameworks[1]}#{section}")


@pytest.mark.parametrize("number", [0, 1])
def test_keys_move_along_the_tabs(read, concept, number) -> None:
    names = concept.frameworks
    reader = read(concept)
    reader.tab(names[0], number).focus()
    for key, expected in [("ArrowRight", 1), ("End", -1), ("ArrowRight", 0), ("ArrowLeft", -1), ("Home", 0), ("q", 0)]:
        reader.page.keyboard.press(key)
        tab = reader.tab(names[expected], number)
        assert tab.evaluate("tab => tab === document.activeElement"), key
        assert reader.shown == alike(concept, names[expected])
        assert reader.sets.nth(number).locator("[role=tab][tabindex='0']").count() == 1
        assert tab.get_attribute("tabindex") == "0"
        assert tab.get_attribute("aria-selected") == "true"


def test_after_a_restored_choice_the_chosen_tab_is_the_one_to_tab_to(read, concept) -> None:
    reader = read(concept, {"framework": concept.frameworks[2]})
    for number in range(len(concept.sets)):
        inside = reader.sets.nth(number).locator("[role=tab][tabindex='0']")
        assert [inside.nth(i).get_attribute("data-framework") for i in range(inside.count())] == [concept.frameworks[2]]


# Two side by side


def test_a_second_one_sets_two_side_by_side_and_none_takes_it_back(read, concept) -> None:
    first, _, third, *_ = concept.frameworks
    reader = read(concept, {"framework": third})
    assert (reader.from_.input_value(), reader.to.input_value()) == (third, "")
    assert reader.swap.is_disabled()
    reader.to.select_option(first)
    assert reader.shown == alike(concept, third, first)
    assert reader.query == {"from": third, "to": first}
    assert reader.swap.is_enabled()
    reader.to.select_option("")
    assert reader.shown == alike(concept, third)
    assert reader.query == {"framework": third}


def test_the_lists_hold_the_living_and_the_retired_and_ones_own_first(read, concept) -> None:
    first, _, third, *_ = concept.frameworks
    groups = "select => [...select.querySelectorAll('optgroup')].map(group => [group.label, group.children.length])"
    reader = read(concept)
    before = reader.from_.evaluate(groups)
    assert [label for label, _ in before] == ["Active", "Retired"]
    assert sum(count for _, count in before) == len(concept.frameworks)
    reader.go(concept, {"from": third, "to": first})
    reader.go(concept)
    after = reader.to.evaluate(groups)
    assert after[0] == ["Yours", 2]
    assert sum(count for _, count in after) == len(concept.frameworks)


def test_an_address_says_it_all(read, concept) -> None:
    first, _, third, *_ = concept.frameworks
    reader = read(concept, {"from": third, "to": first})
    assert reader.shown == alike(concept, third, first)
    assert (reader.from_.input_value(), reader.to.input_value()) == (third, first)


@pytest.mark.parametrize("width", [1280, 375])
def test_an_address_with_two_and_a_place_goes_there(read, concept, width) -> None:
    """And nothing that stays at the top of the window lies over it."""
    first, _, third, *_ = concept.frameworks
    reader = read(concept, width=width, reduced_motion="reduce")
    for place in reader.page.locator("section:has(> .rosetta-tabs)").evaluate_all("all => all.map(it => it.id)"):
        reader.page.goto(f"{reader.root}{concept.address}?from={third}&to={first}#{place}")
        assert reader.shown == alike(concept, third, first)
        assert look(reader.page, "uncovered", f"#{place} h2"), place


@pytest.mark.parametrize("width", [1280, 800, 375])
def test_the_boxes_stay_in_sight(read, concept, width) -> None:
    first, _, third, *_ = concept.frameworks
    reader = read(concept, {"from": third, "to": first}, width=width, reduced_motion="reduce")
    reader.sets.last.evaluate("set => set.scrollIntoView({block: 'end'})")
    for box in (reader.from_, reader.swap, reader.to):
        expect(box).to_be_in_viewport(ratio=1)


def test_the_boxes_choose_the_two(read, concept) -> None:
    first, second, third, *_ = concept.frameworks
    reader = read(concept, {"from": first, "to": second})
    reader.to.select_option(third)
    assert reader.shown == alike(concept, first, third)
    reader.from_.select_option(second)
    assert reader.shown == alike(concept, second, third)
    assert reader.query == {"from": second, "to": third}


def test_two_follow_to_the_next_page(read, concept, other) -> None:
    first, _, third, *_ = concept.frameworks
    reader = read(concept, {"from": third, "to": first})
    reader.go(other)
    assert reader.shown[0] == [third, first]
    reader.to.select_option("")
    reader.go(concept)
    assert all(len(shown) == 1 for shown in reader.shown)


def test_swap_by_button(read, concept) -> None:
    first, _, third, *_ = concept.frameworks
    reader = read(concept, {"from": third, "to": first})
    reader.swap.click()
    assert reader.shown == alike(concept, first, third)
    assert reader.query == {"from": first, "to": third}


def test_swap_by_key(read, concept) -> None:
    first, _, third, *_ = concept.frameworks
    reader = read(concept, {"from": third, "to": first})
    reader.page.keyboard.press("Alt+x")
    assert reader.shown == alike(concept, first, third)
    reader.page.keyboard.press("x")
    assert reader.shown == alike(concept, first, third)


def test_the_keyboard_and_the_ear_take_the_two_in_the_order_of_the_eye(read, concept) -> None:
    """Swapped by the key while the focus is in a snippet, it stays there."""
    first, _, third, *_ = concept.frameworks
    order = """set => [...set.querySelectorAll(":scope > [data-framework]:not([hidden])")]
        .map(panel => panel.dataset.framework)"""
    for pair, focused in product(([first, third], [third, first]), (first, third)):
        reader = read(concept, dict(zip(("from", "to"), pair, strict=True)))
        assert reader.sets.first.evaluate(order) == pair
        link = reader.sets.first.locator(f"[data-framework={focused}]:not([role=tab]) a").first
        link.focus()
        reader.page.keyboard.press("Alt+x")
        assert reader.sets.first.evaluate(order) == pair[::-1]
        expect(link).to_be_focused()


def test_asking_for_the_same_twice_swaps_the_two(read, concept) -> None:
    first, _, third, *_ = concept.frameworks
    reader = read(concept, {"from": third, "to": first})
    reader.from_.select_option(first)
    assert reader.shown == alike(concept, first, third)
    reader.to.select_option(first)
    assert reader.shown == alike(concept, third, first)


def test_a_set_says_which_of_the_two_it_lacks(read, partial) -> None:
    page, number, lacking = partial
    has = page.sets[number][0]
    reader = read(page, {"from": has, "to": lacking})
    assert reader.shown[0] == [has, lacking]
    assert reader.shown[number] == [has]
    name = reader.page.locator(f"[role=tab][data-framework={lacking}]").first.text_content()
    output = reader.sets.nth(number).evaluate("set => set.innerText + getComputedStyle(set, '::after').content")
    assert name in output


def test_the_tabs_are_gone_while_two_are_compared(read, concept) -> None:
    first, second, *_ = concept.frameworks
    reader = read(concept, {"from": first, "to": second})
    for number in range(len(concept.sets)):
        assert not reader.sets.nth(number).get_by_role("tablist").is_visible()
    reader.to.select_option("")
    for number in range(len(concept.sets)):
        assert reader.sets.nth(number).get_by_role("tablist").is_visible()


# Wrong addresses


@pytest.mark.parametrize("wrong", ["nonsense", "<b>bold</b>", "toString"])
@pytest.mark.parametrize("keys", [("framework",), ("from",), ("to",), ("from", "to")], ids="-".join)
def test_a_typo_in_the_address_gets_a_sentence_and_no_blank(read, concept, keys, wrong) -> None:
    good = {} if keys == ("framework",) else dict.fromkeys(("from", "to"), concept.frameworks[1])
    reader = read(concept, {**good, **dict.fromkeys(keys, wrong)})
    assert all(reader.shown)
    if keys == ("framework",):
        assert reader.shown == alike(concept, concept.frameworks[0])
    assert reader.status.is_visible()
    assert wrong in reader.status.inner_text()


def test_a_framework_may_be_called_by_its_name_and_by_an_implementations_id(read, concept) -> None:
    option = read(concept).from_.locator("option[data-also]").first
    folder, title = option.get_attribute("value"), option.text_content()
    other = next(name for name in concept.frameworks if name != folder)
    for called in (title, folder.upper(), option.get_attribute("data-also").split()[-1]):
        reader = read(concept, {"from": called, "to": other})
        assert reader.shown == alike(concept, folder, other)
        assert not "".join(reader.status.all_inner_texts()).strip()


def test_a_right_address_gets_no_sentence(read, concept) -> None:
    first, second, *_ = concept.frameworks
    for query in ({}, {"framework": second}, {"from": first, "to": second}):
        assert not "".join(read(concept, query).status.all_inner_texts()).strip()


def test_an_address_whose_anchor_is_no_escape_chooses_as_any_other(read, concept) -> None:
    reader = read(concept)
    reader.page.goto(f"{reader.root}{concept.address}?framework={concept.frameworks[1]}#100%")
    assert reader.shown == alike(concept, concept.frameworks[1])


def test_the_same_twice_in_the_address_shows_something(read, concept) -> None:
    reader = read(concept, dict.fromkeys(("from", "to"), concept.frameworks[1]))
    assert all(reader.shown)


# Searching


def only_in(page) -> tuple[str, str]:
    """A framework that is not shown at first, and a word that only its panel of the first set holds."""
    words = """() => {
        const panels = [...document.querySelectorAll(".rosetta-tabs > [data-framework]")], prose = document
            .querySelector("[role=main]").cloneNode(true);
        for (const set of prose.querySelectorAll(".rosetta-tabs")) set.remove();
        const split = text => text.toLowerCase().split(/[^a-z_]+/);
        const common = new Set(split(prose.textContent));
        for (const hidden of panels.filter(panel => panel.hidden)) {
            const others = panels.filter(panel => panel.dataset.framework !== hidden.dataset.framework);
            const known = new Set(others.flatMap(panel => split(panel.textContent)));
            const own = word => word.length > 6 && !known.has(word) && !common.has(word);
            const word = split(hidden.querySelector("pre").textContent).find(own);
            if (word) return [hidden.dataset.framework, word];
        }
    }"""
    return page.evaluate(words)


def test_the_search_lands_on_the_panel_that_holds_the_word(read, concept) -> None:
    reader = read(concept)
    framework, word = only_in(reader.page)
    reader.page.goto(f"{reader.root}search.html?q={word}")
    hit = reader.page.locator(f"#search-results a[href*='{concept.address}']").first
    hit.wait_for()
    hit.click()
    reader.page.wait_for_url(f"**/{concept.address}*")
    assert [framework] in reader.shown
    panel = reader.page.locator(f".rosetta-tabs > [data-framework={framework}]").filter(has_text=word).first
    expect(panel).to_be_in_viewport()
    reader.go(concept)
    assert reader.shown == alike(concept, concept.frameworks[0])  # for that once


# Copying


def test_the_copy_button_copies_the_code_and_no_more(read, concept) -> None:
    reader = read(concept, {"framework": concept.frameworks[1]}, permissions=["clipboard-read", "clipboard-write"])
    panel = reader.sets.first.locator("[data-framework]:not([role=tab])").filter(visible=True)
    panel.get_by_role("button").filter(visible=True).first.click()
    copied = reader.page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == panel.locator("pre").first.evaluate("pre => pre.textContent").strip()
    assert "def " in copied
