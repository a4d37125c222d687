"""The built site, served on this machine, and the browser that looks at it.

Whatever a test does to a page, the page may not complain, nor ask another machine for anything: see `visit`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator
from playwright.sync_api import Page as Tab

from tools.built_site import BUILT, Page, chromium, one_of_each, read_pages, served

View = tuple[Page, dict | None]  # a page and the query of its address
OPEN = 3  # browser contexts at a time: a hundred that were left open took the processor from the one looked at
LOOK = (Path(__file__).parent / "look.js").read_text("utf-8")


@pytest.fixture(scope="session")
def pages() -> dict[str, Page]:
    found = read_pages()
    assert found, f"{BUILT} holds no page: the session `site` builds it"
    return found


@pytest.fixture(scope="session")
def each_kind(pages) -> list[Page]:
    return one_of_each(pages)


@pytest.fixture(scope="session")
def with_tabs(pages) -> list[Page]:
    """The pages with sets of tabs, the smallest first."""
    return sorted((page for page in pages.values() if page.sets), key=lambda page: page.size)


@pytest.fixture(scope="session")
def concept(with_tabs) -> Page:
    """A page with several sets of tabs, all with the same frameworks, three at least."""
    return next(page for page in with_tabs if len(page.sets) > 1 and all(s == page.frameworks for s in page.sets))


@pytest.fixture(scope="session")
def other(with_tabs, concept) -> Page:
    """Another page that has tabs for the same frameworks, and that the navigation lists beside it."""
    beside = [page for page in with_tabs if page.address.split("/")[0] == concept.address.split("/")[0]]
    return next(page for page in beside if page != concept and set(concept.frameworks) <= set(page.frameworks))


@pytest.fixture(scope="session")
def root():
    with served() as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    with chromium() as started:
        yield started


def watch(context: BrowserContext, root: str, complaints: list[str]) -> None:
    """Note exceptions, errors and warnings on the console, failed requests, and requests that go elsewhere."""

    def requested(request) -> None:
        if not request.url.startswith(root):
            complaints.append(f"asks for {request.url}")

    def answered(response) -> None:
        if response.status >= 400:
            complaints.append(f"{response.status} for {response.url}")

    def on_message(message) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text} {message.location['url']}")

    context.on("request", requested)
    context.on("response", answered)
    context.on("console", on_message)
    context.on("weberror", lambda error: complaints.append(f"exception: {error.error}"))


@pytest.fixture
def visit(browser, root):
    """visit(page, query, …) -> a tab that shows it, or nothing yet, in a browser without a past; no page may complain.

    Those opened longest ago are closed: a test has three at a time.

    Options: `width`, `height`, `theme` (light, dark), `at` (another server), `forgetful` (to each page the tab comes as
    on a first visit), and what a browser's context takes.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_(
        page: Page | None, query=None, *, width=1280, height=900, theme="light", at=root, forgetful=False, **options
    ) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        for old in contexts[:-OPEN]:
            old.close()
        del contexts[:-OPEN]
        watch(context, at, complaints)
        if options.get("java_script_enabled", True):  # furo keeps the reader's choice of colors here
            forget = "localStorage.clear(); sessionStorage.clear();" if forgetful else ""
            keep = f"localStorage.theme ??= {json.dumps(theme)};"
            context.add_init_script(f"if (location.protocol === 'http:') {{ {forget} {keep} }}")
        tab = context.new_page()
        if page:
            tab.goto(address(at, page, query))
        return tab

    yield open_
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def tour(visit, root):
    """tour(views, …) -> each view, and the tab that shows it as a first visit does; takes what `visit` takes.

    A view is a page and a query. All are shown in the same tab: a new one costs a second of the processor.
    """

    def tour_(views: Iterable[View], **options) -> Iterator[tuple[Page, dict | None, Tab]]:
        tab = visit(None, forgetful=True, **options)
        for page, query in views:
            tab.goto(address(root, page, query))
            yield page, query, tab

    return tour_


def address(root: str, page: Page, query: dict | None = None) -> str:
    return root + page.address + (f"?{urlencode(query)}" if query else "")


def pair(page: Page) -> dict[str, str]:
    """The query that sets the first two frameworks of a page side by side."""
    return dict(zip(("from", "to"), page.frameworks, strict=False))


def views(pages: Iterable[Page]) -> list[View]:
    """Every page, and once more with two side by side where it has tabs."""
    return [(page, query) for page in pages for query in ([None, pair(page)] if page.sets else [None])]


class Reader:
    """What a reader sees and does on a page with sets of tabs."""

    def __init__(self, tab: Tab, root: str) -> None:
        self.page, self.root = tab, root
        self.sets = tab.locator(".rosetta-tabs")
        self.bar = tab.locator(".rosetta-bar")
        self.swap = self.bar.get_by_role("button", name=re.compile("swap", re.IGNORECASE))
        self.from_, self.to = self.bar.locator("select").nth(0), self.bar.locator("select").nth(1)
        self.status = self.bar.get_by_role("status")

    def go(self, page: Page, query: dict | None = None) -> None:
        self.page.goto(address(self.root, page, query))

    def tab(self, framework: str, number: int = 0) -> Locator:
        """A framework's tab in one of the sets."""
        return self.sets.nth(number).locator(f"[role=tab][data-framework={framework}]")

    @property
    def shown(self) -> list[list[str]]:
        """For each set, the frameworks whose panels are visible, from top to bottom and left to right."""
        return [[panel["framework"] for panel in panels] for panels in look(self.page, "panels")]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.page.url).query))


@pytest.fixture
def read(visit, root):
    """read(page, query, …) -> a Reader of it; what `visit` takes."""
    return lambda page, query=None, **options: Reader(visit(page, query, **options), root)


def look(tab: Tab, question: str, *arguments: object):
    """Ask the page one of the questions of look.js."""
    return tab.evaluate(f"([name, given]) => ({LOOK})[name](...given)", [question, arguments])
