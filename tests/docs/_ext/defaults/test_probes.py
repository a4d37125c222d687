"""The code that asked, under tabs, and what came of it."""

from __future__ import annotations

import re

import pytest
from shown import page, tables, text


@pytest.fixture
def build(site):
    def built() -> str:
        site.page("index", "```{defaults}\n```")
        site.page("probes", "```{probes}\n```")
        return site.build()

    return built


def panel(site, name: str):
    return page(site.html("probes")).find(id=name)


def test_a_section_a_question_and_a_tab_a_folder_that_asks(site, ask, build) -> None:
    ask("ada", {"pool.stride": "2", "pool.β": "0.9"})
    ask("bell")
    assert not build()
    shown = page(site.html("probes"))
    assert [title.get_text().rstrip("¶") for title in shown.find_all("h2")] == ["A pool, told its window", "The loss"]
    assert [tab.get_text() for tab in shown.find_all(role="tab")] == ["Ada", "Bell"] * 2
    found = panel(site, "defaults-pool-ada")
    assert "def pool(x):" in found.pre.get_text()
    assert "unanswered" not in found.pre.get_text()
    assert "examples/ada/defaults.py" in text(found)


def test_what_was_inferred_stands_below_and_leads_to_its_line(site, ask, build) -> None:
    ask("ada", {"pool.stride": "2", "pool.β": "0.9"})
    assert not build()
    line = panel(site, "defaults-pool-ada").find(class_="rosetta-ran")
    assert line.get_text() == "measured: Ada, version 1.2 · stride: 2 · β₁: 0.9"
    run, answer = (link["href"].removeprefix("index.html#") for link in line.find_all("a"))
    pool, _, runs = tables(site.html("index"))
    assert pool.line("Ada")["id"] == answer
    assert runs.line("Ada")["id"] == run


def test_why_there_is_no_function_stands_in_its_place(site, ask, build) -> None:
    ask("ada", {"loss.mean": "none: ada has no loss"})
    assert not build()
    assert panel(site, "defaults-loss-ada").pre.get_text().strip() == "# ada has no loss"


def test_what_was_not_asked_or_has_changed_since_says_so(site, ask, build) -> None:
    ask("ada", {"pool.stride": "2"})
    ask("bell", {"pool.stride": "2"}, status="interrupted")
    path = site.examples / "ada" / "defaults.py"
    path.write_text(path.read_text("utf-8").replace("x, 2", "x, 3"), "utf-8")
    assert not build()
    output = [panel(site, f"defaults-pool-{name}").find(class_="rosetta-ran").get_text() for name in ("ada", "bell")]
    assert output == ["defaults.py edited since the measurement: Ada, version 1.2", "Bell: not measured yet"]


def test_the_implementations_of_a_folder_share_a_panel_and_each_has_its_line(site, ask, build) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + "".join(f'[backend.{b}]\nname = "Bell on {b}"\n' for b in "xy"), "utf-8")
    ask("bell-x", {"pool.stride": "1"})
    ask("bell-y", {"pool.stride": "2"})
    assert not build()
    output = [line.get_text() for line in panel(site, "defaults-pool-bell").find_all(class_="rosetta-ran")]
    assert output == ["measured: Bell on x, version 1.2 · stride: 1", "measured: Bell on y, version 1.2 · stride: 2"]


def test_a_question_that_is_left_open_is_a_warning(site, ask, build) -> None:
    ask("ada")
    path = site.examples / "ada" / "defaults.py"
    path.write_text(path.read_text("utf-8").replace('"loss"', '"las"'), "utf-8")
    assert re.search(
        r"probes\.md:6: WARNING: .*ada/defaults\.py: no function 'loss', and no reason in `unanswered`", build()
    )


def test_a_file_that_is_not_python_is_a_warning(site, ask, build) -> None:
    ask("ada")
    ask("bell")
    (site.examples / "ada" / "defaults.py").write_text("def (", "utf-8")
    assert "ada/defaults.py: line 1 is not Python" in build()
    assert panel(site, "defaults-pool-bell")


def test_nobody_was_asked(site, ask, build) -> None:
    assert not build()
    assert site.html("probes").count("No framework has it yet.") == 2
