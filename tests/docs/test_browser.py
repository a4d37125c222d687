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
  .sort((a, b) => a.style.order - b.style.order).map(panel => panel.dataset.framework).join());
const press = key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const bar = document.querySelector(".rosetta-bar");
const [from, to] = bar ? bar.querySelectorAll("select") : [];
const [toggle, swap] = bar ? bar.querySelectorAll("button") : [];
const pick = (select, id) => { select.value = id; select.dispatchEvent(new Event("change")); };
const focusable = set => [...set.querySelectorAll("[role=tab]")].filter(tab => tab.tabIndex === 0)
  .map(tab => tab.dataset.framework);
"""


@pytest.fixture
def read(site, tmp_path: Path):
    """read(address, script, before) -> what the script returns on the first page, in a browser without a past.

    `before` is what the reader does on another page, after which the browser goes on to the first.
    """
    for name in ("ada", "curie"):
        shutil.copy(site.examples / name / "cnn.py", site.examples / name / "gru.py")
    site.page("index", "```{rosetta} cnn.train\n```\n\n```{rosetta} gru.train\n```")
    site.page("other", "```{rosetta} cnn.load_data\n```")
    assert not site.build()
    html = {page: site.html(page) for page in ("index", "other")}
    profiles = itertools.count()

    def run(address: str = "", script: str = "return open()", before: str = "") -> object:
        url = (site.folder / "html" / "index.html").as_uri() + address
        probe = f"document.body.dataset.answer = JSON.stringify((() => {{ {TOOLS} {script} }})())"
        go_on = f"{TOOLS} {before}; location.href = {json.dumps(url)}"
        for page, body in (("index", probe), ("other", go_on)):
            added = f"<script>addEventListener('load', () => {{ {body} }})</script></body>"
            path = site.folder / "html" / f"{page}.html"
            path.write_text(html[page].replace("</body>", added), "utf-8")
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
    assert read(before="toggle.click(); pick(to, 'curie')") == ["ada,curie", "ada,curie"]


def test_a_link_to_a_tab_opens_it(read) -> None:
    assert read("#gru-train-curie") == ["curie", "curie"]
    assert read("#gru-train-curie", before="toggle.click()") == ["curie", "curie"]


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
    assert read(script=f"toggle.click(); {SIDE}") == [["ada,bell", "ada"], "?from=ada&to=bell", "grid"]
    assert read("?from=curie&to=ada", SIDE) == [["curie,ada"] * 2, "?from=curie&to=ada", "grid"]


def test_swap_and_close(read) -> None:
    swapped = [["ada,curie"] * 2, "?from=ada&to=curie", "grid"]
    assert read("?from=curie&to=ada", f"swap.click(); {SIDE}") == swapped
    assert read("?from=curie&to=ada", f"toggle.click(); {SIDE}") == [["ada", "ada"], "", "block"]


def test_the_same_twice_swaps_the_two(read) -> None:
    assert read("?from=curie&to=ada", "pick(from, 'ada'); return open()") == ["ada,curie"] * 2
    assert read("?from=curie&to=ada", "pick(to, 'curie'); return open()") == ["ada,curie"] * 2
    assert read("?from=ada&to=ada") == ["ada", "ada"]


def test_a_set_says_which_of_the_two_it_lacks(read) -> None:
    script = "return [open(), sets[1].dataset.lacking]"
    assert read("?from=ada&to=bell", script) == [["ada,bell", "ada"], "Bell has no such example yet."]


def test_the_tabs_are_gone_while_two_are_compared(read) -> None:
    lists = "return sets.map(set => set.firstElementChild.checkVisibility())"
    assert read("?from=ada&to=curie", lists) == [False, False]
    assert read("", lists) == [True, True]
