"""The form that starts a translation."""

from __future__ import annotations

import re

import pytest

FORM = "```{start}\n:from: bell\n:to: ada\n```"


@pytest.fixture
def form(site):
    def build(text: str = FORM) -> str:
        site.workload_page("cnn", "The steps.")
        site.page("index", text)
        assert not site.build()
        return re.search(r"<form.*?</form>", site.html("index"), re.DOTALL)[0]

    return build


def test_it_sends_from_and_to_to_the_page_of_the_button(form) -> None:
    html = form()
    assert '<form class="rosetta-start" method="get" action="translate/cnn.html">' in html
    assert re.findall("<button.*?</button>", html) == [
        '<button formaction="translate/cnn.html">Translate the CNN</button>'
    ]
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
    (site.docs / "deep").mkdir()
    (site.docs / "deep" / "page.md").write_text(f"---\norphan: true\n---\n# Page\n\n{FORM}\n", "utf-8")
    assert not site.build()
    assert 'formaction="../translate/cnn.html"' in site.html("deep/page")


def test_where_no_workload_has_a_page_there_is_no_form(site) -> None:
    site.page("index", FORM)
    assert not site.build()
    assert "rosetta-start" not in site.html("index")


def test_an_unknown_framework_is_a_warning(site) -> None:
    site.page("index", "```{start}\n:from: bel\n```")
    warnings = site.build()
    assert "no framework 'bel': did you mean 'bell'?" in warnings
    assert "index.md:6: WARNING" in warnings
