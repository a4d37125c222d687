"""Where do two frameworks differ: the choice in a browser, in the address and across pages."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from html import unescape
from pathlib import Path

import pytest
from test_results_browser import BROWSER, FLAGS

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium")

# What a test's script may use. `list()` is the list of differences as a reader sees it, a text a cell.
TOOLS = """
const visible = list => [...list].filter(one => one.checkVisibility());
const text = it => it.innerText.split(/\\s+/).join(" ").trim();
const list = () => [...document.querySelectorAll(".rosetta-differences tr")].map(row => [...row.cells].map(text));
const said = () => document.querySelector(".rosetta-differences [role=status]").textContent;
const complaint = () => document.querySelector(".rosetta-bar [role=status]").textContent;
const tables = () => visible(document.querySelectorAll(".rosetta-question table")).length;
const [from, to] = document.querySelectorAll(".rosetta-bar select");
const pick = (select, value) => { select.value = value; select.dispatchEvent(new Event("change")); };
"""


@pytest.fixture(scope="module")
def once(modules_site, modules_ask):
    """Bell runs on two backends, which differ in one answer; Curie's are of another lock; Dora's stride is Bell's."""
    site, ask = modules_site, modules_ask
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + "".join(f'[backend.{b}]\nname = "Bell on {b}"\n' for b in "xy"), "utf-8")
    ask(
        "ada",
        {"pool.stride": "1", "pool.β": "0.9", "loss.mean": "refused: TypeError: no"},
        {"pool.stride": {"ada.pool(..., stride=2)": "2"}, "loss.mean": {"ada.loss(..., n=1)": "the sum"}},
    )
    ask("bell-x", {"pool.stride": "2", "pool.β": "0.9", "loss.mean": "the mean"})
    ask("bell-y", {"pool.stride": "2", "pool.β": "0.9", "loss.mean": "the sum"})
    ask("curie", {"pool.stride": "3"})
    site.add_framework("dora")
    ask("dora", {"pool.stride": "2"})
    (site.examples / "curie" / "requirements.txt").write_text("curie==2\n", "utf-8")
    site.page("index", "Text.\n\n```{defaults}\n```")
    site.page("probes", "```{probes}\n```")
    assert not site.build()
    return site


@pytest.fixture
def built(once, tmp_path: Path):
    """A copy for a test of its own."""
    return once.copy(tmp_path / "site")


@pytest.fixture
def read(built, tmp_path: Path):
    """read(address, script) -> what the script returns on the page, in a browser without a past."""
    html = built.html("index")
    profiles = itertools.count()

    def run(address: str = "", script: str = "return list()") -> object:
        answer = f"(async () => {{ {TOOLS} {script} }})().then(it => document.body.dataset.answer = JSON.stringify(it))"
        added = f"<script>addEventListener('load', () => {answer})</script></body>"
        path = built.folder / "html" / "index.html"
        path.write_text(html.replace("</body>", added), "utf-8")
        command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}{next(profiles)}", path.as_uri() + address]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        found = re.search(r'data-answer="([^"]*)"', dom)
        assert found, "the script gave no answer"
        return json.loads(unescape(found[1]))

    return run


DIFFERENT = [
    ["Question", "Ada", "Bell", "Write in Bell"],
    ["A pool, told its window", "ada.pool", "bell.pool", ""],
    ["Stride", "1", "2", "–"],
    ["The loss", "", "", ""],
    ["What becomes of a batch", "refused", "the mean Bell on x the sum Bell on y", "–"],
]


def test_without_a_second_one_all_is_shown(read) -> None:
    assert read(script="return [list(), said(), tables(), complaint()]") == [[], "", 2, ""]


def test_two_in_the_address_leave_what_they_differ_in(read) -> None:
    found = read("?from=ada&to=bell", "return [list(), said(), tables(), complaint()]")
    assert found == [
        DIFFERENT,
        "Ada and Bell differ in 2 of 3 defaults.",
        0,
        "",
    ]


def test_a_choice_goes_into_the_address_and_is_kept(read) -> None:
    script = """
    pick(from, "bell"); pick(to, "ada");
    return [list()[0], location.search, localStorage["rosetta.pair"], tables()];
    """
    assert read("", script) == [["Question", "Bell", "Ada", "Write in Ada"], "?from=bell&to=ada", "bell ada", 0]
    back = read("?from=ada&to=bell", 'pick(to, ""); return [list(), location.search, tables()]')
    assert back == [[], "?framework=ada", 2]


def test_what_no_longer_holds_is_not_compared(read) -> None:
    expected = "Ada and Curie differ in 0 of 0 defaults. For 3 more, an answer is missing."
    assert read("?from=ada&to=curie", "return [list(), said()]") == [[], expected]


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        (
            "?from=ada&to=bel",
            "There is no framework called “bel”. Choose one from the lists above. This is Ada.",
        ),
        ("?from=bell&to=bell", "From and to are the same framework, so only Bell is shown."),
    ],
)
def test_a_typo_is_said_and_all_is_shown(read, address: str, complaint: str) -> None:
    assert read(address, "return [complaint(), list(), tables()]") == [complaint, [], 2]


def test_the_last_column_says_what_to_write_in_the_second_one(read) -> None:
    """A dash stands where the first one's backends differ, so that no single line serves."""
    last = "return list().map(row => row.at(-1))"
    expected = ["Write in Ada", "", "ada.pool(..., stride=2)", "", "–"]
    assert read("?from=bell&to=ada", last) == expected
    lines = ".rosetta-differences tr:not(:has([scope=rowgroup])) > td:last-child"
    why = f"return [...document.querySelectorAll('{lines}')].map(cell => cell.title)"
    assert read("?from=bell&to=ada", why) == ["", "No argument was measured to give this answer."]


MARKS = """
const marked = () => visible(document.querySelectorAll(".rosetta-odd")).map(mark => text(mark.closest("tr").cells[0]));
const caption = () => document.querySelector("caption").textContent.replace("¶", "");
"""


def test_with_two_the_mark_is_of_what_differs_between_them(read) -> None:
    script = (
        MARKS
        + """
    const all = [];
    for (const [one, two] of [["ada", "bell"], ["dora", "bell"], ["dora", ""]]) {
        pick(to, ""); pick(from, one); pick(to, two);
        all.push([marked(), caption()]);
    }
    return all;
    """
    )
    assert read("#default-pool-ada", script) == [
        [["Ada ada.pool 1.2", "Bell on x bell.pool 1.2", "Bell on y bell.pool 1.2"], "◆ differs between Ada and Bell"],
        [[], "◆ differs between Dora and Bell"],
        [["Ada ada.pool 1.2"], "◆ differs from most frameworks"],
    ]


def test_the_chosen_one_is_marked(read) -> None:
    script = 'return [...document.querySelectorAll(".is-own th")].map(text)'
    assert read("?framework=ada", script) == ["Ada ada.pool 1.2", "Ada 1.2"]
    assert read("", script) == []


def test_a_link_to_a_line_shows_its_table_beside_the_list(read) -> None:
    script = "return [list().length, tables(), document.querySelector(':target').checkVisibility()]"
    assert read("?from=ada&to=bell#default-pool-ada", script) == [5, 1, True]


def test_what_is_copied_into_the_list_still_leads_to_the_code_and_opens(read) -> None:
    script = """
    const rows = document.querySelectorAll(".rosetta-differences tbody tr");
    const [stride, loss] = [rows[1].cells[1], rows[3].cells[1]];
    return [stride.querySelector("a").getAttribute("href"), loss.querySelector("details").textContent];
    """
    href, reason = read("?from=ada&to=bell", script)
    assert href == "probes.html#defaults-pool-ada"
    assert "TypeError: no." in reason
