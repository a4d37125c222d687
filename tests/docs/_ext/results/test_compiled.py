"""Compiled training beside training step by step, and when compiling pays back."""

from __future__ import annotations

import pytest
from shown import page, tables

from rosetta_host.catalog import workloads
from rosetta_host.records.store import Times

COMPILED, EAGER = "train_compiled", "train_eager"


def timed(train: float, first_step: float | None) -> Times:
    return Times(train=train, first_step=first_step, build=0.0, step=1.0)


@pytest.fixture
def html(site):
    def build() -> str:
        site.page("index", "```{compiled} cnn\n```")
        assert not site.build()
        return site.html("index")

    return build


@pytest.fixture
def both(site):
    """both("ada", (100, 1), (70, 11)): the seconds of training, and those of the first step, without and with.

    A steady step takes a second, and nothing compiles before the first.
    """

    def make(name: str, plain: tuple | None, compiled: tuple, **changes) -> None:
        for variant, times in ((None, plain), (COMPILED, compiled)):
            if times:
                settings = {"preset": "epoch", "epochs": 1, **changes}
                site.record(name, variant=variant, times=timed(*times), **settings)

    return make


def line(built: str, name: str) -> dict[str, str]:
    (table,) = tables(built)
    return table.row(name)


def test_both_ways_stand_side_by_side(site, html, both) -> None:
    both("ada", (100.0, 1.0), (80.0, 11.0))
    site.record("ada", kind="certificate")
    built = html()
    assert line(built, "Ada") == {
        "Framework": "Ada | 1.2",
        "Step by step": "100 s | 75.0%",
        "Compiled": "70 s | 75.0% | no certificate ✗",
        "Ratio": "0.70×",
        "Compile": "10 s | 0 s without",
        "Pays back": "in the first epoch",
    }
    assert "A compiled epoch takes 0.70× the time, in 1 run." in page(built).get_text()


def test_where_train_is_compiled_the_variant_runs_step_by_step(site, html) -> None:
    for variant, times in ((EAGER, timed(100.0, 1.0)), (None, timed(80.0, 11.0))):
        site.record("ada", variant=variant, preset="epoch", epochs=1, times=times)
    site.record("bell", preset="epoch")
    built = html()
    (table,) = tables(built)
    assert table.names == ["Ada"]
    shown_cells = line(built, "Ada")
    assert (shown_cells["Step by step"], shown_cells["Compiled"]) == (
        "100 s | 75.0% | no certificate ✗",
        "70 s | 75.0% | no certificate ✗",
    )
    assert (shown_cells["Ratio"], shown_cells["Compile"]) == ("0.70×", "10 s | 0 s without")


def test_a_compiled_train_is_shown_before_the_variant_has_run(site, html) -> None:
    example = site.examples / "ada" / "cnn.py"
    example.write_text(f"{example.read_text('utf-8')}\n\ndef {EAGER}(model, x, y):\n    return 0.0\n", "utf-8")
    site.record("ada", preset="epoch")
    built = html()
    assert line(built, "Ada")["Step by step"] == "not run yet"


def test_records_from_before_train_was_compiled_are_told_apart(site, html, both) -> None:
    declaration = site.examples / "ada" / "framework.toml"
    declaration.write_text(f"{declaration.read_text('utf-8')}\n[cnn]\ncompiled_since_schema = 2\n", "utf-8")
    both("ada", (100.0, 1.0), (80.0, 11.0), schema=1)
    shown_cells = line(html(), "Ada")
    assert (shown_cells["Step by step"], shown_cells["Compiled"]) == (
        "100 s | 75.0% | no certificate ✗",
        "70 s | 75.0% | no certificate ✗",
    )


def test_every_epoch_of_a_long_run_saves(html, both) -> None:
    both("ada", (1000.0, 1.0), (950.0, 451.0), preset="full", epochs=10)  # 50 s of 100 saved in each
    assert line(html(), "Ada")["Pays back"] == "after 9 epochs"


def test_where_no_epoch_is_faster_it_never_pays_back(html, both) -> None:
    both("ada", (100.0, 1.0), (120.0, 11.0))
    assert line(html(), "Ada")["Pays back"] == "never"


def test_where_compiling_is_shorter_too_it_pays_back_at_once(html, both) -> None:
    both("ada", (100.0, 5.0), (50.0, 4.0))
    assert line(html(), "Ada")["Pays back"] == "at once"


def test_what_was_not_measured_is_not_guessed(site, html, both) -> None:
    both("ada", None, (80.0, 11.0))
    both("bell", (100.0, None), (80.0, 11.0))
    built = html()
    assert line(built, "Ada")["Step by step"] == "not run yet"
    assert [line(built, name)["Pays back"] for name in ("Ada", "Bell")] == ["–", "–"]


def test_a_run_that_was_given_up_is_shown_only_where_there_is_no_other(site, html, both) -> None:
    both("ada", None, (80.0, 11.0))
    for name in ("ada", "bell"):
        site.record(name, variant=COMPILED, preset="full", status="timeout", reason="Stopped after 10 minutes.")
    epoch, full = tables(html())
    assert [epoch.row("Ada")["Compiled"], full.row("Bell")["Compiled"]] == [
        "70 s | 75.0% | no certificate ✗",
        "timeout",
    ]
    assert [epoch.names, full.names] == [["Ada"], ["Bell"]]
    assert (epoch.caption, full.caption) == tuple(
        f"CNN on CIFAR-10, The desk, on its CPU, preset {name}" for name in ("epoch", "full")
    )


def test_where_nothing_is_compiled_it_says_so(site, html) -> None:
    site.record("ada", preset="epoch")
    built = html()
    assert not tables(built)
    assert "No implementation has trained compiled on all of the data yet." in page(built).get_text()


def test_without_an_argument_every_network_is_shown_under_its_title(site, both) -> None:
    both("ada", (100.0, 1.0), (80.0, 11.0))
    site.page("index", "```{compiled}\n```")
    assert not site.build()
    sections = page(site.html("index")).select("section section")
    titles = [workloads.get(name).title for name in workloads.names()]
    assert [section.h2.get_text().rstrip("¶") for section in sections] == titles
    assert [len(section.select("table")) for section in sections] == [1] + [0] * (len(titles) - 1)
