"""What the reader's browser does: the choice, the keyboard, two side by side. Skipped where there is no Chromium."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium")

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--dump-dom"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
FLAGS += ["--virtual-time-budget=5000"]

# What a test's script may use.
TOOLS = """
const sets = [...document.querySelectorAll(".rosetta-tabs")];
const tab = (id, set = 0) => sets[set].querySelector(`[role=tab][data-framework=${id}]`);
const open = () => sets.map(set => [...set.querySelectorAll(":scope > [data-framework]")]
  .filter(panel => panel.checkVisibility())
  .sort((a, b) => getComputedStyle(a).order - getComputedStyle(b).order).map(panel => panel.dataset.framework).join());
const press = key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const bar = document.querySelector(".rosetta-bar");
const [from, to] = bar ? bar.querySelectorAll("select") : [];
const swap = bar && bar.querySelector("button");
const said = () => bar.querySelector("[role=status]").textContent;
const groups = select => [...select.querySelectorAll("optgroup")]
  .map(group => group.label + ": " + [...group.children].map(option => option.value));
const pick = (select, id) => { select.value = id; select.dispatchEvent(new Event("change")); };
const focusable = set => [...set.querySelectorAll("[role=tab]")].filter(tab => tab.tabIndex === 0)
  .map(tab => tab.dataset.framework);
"""


@pytest.fixture
def read(site, tmp_path: Path):
    """read(address, script, before) -> what the script returns on the first page, in a browser without a past.

    `before` is what the reader does on another page, after which the browser goes on to the first.
    `in_head` runs at the end of the head.
    """
    for name in ("ada", "curie"):
        shutil.copy(site.examples / name / "cnn.py", site.examples / name / "gru.py")
    site.page("index", "```{rosetta} cnn.train\n```\n\n```{rosetta} gru.train\n```")
    site.page("other", "```{rosetta} cnn.load_data\n```")
    assert not site.build()
    html = {page: site.html(page) for page in ("index", "other")}
    profiles = itertools.count()

    def run(address: str = "", script: str = "return open()", before: str = "", in_head: str = "") -> object:
        url = (site.folder / "html" / "index.html").as_uri() + address
        probe = f"document.body.dataset.answer = JSON.stringify((() => {{ {TOOLS} {script} }})())"
        go_on = f"{TOOLS} {before}; location.href = {json.dumps(url)}"
        for page, body in (("index", probe), ("other", go_on)):
            added = f"<script>addEventListener('load', () => {{ {body} }})</script></body>"
            path = site.folder / "html" / f"{page}.html"
            kept = f"<script>{in_head}</script></head>"
            path.write_text(html[page].replace("</body>", added).replace("</head>", kept), "utf-8")
        start = (site.folder / "html" / "other.html").as_uri() if before else url
        command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}{next(profiles)}", start]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        return json.loads(unescape(re.search(r'data-answer="([^"]*)"', dom)[1]))

    return run


def test_the_first_is_chosen_until_the_reader_chooses(read) -> None:
    assert read() == ["ada", "ada"]


def test_a_click_chooses_on_every_set_that_has_it(read) -> None:
    script = "tab('curie').click(); return [open(), location.search]"
    assert read(script=script) == [["curie", "curie"], "?framework=curie"]
    assert read(script="tab('bell').click(); return open()") == ["bell", "ada"]


def test_the_address_wins_over_what_was_stored_and_that_over_the_first(read) -> None:
    stored = "localStorage.setItem('rosetta.framework', 'bell')"
    script = "return [open(), localStorage.getItem('rosetta.framework')]"
    assert read("", script, stored) == [["bell", "ada"], "bell"]
    assert read("?framework=curie", script, stored) == [["curie", "curie"], "curie"]
    assert read("?framework=nonsense", script, stored) == [["bell", "ada"], "bell"]


def test_the_choice_follows_to_the_next_page(read) -> None:
    assert read(script="return [open(), location.search]", before="tab('curie').click()") == [["curie", "curie"], ""]


def test_two_side_by_side_follow_to_the_next_page(read) -> None:
    assert read(before="pick(to, 'curie')") == ["ada,curie", "ada,curie"]


def test_a_link_to_a_tab_opens_it(read) -> None:
    assert read("#gru-train-curie") == ["curie", "curie"]
    assert read("#gru-train-curie", before="pick(to, 'bell')") == ["curie", "curie"]
    assert read("?from=ada&to=curie#gru-train-curie") == ["ada,curie", "ada,curie"]


def test_a_click_puts_the_section_into_the_address(read) -> None:
    assert read(script="tab('curie').click(); return location.hash") == "#index"


def test_keyboard(read) -> None:
    script = """
    tab("ada").focus();
    const seen = [];
    for (const key of ["ArrowRight", "End", "ArrowRight", "ArrowLeft", "Home", "x"]) {
      press(key);
      seen.push(document.activeElement.dataset.framework + " " + open()[0] + " " + focusable(sets[0]));
    }
    return seen;
    """
    expected = ["bell", "curie", "ada", "curie", "ada", "ada"]
    assert read(script=script) == [f"{name} {name} {name}" for name in expected]


def test_roving_tabindex_after_a_restored_choice(read) -> None:
    script = "return sets.map(focusable)"
    assert read("", script, "tab('curie').click()") == [["curie"], ["curie"]]


SIDE = "return [open(), location.search, getComputedStyle(sets[0]).display]"


def test_side_by_side(read) -> None:
    assert read(script=f"pick(to, 'bell'); {SIDE}") == [["ada,bell", "ada"], "?from=ada&to=bell", "grid"]
    assert read("?from=curie&to=ada", SIDE) == [["curie,ada"] * 2, "?from=curie&to=ada", "grid"]


def test_swap_and_close(read) -> None:
    swapped = [["ada,curie"] * 2, "?from=ada&to=curie", "grid"]
    assert read("?from=curie&to=ada", f"swap.click(); {SIDE}") == swapped
    assert read("?from=curie&to=ada", f"pick(to, ''); {SIDE}") == [["curie", "curie"], "?framework=curie", "block"]


def test_a_key_swaps_the_two_and_does_nothing_for_one(read) -> None:
    key = "dispatchEvent(new KeyboardEvent('keydown', {code: 'KeyX', altKey: true})); return [open(), swap.disabled]"
    assert read("?from=curie&to=ada", key) == [["ada,curie"] * 2, False]
    assert read("?framework=curie", key) == [["curie", "curie"], True]


def test_the_same_twice_swaps_the_two(read) -> None:
    assert read("?from=curie&to=ada", "pick(from, 'ada'); return open()") == ["ada,curie"] * 2
    assert read("?from=curie&to=ada", "pick(to, 'curie'); return open()") == ["ada,curie"] * 2


def test_the_same_twice_from_one_is_one_and_said(read) -> None:
    said = "From and to are the same, so this is Ada alone."
    script = "return [open(), to.value, said()]"
    assert read("?from=ada&to=ada", script) == [["ada", "ada"], "", said]
    assert read("?framework=ada", f"pick(to, 'ada'); {script}") == [["ada", "ada"], "", said]


@pytest.mark.parametrize(
    ("address", "unknown", "shown"),
    [
        ("?framework=nonsense", "“nonsense”", "ada"),
        ("?from=curie&to=nonsense", "“nonsense”", "curie"),
        ("?from=x&to=y", "“x” and “y”", "ada"),
    ],
)
def test_a_typo_in_the_address_is_a_sentence_and_the_default(read, address: str, unknown: str, shown: str) -> None:
    sentence = f"No framework here is called {unknown}. This is {shown.title()}; the lists above hold all."
    assert read(address, "return [open(), said()]") == [[shown, shown], sentence]
    assert read(f"?framework={shown}", "return said()") == ""


def test_ones_own_frameworks_come_first_in_the_lists(read) -> None:
    assert read(script="return groups(from)") == ["Living: ada,bell,curie"]
    yours = ["Yours: curie,bell", "Living: ada"]
    script = "return [groups(from), groups(to), from.value, to.value]"
    assert read(script=script, before="pick(from, 'curie'); pick(to, 'bell')") == [yours, yours, "curie", "bell"]


def test_nothing_moves_when_a_choice_is_restored(read) -> None:
    """The few lines in the head alone already show what the script will."""
    early = """
    for (const set of sets) for (const panel of set.querySelectorAll(":scope > [data-framework]")) {
      panel.hidden = panel !== set.querySelector("[data-framework]");
      panel.style.order = "";
    }
    document.head.append(window.kept);
    return open();
    """
    keep = "window.kept = document.getElementById('rosetta-early')"
    for address, expected in (("?framework=curie", ["curie"] * 2), ("?from=curie&to=ada", ["curie,ada"] * 2)):
        assert read(address, early, in_head=keep) == expected


def test_the_search_lands_on_the_tab_that_holds_the_words(read) -> None:
    script = "return [open(), localStorage.getItem('rosetta.framework')]"
    words = "localStorage.setItem('sphinx_highlight_terms', '{}')"
    assert read("", script, words.format("curie.step")) == [["curie", "curie"], None]
    assert read("", script, words.format("minibatches")) == [["ada", "ada"], None]
    assert read("", script, words.format("index")) == [["ada", "ada"], None]
    assert read("?framework=bell", script, words.format("curie.step")) == [["bell", "ada"], "bell"]


def test_a_set_says_which_of_the_two_it_lacks(read) -> None:
    script = "return [open(), sets[1].dataset.lacking]"
    assert read("?from=ada&to=bell", script) == [["ada,bell", "ada"], "Bell has no such example."]


def test_the_tabs_are_gone_while_two_are_compared(read) -> None:
    lists = "return sets.map(set => set.firstElementChild.checkVisibility())"
    assert read("?from=ada&to=curie", lists) == [False, False]
    assert read("", lists) == [True, True]
