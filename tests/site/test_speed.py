"""Pages are light, which is asserted; they and their build are quick, which is measured and printed beside a goal."""

from __future__ import annotations

import gzip
from statistics import median

import pytest

from tests.site.conftest import address
from tools.built_site import BUILT, compressed, served
from tools.goals import FAR, beside_goal

pytestmark = pytest.mark.timed

PAGE, OWN_SCRIPTS = 100_000, 10_000  # bytes, compressed
PAINT, SWITCH, BUILD = 1.5, 0.05, 90.0  # seconds

# Lighthouse's mobile profile, "slow 4G": 1.6 Mbit/s and 150 ms there and back, as its own settings give them to the
# browser, whose latency is a request's and stands for several ways there and back; and a processor four times slower.
NETWORK = {
    "offline": False,
    "latency": 150 * 3.75,
    "downloadThroughput": 1.6 * 1024 * 0.9 * 1024 / 8,
    "uploadThroughput": 750 * 0.9 * 1024 / 8,
}
PROCESSOR = {"rate": 4}


def slow(tab) -> None:
    """Slow down a tab's network and processor as a cheap phone's are."""
    session = tab.context.new_cdp_session(tab)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", NETWORK)
    session.send("Emulation.setCPUThrottlingRate", PROCESSOR)


@pytest.fixture
def tell(capsys):
    """tell(what, figure, goal, unit): print a measured figure beside its goal; far off it is a failure."""

    def tell_(what: str, figure: float, goal: float, unit: str) -> None:
        with capsys.disabled():
            print("\n" + beside_goal(what, figure, goal, unit))
        assert figure <= FAR * goal

    return tell_


def test_a_page_with_tabs_is_light(visit, root, with_tabs, capsys) -> None:
    """All that a first visit loads: the page, style sheets, scripts, fonts, images."""
    tab, sizes, loaded = visit(None), {}, []
    tab.context.new_cdp_session(tab).send("Network.setCacheDisabled", {"cacheDisabled": True})
    tab.on("response", lambda response: loaded.append(response))
    for page in with_tabs:
        loaded.clear()
        tab.goto(address(root, page), wait_until="load")
        sizes[page.address] = sum(len(gzip.compress(response.body(), 6)) for response in loaded)
    heaviest = max(sizes, key=sizes.__getitem__)
    with capsys.disabled():
        print("\n" + beside_goal(f"heaviest page with tabs, {heaviest}", sizes[heaviest] / 1000, PAGE / 1000, "kB"))
    assert sizes[heaviest] <= PAGE, sizes


def test_our_own_scripts_are_light(pages) -> None:
    """Those that any one page loads, and the few lines in each page's head."""
    docs = BUILT.parents[1]
    sizes = {path.name: len(compressed(path)) for path in (docs / "_static").glob("*.js")}
    in_head = sum(len(compressed(path)) for path in (docs / "_ext").rglob("*.js"))
    names = {
        page.address: [load.partition("?")[0].rpartition("/")[2] for load in page.loads] for page in pages.values()
    }
    loaded = {address: sum(sizes.get(name, 0) for name in of_page) for address, of_page in names.items()}
    assert {name for of_page in names.values() for name in of_page} >= {*sizes}
    assert max(loaded.values()) + in_head <= OWN_SCRIPTS, loaded


def test_the_site_is_built_in_time(tell) -> None:
    """From scratch and alone, by the session `docs`, which leaves the seconds beside what it built."""
    tell("the site from scratch", float((BUILT.parent / "seconds").read_text("utf-8")), BUILD, "s")


def test_first_paint_on_a_cheap_phone(visit, with_tabs, tell) -> None:
    """Of a first visit to the heaviest page with tabs, and to the one in the middle."""
    with served(compress=True) as root:
        for page in (with_tabs[-1], with_tabs[len(with_tabs) // 2]):
            times = []
            for _ in range(3):
                tab = visit(None, at=root, width=375)
                slow(tab)
                tab.goto(address(root, page))
                times.append(tab.evaluate(PAINTED) / 1000)
            tell(f"first paint of {page.address}, slow 4G, processor slowed 4 times", median(times), PAINT, "s")


PAINTED = """() => new Promise(done => new PerformanceObserver(list =>
    done(list.getEntriesByName("first-contentful-paint")[0].startTime)).observe({type: "paint", buffered: true}))"""

# From a click on each tab of the first set to the end of the next frame.
SWITCHED = """async () => {
    const times = [];
    for (const tab of [...document.querySelector(".rosetta-tabs").querySelectorAll("[role=tab]")].slice(1)) {
        const start = performance.now();
        tab.click();
        await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
        times.push(performance.now() - start);
    }
    return times;
}"""


def test_switching_a_tab(visit, with_tabs, tell) -> None:
    page = with_tabs[-1]
    times = visit(page).evaluate(SWITCHED)
    tell(f"switching a tab of {page.address}, to the next frame", median(times) / 1000, SWITCH, "s")
