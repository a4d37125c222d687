"""What a reader does with the results in a browser: choose, sort, compare, copy the address."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from shown import tables

from rosetta_host.records.store import Machine, Times

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium")

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--dump-dom"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
FLAGS += ["--virtual-time-budget=5000"]

TOWER = Machine("tower", "The tower")
SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "_static" / "results.js"

# What a test's script may use. `is()` is what a reader sees: the tables, the controls, the order, what is said.
TOOLS = """
const visible = list => [...list].filter(one => one.checkVisibility());
const tables = () => visible(document.querySelectorAll(".rosetta-part table"));
const shown = () => tables().map(table => table.closest(".rosetta-part").id).join();
const rows = () => [...tables()[0].tBodies[0].rows];
const names = () => rows().map(row => row.cells[0].querySelector("data").textContent).join();
const column = key => rows().map(row => row.querySelector(`.by-${key}`)?.innerText.split(/\\n+/).join(" "));
const ratios = () => column("ratio").join();
const first = cell => cell.innerText.split(/\\n+/)[0];
const held = () => rows().filter(row => row.classList.contains("is-reference")).map(row => first(row.cells[0])).join();
const select = name => document.querySelector(`select[name=${name}]`);
const offered = name => [...select(name).options].map(option => option.value).join();
const chosen = () => ["workload", "machine", "preset", "device", "ratio"].map(name => select(name).value).join();
const pick = (name, value) => { select(name).value = value; select(name).dispatchEvent(new Event("change")); };
const button = key => tables()[0].querySelector(`thead .by-${key} button`);
const sorted = () => [...tables()[0].querySelectorAll("[aria-sort]")]
  .map(head => first(head) + " " + head.getAttribute("aria-sort")).join();
const said = () => document.querySelector(".rosetta-choice [role=status]").innerText;
const settle = () => new Promise(done => setTimeout(done, 100));
"""


@pytest.fixture(scope="module")
def once(modules_site):
    """Two networks, two machines, three presets and two devices; Curie fails on the desk, Bell is certified there."""
    site = modules_site
    for name in ("ada", "bell", "curie"):
        shutil.copy(site.examples / name / "cnn.py", site.examples / name / "gru.py")
    site.record("bell", kind="certificate")
    site.record("ada", times=Times(train=50.0), train_rate=20.0, accuracy=0.7, epochs=10)
    site.record("bell", times=Times(train=200.0), train_rate=5.0, accuracy=0.8, epochs=10)
    site.record(
        "bell", variant="train_with_loader", times=Times(train=1000.0), train_rate=1.0, accuracy=0.75, epochs=10
    )
    site.record("curie", status="oom", reason="it ate all", accuracy=None, times=None)
    site.record("ada", preset="epoch", times=Times(train=5.0))
    site.record("ada", preset="quick", times=Times(train=1.0))
    site.record("bell", preset="quick", times=Times(train=0.5))
    for name, seconds in (("ada", 3.0), ("bell", 2.0)):
        site.record(
            name,
            workload="gru",
            machine=TOWER,
            device="gpu",
            times=Times(train=seconds),
            created="20250101T000000.000000Z",
        )
    site.page("index", "Text.\n\n```{results}\n```\n\nThe end.")
    site.page("other", "{number}`desk/ada.cnn.epoch.accuracy`")
    assert not site.build()
    return site


@pytest.fixture
def built(once, tmp_path: Path):
    """A copy for a test of its own: building it took most of the time of all of them."""
    return once.copy(tmp_path / "site")


@pytest.fixture
def read(built, tmp_path: Path):
    """read(address, script, change) -> what the script returns on the results page, in a browser without a past.

    `change` is done to the page's HTML before.
    """
    html = built.html("index")
    profiles = itertools.count()

    def run(address: str = "", script: str = "return shown()", change: Callable[[str], str] = str) -> object:
        answer = (
            f"(async () => {{ {TOOLS} {script} }})().then(said => document.body.dataset.answer = JSON.stringify(said))"
        )
        added = f"<script>addEventListener('load', () => {answer})</script></body>"
        path = built.folder / "html" / "index.html"
        path.write_text(change(html).replace("</body>", added), "utf-8")
        command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}{next(profiles)}", path.as_uri() + address]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        found = re.search(r'data-answer="([^"]*)"', dom)
        assert found, "the script gave no answer"
        return json.loads(unescape(found[1]))

    return run


FULL, EPOCH, QUICK, GRU = "cnn-desk-full-cpu", "cnn-desk-epoch-cpu", "cnn-desk-quick-cpu", "gru-tower-full-gpu"
LOADER = "Bell (with its own data loader)"


def test_one_table_is_shown_with_its_headings_and_its_chart(read) -> None:
    script = """
    const headings = visible(document.querySelectorAll(".rosetta-part > :is(h2, h3, h4)"));
    const charts = visible(document.querySelectorAll("svg")).length;
    return [shown(), headings.map(one => one.firstChild.data), charts, said(), chosen(), names()];
    """
    assert read(script=script) == [
        FULL,
        ["CNN on CIFAR-10", "The desk", "Preset full, on the CPU"],
        1,
        "",
        "cnn,desk,full,cpu,bell",
        f"Bell,Ada,{LOADER},Curie",
    ]


def test_the_address_chooses(read) -> None:
    assert read("?preset=epoch") == EPOCH
    assert read("?workload=gru", "return [shown(), chosen()]") == [GRU, "gru,tower,full,gpu,"]
    assert read("?machine=tower&device=gpu", "return [shown(), said()]") == [GRU, ""]


@pytest.mark.parametrize(
    ("address", "table", "lacking"),
    [
        ("?preset=fulll", FULL, "preset “fulll”"),
        ("?workload=gru&machine=desk", GRU, "machine “desk”"),
        ("?machine=x&sort=tme&ratio=nobody", FULL, "machine “x”, sort “tme”, ratio “nobody”"),
        ("?ratio=curie", FULL, "ratio “curie”"),
        ("?preset=quick&sort=time", QUICK, "sort “time”"),
    ],
)
def test_what_is_not_here_is_said_and_the_default_shown(read, address: str, table: str, lacking: str) -> None:
    expected = f"Not found: {lacking}. The default is shown instead."
    assert read(address, "return [shown(), said(), rows().length > 1]") == [table, expected, True]


@pytest.mark.parametrize("address", ["#%", "#nothing", "?sort=", "?%"])
def test_a_broken_address_still_shows_a_table(read, address: str) -> None:
    assert read(address) == FULL


def test_only_what_exists_is_offered(read) -> None:
    script = "return ['workload', 'machine', 'preset', 'device', 'ratio'].map(offered)"
    assert read("", script) == ["cnn,gru", "desk", "full,epoch,quick", "cpu", "ada,bell,bell.train_with_loader"]
    assert read("?workload=gru", script) == ["cnn,gru", "tower", "full", "gpu", ",ada,bell"]


def test_a_choice_goes_into_the_address_and_the_history(read) -> None:
    script = """
    const seen = [];
    const see = () => seen.push(shown() + location.search + location.hash);
    pick("preset", "epoch"); see();
    pick("workload", "gru"); see();
    history.back(); await settle(); see();
    history.back(); await settle(); see();
    history.forward(); await settle(); see();
    return [seen, chosen()];
    """
    epoch, gru = (
        "workload=cnn&machine=desk&preset=epoch&device=cpu",
        "workload=gru&machine=tower&preset=full&device=gpu",
    )
    seen = [f"{EPOCH}?{epoch}#runs", f"{GRU}?{gru}#runs", f"{EPOCH}?{epoch}#runs", FULL, f"{EPOCH}?{epoch}#runs"]
    assert read("", script) == [seen, "cnn,desk,epoch,cpu,"]


def test_a_copied_address_shows_the_same(read) -> None:
    see = "[shown(), names(), ratios(), sorted(), chosen(), said()]"
    script = f"button('accuracy').click(); pick('ratio', 'ada'); return [location.search, {see}]"
    address, there = read("", script)
    assert read(address, f"return {see}") == there
    assert "sort=-accuracy" in address
    assert "ratio=ada" in address


def test_sorting(read) -> None:
    script = """
    const seen = [[names(), sorted()]];
    for (const key of ["time", "time", "time", "accuracy", "framework", "framework"]) {
      button(key).click();
      seen.push([names(), sorted()]);
    }
    return seen;
    """
    own = f"Bell,Ada,{LOADER},Curie"
    assert read("", script) == [
        [own, ""],
        [f"Ada,Bell,{LOADER},Curie", "Training time ascending"],
        [f"{LOADER},Bell,Ada,Curie", "Training time descending"],
        [own, ""],
        [f"Bell,{LOADER},Ada,Curie", "Accuracy descending"],
        [f"Ada,Bell,{LOADER},Curie", "Framework ascending"],
        [f"{LOADER},Bell,Ada,Curie", "Framework descending"],
    ]


def test_numbers_are_sorted_as_numbers_and_ties_stay_as_they_were(built, read) -> None:
    assert read("?sort=-time", "return names()").startswith(LOADER)  # 1,000 s after 50 s and 200 s
    assert read("?sort=certificate", "return names()") == f"Bell,Ada,{LOADER},Curie"
    assert read("?sort=-certificate", "return names()") == f"Ada,{LOADER},Bell,Curie"


def test_headers_are_buttons_that_a_keyboard_reaches(read) -> None:
    script = """
    const all = [...tables()[0].tHead.querySelectorAll("th")];
    const buttons = all.filter(head => head.querySelector("button")?.type === "button");
    return [all.length, buttons.length, button("time").tabIndex];
    """
    heads, buttons, index = read("", script)
    assert heads == buttons == 6
    assert index == 0


def test_ratios_are_to_the_row_that_is_chosen(read) -> None:
    see = "[ratios(), held()]"
    default = "1.00× rate 1.00×,0.25× rate 4.00×,5.00× rate 0.20×,–"
    assert read("", f"return {see}") == [default, "Bell"]
    to_ada = "4.00× rate 0.25×,1.00× rate 1.00×,20.0× rate 0.05×,–"
    assert read("?ratio=ada", f"return {see}") == [to_ada, "Ada"]
    script = f"pick('ratio', 'bell.train_with_loader'); pick('ratio', 'bell'); return {see}"
    assert read("", script) == [default, "Bell"]


def test_the_script_writes_ratios_as_the_page_was_built_with(built, read) -> None:
    table = next(one for one in tables(built.html("index")) if LOADER in one.names)
    as_built = [table.row(name)["Ratio"].replace(" | ", " ") for name in table.names]
    assert read("", "return ratios()") == ",".join(as_built)


def test_nothing_is_held_against_another_without_a_certified_row(read) -> None:
    see = "[select('ratio').value, ratios(), getComputedStyle(tables()[0].querySelector('td.by-ratio p')).visibility]"
    assert read("?workload=gru", f"return {see}") == ["", ",", "hidden"]
    chosen = f"pick('ratio', 'ada'); return {see}"
    assert read("?workload=gru", chosen) == ["ada", "0.67×,1.00×", "visible"]
    again = f"pick('ratio', 'ada'); pick('ratio', ''); return [{see}[0], {see}[2], location.search.includes('ratio')]"
    assert read("?workload=gru", again) == ["", "hidden", False]


def test_the_quick_preset_is_not_ranked(read) -> None:
    script = (
        "return [names(), select('ratio').disabled, document.querySelectorAll('#cnn-desk-quick-cpu button').length]"
    )
    assert read("?preset=quick", script) == ["Ada,Bell", True, 0]


def test_a_link_to_a_line_opens_its_table_and_marks_it(built, read) -> None:
    there = re.search(r'href="index\.html(#result-[^"]*)"', built.html("other"))[1]
    script = """
    document.documentElement.style.setProperty("--color-highlight-on-target", "rgb(1, 2, 3)");
    const line = document.querySelector(":target"), box = line.getBoundingClientRect();
    const seen = box.top > -1 && box.bottom < innerHeight + 1 || [box.top, box.bottom, innerHeight, scrollY];
    const color = getComputedStyle(line.cells[1]).backgroundColor;
    return [shown(), line.cells[0].querySelector("data").textContent, color, seen];
    """
    assert read(there, script) == [EPOCH, "Ada", "rgb(1, 2, 3)", True]
    assert read(f"?preset=quick{there}", "return shown()") == EPOCH


def test_a_link_within_the_page_opens_the_table_and_a_choice_leaves_it(read) -> None:
    script = f"""
    location.hash = "#{GRU}"; await settle();
    const seen = [shown()];
    pick("workload", "cnn");
    seen.push(shown(), location.hash);
    history.back(); await settle();
    seen.push(shown());
    return seen;
    """
    assert read("", script) == [GRU, FULL, "#runs", GRU]


@pytest.mark.parametrize("address", ["", "?preset=epoch&machine=nowhere", "?sort=-time&ratio=ada#runs"])
def test_all_is_restored_before_the_browser_sees_what_follows(read, address: str) -> None:
    """So nothing jumps: no table is seen before its turn, and what stands below the tables never moves."""
    see = "[shown(), names(), ratios(), said()].join()"

    def spy(html: str) -> str:
        first = f"<script>window.first = (() => {{ {TOOLS} return shown() }})()</script>"
        before = f"<script>window.before = (() => {{ {TOOLS} return {see} }})()</script>"
        assert "</figure>" in html
        assert "<p>The end.</p>" in html
        html = html.replace("</figure>", "</figure>" + first, 1)
        return html.replace("<p>The end.</p>", before + "<p>The end.</p>")

    first, before, now = read(address, f"return [window.first, window.before, {see}]", spy)
    assert first == ""
    assert before == now


def test_without_the_script_all_tables_are_shown_and_no_controls(built, read) -> None:
    (built.folder / "html" / "_static" / "results.js").write_text("", "utf-8")
    assert read() == ",".join([FULL, EPOCH, QUICK, GRU])
    assert read("", "return document.querySelector('.rosetta-choice').checkVisibility()") is False


def test_the_script_is_small() -> None:
    assert len(gzip.compress(SCRIPT.read_bytes(), 9, mtime=0)) < 3000


def test_the_rows_of_the_chosen_frameworks_come_first_until_a_reader_sorts(read) -> None:
    assert read("?from=curie&to=ada", "return names()") == f"Curie,Ada,Bell,{LOADER}"
    assert read("?framework=ada", "return names()") == f"Ada,Bell,{LOADER},Curie"
    script = 'button("time").click(); await settle(); return names()'
    assert read("?from=curie&to=ada", script) == f"Ada,Bell,{LOADER},Curie"
