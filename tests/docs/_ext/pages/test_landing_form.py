"""The form that starts a translation."""

from __future__ import annotations

import re

import pytest

FORM = "```{start}\n:from: bell\n:to: ada\nThe CNN: deep/page#cnn\nAll: index\n```"


@pytest.fixture
def form(site):
    def build(text: str = FORM) -> str:
        (site.docs / "deep").mkdir(exist_ok=True)
        (site.docs / "deep" / "page.md").write_text("---\norphan: true\n---\n# Page", "utf-8")
        site.page("index", text)
        assert not site.build()
        return re.search(r"<form.*?</form>", site.html("index"), re.DOTALL)[0]

    return build


def test_it_sends_from_and_to_to_the_page_of_the_button(form) -> None:
    html = form()
    assert '<form class="rosetta-start" method="get" action="deep/page.html#cnn">' in html
    assert '<button formaction="deep/page.html#cnn">The CNN</button>' in html
    assert '<button formaction="#">All</button>' in html
    assert re.findall(r"<label>(\w[\w ]*) <select name=\"(\w+)\"", html) == [("I know", "from"), ("and need", "to")]


def test_all_frameworks_are_offered_twice_and_two_are_chosen(form) -> None:
    html = form()
    assert re.findall(r'<option value="(\w+)"', html) == ["ada", "bell", "curie"] * 2
    assert re.findall(r'<option value="(\w+)" selected', html) == ["bell", "ada"]


def test_the_living_and_the_retired_stand_in_groups(site, form) -> None:
    toml = site.examples / "ada" / "framework.toml"
    toml.write_text("retired = true\n" + toml.read_text("utf-8"), "utf-8")
    groups = re.findall(r'<optgroup label="(\w+)">(.*?)</optgroup>', form(), re.DOTALL)
    assert [(name, re.findall(r'value="(\w+)"', options)) for name, options in groups] == [
        ("Active", ["bell", "curie"]),
        ("Retired", ["ada"]),
    ] * 2


def test_addresses_are_relative_to_the_page_that_holds_the_form(site, form) -> None:
    form()
    (site.docs / "deep" / "page.md").write_text(f"---\norphan: true\n---\n# Page\n\n{FORM}\n", "utf-8")
    assert not site.build()
    assert 'formaction="../index.html"' in site.html("deep/page")


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("```{start}\n:from: bel\nAll: index\n```", "no framework 'bel': did you mean 'bell'?"),
        ("```{start}\nThe CNN: deep/page\n```", "'The CNN: deep/page' names no page"),
        ("```{start}\nnonsense\n```", "'nonsense' names no page"),
    ],
)
def test_what_is_unknown_is_a_warning_at_every_build(site, text: str, warning: str) -> None:
    site.page("index", text)
    for _ in range(2):
        found = site.build()
        assert warning in found
        assert "index.md:6: WARNING" in found
