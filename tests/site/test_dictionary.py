"""The dictionary finds the row of a name of any framework, shown or not."""

from __future__ import annotations

from tests.site.test_promotion import listing

ROWS = "table.rosetta-dictionary > tbody > tr"
# The time that the page takes for what is typed, in milliseconds, and what it shows then.
TYPED = """([text, selector]) => {
    const input = document.querySelector(".rosetta-filter input"), start = performance.now();
    input.value = text;
    input.dispatchEvent(new Event("input"));
    const rows = [...document.querySelectorAll(selector)].filter(row => row.checkVisibility());
    return [performance.now() - start, rows.map(row => row.textContent)];
}"""


def test_a_name_of_any_framework_finds_its_row_at_once(visit, pages) -> None:
    tab = visit(listing(pages, "rosetta-dictionary"))
    every = tab.locator(ROWS).count()
    hidden = tab.locator(f"{ROWS} > [hidden] code").last.text_content()
    took, rows = tab.evaluate(TYPED, [hidden.upper(), ROWS])
    assert 0 < len(rows) < every
    assert all(hidden in row for row in rows)
    assert took < 30
    assert tab.get_by_role("status").last.text_content() == f"{len(rows)} of {every} rows"
    assert tab.evaluate(TYPED, ["no framework calls anything so", ROWS])[1] == []
    assert len(tab.evaluate(TYPED, ["", ROWS])[1]) == every


def test_without_scripts_the_whole_dictionary_is_there_and_no_field(visit, pages) -> None:
    tab = visit(listing(pages, "rosetta-dictionary"), java_script_enabled=False)
    assert tab.locator(f"{ROWS}:visible").count() == tab.locator(ROWS).count() > 1
    assert not tab.locator(".rosetta-filter").is_visible()
