"""Every implementation at a glance."""

from __future__ import annotations

import pytest
from shown import Shown, page, tables, text
from sphinx.errors import ExtensionError

from rosetta_host.records.store import Data, Machine, Times

TOWER = Machine("tower", "The tower")
LOADER = "\n\ndef train_with_loader(model, x, y):\n    return train(model, x, y)\n"


@pytest.fixture
def glance(site):
    """Builds the page and gives its first table."""

    def build() -> Shown:
        site.page("index", "```{glance}\n```\n\n```{results}\n```")
        assert not site.build()
        return tables(site.html("index"))[0]

    return build


@pytest.fixture
def cells(glance):
    """Builds the page: name -> today's CNN, the seed's, today's GRU, the seed's."""

    def build() -> dict[str, list[str]]:
        return {text(line.th): [text(cell) for cell in line.find_all("td")] for line in glance().lines}

    return build


def certified(site, implementation: str, **changes: object) -> None:
    site.record(implementation, kind="certificate", device=changes.get("device", "cpu"))
    site.record(implementation, **changes)


def test_every_implementation_appears_and_says_what_it_lacks(site, cells) -> None:
    certified(site, "ada", times=Times(train=100.0))
    site.record("bell", status="timeout", reason="too slow", accuracy=None, times=None)
    assert cells() == {
        "Ada": ["75.0%, 100 s", "", "–", ""],
        "Bell": ["timeout", "", "–", ""],
        "Curie": ["not run yet", "", "–", ""],
    }


def test_a_column_is_of_the_machine_preset_and_device_of_most_implementations(site, glance) -> None:
    for implementation in ("ada", "bell"):
        certified(site, implementation, data=Data("CIFAR-10", "unofficial copy"))
    certified(site, "ada", preset="epoch", accuracy=0.1, created="20270101T000000.000000Z")
    certified(site, "bell", machine=TOWER, device="gpu", accuracy=0.2, created="20270101T000000.000000Z")
    certified(site, "curie", machine=TOWER, accuracy=0.3)
    site.record("ada", kind="certificate", workload="gru")
    site.record("ada", workload="gru", machine=TOWER, preset="epoch")
    table = glance()
    _, cnn, gru = (text(head) for head in table.table.thead.tr.find_all("th"))
    assert cnn == "CNN on CIFAR-10 | The desk, on its CPU, preset full, unofficial copy"
    assert gru == "GRU on IMDB | The tower, on its CPU, preset epoch, official data"
    assert text(table.line("Ada").td) == text(table.line("Bell").td) == "75.0%, 100 s"
    assert text(table.line("Curie").td) == "ran elsewhere"
    there = table.line("Curie").td.a["href"].removeprefix("#")
    assert page(site.html("index")).find("tr", id=there).find("data").get_text() == "Curie"


def test_a_setting_with_a_certified_run_comes_before_one_with_more_stale_ones(site, cells) -> None:
    site.record("ada", kind="certificate")
    for implementation in ("ada", "bell"):
        site.record(implementation, preset="full", accuracy=0.76, threads=64)
    site.record("ada", preset="epoch", accuracy=0.46)
    assert {name: shown_cells[0] for name, shown_cells in cells().items()} == {
        "Ada": "46.0%, 100 s",
        "Bell": "ran elsewhere",
        "Curie": "not run yet",
    }


def test_a_number_whose_certificate_is_stale_says_so(site, cells) -> None:
    site.record("ada", kind="certificate")
    site.record("ada", threads=64)
    assert cells()["Ada"][0] == "75.0%, 100 s | certificate stale ✗"


def test_a_quick_run_is_never_shown(site, cells) -> None:
    certified(site, "ada", preset="quick", accuracy=0.2)
    assert cells()["Ada"][0] == "not run yet"


def test_an_implementation_that_trains_compiled_too_shows_that(site, cells) -> None:
    path = site.examples / "ada" / "cnn.py"
    path.write_text(path.read_text("utf-8") + LOADER.replace("train_with_loader", "train_compiled"), "utf-8")
    site.record("ada", kind="certificate", variant="train_compiled")
    certified(site, "ada", accuracy=0.76)
    assert cells()["Ada"][0] == "76.0%, 100 s"
    site.record("ada", variant="train_compiled", accuracy=0.7)
    assert cells()["Ada"][0] == "70.0%, 100 s | compiled"


def test_the_picture_leads_and_holds_what_its_column_holds(site, glance) -> None:
    for implementation, seconds in (("ada", 200.0), ("bell", 100.0)):
        certified(site, implementation, times=Times(train=seconds))
    certified(site, "curie", times=Times(train=7.0), machine=TOWER)
    glance()
    plot, *_ = page(site.html("index")).find_all("figure")
    assert plot.find_next("table")["class"].count("rosetta-glance") == 1
    assert plot.svg["aria-label"].endswith("The desk, on its CPU, preset full, official data")
    names = [found for found in ("Bell", "Ada", "Curie") if found in str(plot.svg)]
    assert names == ["Bell", "Ada"]
    assert str(plot.svg).index("Bell") < str(plot.svg).index("Ada")
    assert "The desk, on its CPU, preset full" in plot.figcaption.get_text()


def test_the_order_is_that_of_the_lists_and_each_row_names_its_framework(site, glance) -> None:
    declared = site.examples / "bell" / "framework.toml"
    declared.write_text("shown_first = true\n" + declared.read_text("utf-8"), "utf-8")
    certified(site, "ada")
    assert glance().names == ["Bell", "Ada", "Curie"]
    for name, line in zip(("bell", "ada", "curie"), glance().lines, strict=True):
        assert f"is-of-{name}" in line["class"]


def test_a_number_without_a_certificate_is_not_shown(site, glance) -> None:
    site.record("ada", accuracy=0.123)
    table = glance()
    assert "no certificate ✗" in text(table.line("Ada"))
    assert "12.3%" not in text(table.table)


def test_an_implementation_that_trained_in_another_way_alone_shows_that_and_names_it(site, cells) -> None:
    path = site.examples / "ada" / "cnn.py"
    path.write_text(path.read_text("utf-8") + LOADER, "utf-8")
    site.record("ada", kind="certificate", variant="train_with_loader")
    site.record("ada", variant="train_with_loader", accuracy=0.7)
    assert cells()["Ada"][0] == "70.0%, 100 s | with its own data loader"
    certified(site, "ada", accuracy=0.6)
    assert cells()["Ada"][0] == "60.0%, 100 s"


def test_where_train_is_compiled_that_is_shown_and_not_the_step_by_step_variant(site, cells) -> None:
    path = site.examples / "ada" / "cnn.py"
    path.write_text(path.read_text("utf-8") + LOADER.replace("train_with_loader", "train_eager"), "utf-8")
    site.record("ada", kind="certificate", variant="train_eager")
    site.record("ada", variant="train_eager", accuracy=0.7)
    assert cells()["Ada"][0] == "70.0%, 100 s | step by step"
    certified(site, "ada", accuracy=0.6, created="20260101T000000.000000Z")
    assert cells()["Ada"][0] == "60.0%, 100 s"


def test_two_tables_of_the_seed_are_no_one_table(site) -> None:
    for machine in (TOWER, Machine("desk", "The desk")):
        site.record("ada", historic=True, machine=machine, times=Times(train=168.0))
    site.page("index", "```{glance}\n```")
    with pytest.raises(ExtensionError, match=r"desk@cpu, tower@cpu"):
        site.build()


def test_what_is_not_published_is_left_out(site, cells) -> None:
    site.record(kind="certificate")
    site.record(local=True)
    assert cells()["Ada"][0] == "not run yet"


def test_the_seeds_rows_stand_beside_todays_under_the_seeds_names(site, cells) -> None:
    seed = {"historic": True, "machine": TOWER}
    site.record("ada", name="The First", times=Times(train=168.0), accuracy=0.78, **seed)
    loader = {"variant": "train_with_loader", "name": "The First w/Generator"}
    site.record("ada", times=Times(train=150.0), accuracy=0.77, **loader, **seed)
    certified(site, "ada")
    shown = cells()
    assert shown["Ada"] == ["75.0%, 100 s", "78%, 168 s | The First", "–", ""]
    assert shown["Ada | with its own data loader"] == ["–", "77%, 150 s | The First w/Generator", "–", ""]
    path = site.examples / "ada" / "cnn.py"
    path.write_text(path.read_text("utf-8") + LOADER, "utf-8")
    assert cells()["Ada | with its own data loader"][0] == "not run yet"


def test_a_framework_of_the_seed_that_is_in_no_catalog_is_not_lost(site, cells) -> None:
    site.record("bell", historic=True, machine=TOWER, times=Times(train=1.0), framework="gone", name="Gone")
    assert cells()["gone"] == ["–", "75%, 1 s | Gone", "–", ""]


def test_a_number_from_uncommitted_changes_says_so(site, cells) -> None:
    certified(site, "ada", commit="abc123+")
    certified(site, "bell", commit="abc123")
    shown = cells()
    assert shown["Ada"][0].endswith("| from uncommitted changes")
    assert "uncommitted" not in shown["Bell"][0]


def test_numbers_lead_to_their_lines(site, glance) -> None:
    certified(site, "ada")
    site.record("bell", status="oom", accuracy=None, times=None)
    table = glance()
    whole = page(site.html("index"))
    for name in ("Ada", "Bell"):
        there = table.line(name).find("a")["href"]
        assert whole.find("tr", id=there.removeprefix("#")).find("data").get_text() == name
