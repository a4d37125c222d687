"""What it takes to run a retired framework."""

from __future__ import annotations

import pytest
from shown import page, tables

DEAD = """
retired = true
last_release = "0.9"
needs = "A compiler."
"""
HOW = """
setup = "set_up.py"
install.UV_BUILD = {{ value = "1", reason = "its build is old" }}
variables.QUIET = {{ value = "1", reason = "it talks much" }}
"""


@pytest.fixture
def dead(site):
    """Bell is retired and needs much; Curie is retired and lives in Bell's environment."""
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(DEAD + toml.read_text("utf-8") + HOW.format(), "utf-8")
    (site.examples / "bell" / "set_up.py").write_text('"""Mends two lines.\n\nAnd more.\n"""\n', "utf-8")
    toml = site.examples / "curie" / "framework.toml"
    text = toml.read_text("utf-8").partition("[environment]")[0]
    own = 'variables.BACK_END = { value = "x", reason = "it has several" }\n'
    toml.write_text(f'retired = true\nenvironment = "bell"\n{own}{text}', "utf-8")
    return site


@pytest.fixture
def html(dead):
    def build(text: str = "```{installs}\n```") -> str:
        dead.page("index", text)
        assert not dead.build()
        return dead.html("index")

    return build


def test_each_retired_implementation_says_what_it_takes(html) -> None:
    (table,) = tables(html())
    assert table.names == ["Bell", "Curie"]
    assert table.row("Bell") == {
        "Framework": "Bell | last release 0.9",
        "Python": "3.11",
        "Needs today": "A compiler.",
        "Set-up": "Mends two lines.",
        "Variables": "UV_BUILD: its build is old | QUIET: it talks much",
    }


def test_a_shared_environment_is_told_once(html) -> None:
    row = tables(html())[0].row("Curie")
    assert row["Set-up"] == "in the environment of Bell"
    assert row["Variables"] == "BACK_END: it has several"
    assert row["Needs today"] == "Only its packages."


def test_another_set_up_step_is_noticed(dead, html) -> None:
    html()
    (dead.examples / "bell" / "set_up.py").write_text('"""Mends three lines."""\n', "utf-8")
    dead.build()
    assert "Mends three lines." in dead.html("index")


def test_how_many_run(dead, html) -> None:
    dead.record("bell", kind="certificate")
    dead.record("curie", kind="certificate", status="failed")
    dead.record("ada", kind="certificate")
    text = page(html("It: {installs}`retired`")).get_text()
    assert "1 of 2 retired implementations run here and are certified." in text
