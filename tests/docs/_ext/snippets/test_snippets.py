"""Tabs of snippets."""

from __future__ import annotations

import re

import pytest

from _ext.results.limits_tables import shown
from rosetta_host.catalog.frameworks import WORKLOADS
from rosetta_host.certificate import limits

TAB = r'<button [^>]*role="tab"[^>]*>(\w+)</button>'
TRAIN = "```{rosetta} cnn.train\n```"
BACK_ENDS = "".join(f'[backend.{name}]\nname = "Bell on {name}"\n' for name in ("x", "y"))


def build(site, text: str = TRAIN) -> str:
    site.page("index", text)
    return site.build()


def test_one_tab_a_framework_and_the_first_is_chosen(site) -> None:
    assert not build(site)
    html = site.html("index")
    tabs = re.findall(TAB, html)
    assert tabs == ["Ada", "Bell", "Curie"]
    assert re.findall(r'aria-selected="(\w+)"', html) == ["true", "false", "false"]
    assert re.findall(r'<button [^>]*role="tab"[^>]*tabindex="(-?\d)"', html) == ["0", "-1", "-1"]
    assert html.count('hidden=""') == 2
    for name in ("ada", "bell", "curie"):
        assert f'aria-controls="cnn-train-{name}"' in html
        assert re.search(f'<div [^>]*id="cnn-train-{name}" role="tabpanel"', html)
        assert f'aria-labelledby="tab-cnn-train-{name}"' in html


def test_code_comes_with_imports_and_helpers(site) -> None:
    build(site)
    code = re.sub(r"<[^>]+>", "", site.html("index"))
    assert "from rosetta_common.data import minibatches" in code
    assert "def helper(x)" in code
    assert "@ada.fast" in code
    assert "def load_data" not in code


def test_without_a_script_all_panels_are_shown(site) -> None:
    build(site)
    assert "<noscript><style>.rosetta-panel[hidden]{display:block!important}" in site.html("index")


def test_without_a_script_each_framework_is_a_click_away(site) -> None:
    site.page("index", "```{rosetta} cnn.train\n```")
    assert not site.build()
    listed = re.search(r"<noscript><p>(.*?)</p></noscript>", site.html("index"))
    assert listed
    found = re.findall(r'<a href="#([\w-]+)">(\w+)</a>', listed[1])
    assert [title for _, title in found] == ["Ada", "Bell", "Curie"]
    assert all(f'id="{place}"' in site.html("index") for place, _ in found)


def test_the_lists_know_what_else_an_address_may_call_a_framework(site) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + BACK_ENDS, "utf-8")
    site.page("index", "```{rosetta} cnn.train\n```")
    site.build()
    assert '<option value="bell" data-also="bell-x bell-y">' in site.html("index")
    assert '<option value="ada">' in site.html("index")


def test_the_same_snippet_twice_has_two_ids(site) -> None:
    assert not build(site, f"{TRAIN}\n\n{TRAIN}")
    ids = re.findall(r'id="([^"]+)"', site.html("index"))
    assert len(ids) == len(set(ids))


def test_a_pair_stands_without_tabs(site) -> None:
    assert not build(site, "```{rosetta} cnn.train\n:pair: curie ada\n```")
    html = site.html("index")
    assert "<button" not in html
    assert re.findall(r"data-framework=\"(\w+)\"", html) == ["curie", "ada"]
    assert 'hidden=""' not in html


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("```{rosetta} cnn.trian\n```", "ada/cnn.py: no function 'trian'"),
        ("```{rosetta} train\n```", "not of the form"),
        ("```{rosetta} rnn.train\n```", "not of the form"),
        ("```{rosetta} cnn.train gru.train\n```", "several networks"),
        ("```{rosetta} cnn.train\n:pair: ada babbage\n```", "no framework 'babbage'"),
    ],
)
def test_what_is_unknown_is_a_warning(site, text: str, warning: str) -> None:
    assert warning in build(site, text)


def test_an_optional_function_may_be_missing(site) -> None:
    optional = "```{rosetta} cnn.train_with_loader\n:optional:\n```"
    assert not build(site, optional)
    assert "No framework has it yet." in site.html("index")
    with (site.examples / "bell" / "cnn.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef train_with_loader(model, x, y):\n    return 0.0\n")
    assert not site.build()
    assert re.findall(TAB, site.html("index")) == ["Bell"]


def test_a_framework_without_the_example_has_no_tab(site) -> None:
    (site.examples / "bell" / "cnn.py").unlink()
    assert not build(site)
    assert re.findall(TAB, site.html("index")) == ["Ada", "Curie"]


def test_back_ends_share_a_tab_and_each_has_its_caption(site) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + BACK_ENDS, "utf-8")
    site.record("bell-y")
    assert not build(site)
    html = site.html("index")
    assert re.findall(TAB, html) == ["Ada", "Bell", "Curie"]
    panel = html.partition('id="cnn-train-bell"')[2].partition('id="cnn-train-curie"')[0]
    assert "Bell on x: not run yet" in panel
    assert "ran: Bell on y, version 1.2" in panel


def test_the_lists_hold_every_framework_once_on_a_page_living_and_retired(site) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text("retired = true\n" + toml.read_text("utf-8"))
    assert not build(site, f"{TRAIN}\n\n{TRAIN}")
    html = site.html("index")
    assert html.count('class="rosetta-bar"') == 1
    lists = re.findall(r"<select>(.*?)</select>", html)
    groups = (
        '<optgroup label="Active"><option value="ada">Ada</option><option value="curie">Curie</option></optgroup>'
        '<optgroup label="Retired"><option value="bell">Bell</option></optgroup>'
    )
    assert lists == [groups, f'<option value="">none (show one)</option>{groups}']
    assert html.index('class="rosetta-bar') < html.index('role="tablist"')


def test_a_reader_who_has_chosen_nothing_is_shown_what_is_to_be_shown_first(site) -> None:
    for name, key in (("bell", "retired"), ("bell", "shown_first"), ("curie", "shown_first")):
        toml = site.examples / name / "framework.toml"
        toml.write_text(f"{key} = true\n" + toml.read_text("utf-8"))
    assert not build(site)
    assert re.findall(TAB, site.html("index")) == ["Curie", "Ada", "Bell"]


def test_the_file_leads_to_the_page_that_shows_it_whole(site) -> None:
    site.page("other", "```{rosetta} cnn.all\n```")
    assert not build(site)
    assert 'href="other.html#cnn-all-ada"' in site.html("index")


def test_limits_come_from_the_certificate(site) -> None:
    build(site, "```{limits}\n```")
    for workload in WORKLOADS:
        for limit in limits.of(workload).checks.values():
            assert f"at most {shown(limit)}" in site.html("index")
