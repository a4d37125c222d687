"""Every row at a glance."""

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


def certified(site, row: str, **changes: object) -> None:
    site.record(row, kind="certificate", device=changes.get("device", "cpu"))
    site.record(row, **changes)


def test_every_row_appears_and_says_what_it_lacks(site, cells) -> None:
    certified(site, "ada", times=Times(train=100.0))
    site.record("bell", status="timeout", reason="too slow", accuracy=None, times=None)
    assert cells() == {
        "Ada": ["75.0%, 100 s", "", "–", ""],
        "Bell": ["timeout", "", "–", ""],
        "Curie": ["not run yet", "", "–", ""],
    }


def test_a_run_in_a_python_as_found_on_a_gpu_says_so(site, cells) -> None:
    certified(site, "ada", times=Times(train=100.0))
    certified(site, "bell", times=Times(train=100.0))
    certified(site, "curie", times=Times(train=9.0), device="gpu", environment="as found", machine=TOWER)
    assert cells()["Curie"][0] == "75.0%, 9 s | The tower, on the GPU, external interpreter"


def test_a_number_whose_certificate_is_stale_says_so_and_gives_way_to_a_certified_one(site, glance) -> None:
    certified(site, "ada", preset="epoch", accuracy=0.46, created="20260101T000000.000000Z")
    site.record("ada", preset="full", accuracy=0.76, threads=64, created="20260102T000000.000000Z")
    site.record("bell", preset="full", accuracy=0.77, threads=64)
    site.record("bell", kind="certificate")
    table = glance()
    assert "46.0%" in text(table.line("Ada"))
    assert "certificate stale" not in text(table.line("Ada"))
    assert "77.0%" in text(table.line("Bell"))
    assert "certificate stale ✗" in text(table.line("Bell"))


def test_a_number_without_a_certificate_is_not_shown(site, glance) -> None:
    site.record("ada", accuracy=0.123)
    table = glance()
    assert "no certificate ✗" in text(table.line("Ada"))
    assert "12.3%" not in text(table.table)


def test_the_preset_full_comes_before_a_newer_epoch_and_a_quick_run_never(site, cells) -> None:
    certified(site, "ada", preset="full", accuracy=0.76, created="20260101T000000.000000Z")
    certified(site, "ada", preset="epoch", accuracy=0.46, created="20260102T000000.000000Z")
    certified(site, "bell", preset="epoch", accuracy=0.47)
    certified(site, "curie", preset="quick", accuracy=0.2)
    shown = cells()
    assert shown["Ada"][0].startswith("76.0%")
    assert shown["Bell"][0].startswith("47.0%")
    assert shown["Curie"][0] == "not run yet"


def test_a_row_that_trained_in_another_way_alone_shows_that_and_names_it(site, cells) -> None:
    path = site.examples / "ada" / "cnn.py"
    path.write_text(path.read_text("utf-8") + LOADER, "utf-8")
    site.record("ada", kind="certificate", variant="train_with_loader")
    site.record("ada", variant="train_with_loader", accuracy=0.7)
    assert cells()["Ada"][0] == "70.0%, 100 s | with its own data loader"
    certified(site, "ada", accuracy=0.6)
    assert cells()["Ada"][0] == "60.0%, 100 s"


def test_a_row_that_trains_compiled_too_shows_that_where_it_got_as_far(site, cells) -> None:
    path = site.examples / "ada" / "cnn.py"
    path.write_text(path.read_text("utf-8") + LOADER.replace("train_with_loader", "train_compiled"), "utf-8")
    site.record("ada", kind="certificate", variant="train_compiled")
    site.record("ada", variant="train_compiled", accuracy=0.7, preset="epoch", created="20260101T000000.000000Z")
    certified(site, "ada", preset="epoch", accuracy=0.76, created="20260102T000000.000000Z")
    assert cells()["Ada"][0] == "70.0%, 100 s | compiled"
    certified(site, "ada", preset="full", accuracy=0.8, created="20260103T000000.000000Z")
    assert cells()["Ada"][0] == "80.0%, 100 s"


def test_a_row_whose_train_is_compiled_shows_that_and_not_the_step_by_step_variant(site, cells) -> None:
    path = site.examples / "ada" / "cnn.py"
    path.write_text(path.read_text("utf-8") + LOADER.replace("train_with_loader", "train_eager"), "utf-8")
    site.record("ada", kind="certificate", variant="train_eager")
    site.record("ada", variant="train_eager", accuracy=0.7)
    assert cells()["Ada"][0] == "70.0%, 100 s | step by step"
    certified(site, "ada", accuracy=0.6, created="20260101T000000.000000Z")
    assert cells()["Ada"][0] == "60.0%, 100 s"


def test_the_newest_machine_speaks_and_a_failure_elsewhere_hides_nothing(site, cells) -> None:
    certified(site, "ada", accuracy=0.71, created="20260101T000000.000000Z")
    certified(site, "ada", accuracy=0.72, created="20260102T000000.000000Z", machine=TOWER)
    site.record("ada", status="oom", accuracy=None, times=None, created="20260103T000000.000000Z", preset="epoch")
    assert cells()["Ada"][0] == "72.0%, 100 s"


def test_a_newer_gpu_does_not_speak_among_cpus(site, cells) -> None:
    certified(site, "ada", times=Times(train=100.0))
    certified(site, "ada", times=Times(train=4.0), device="gpu", created="20270101T000000.000000Z", machine=TOWER)
    certified(site, "bell", times=Times(train=200.0))
    certified(site, "curie", times=Times(train=5.0), device="gpu", machine=TOWER)
    shown = cells()
    assert shown["Ada"][0] == "75.0%, 100 s"
    assert shown["Curie"][0] == "75.0%, 5 s | The tower, on the GPU"


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


def test_a_place_is_said_once_where_most_of_a_network_share_it_and_else_what_differs(site, glance) -> None:
    for row in ("ada", "bell"):
        certified(site, row, data=Data("CIFAR-10", "unofficial copy"))
    certified(site, "curie", machine=TOWER, preset="epoch")
    site.record("ada", kind="certificate", workload="gru")
    site.record("ada", workload="gru", machine=TOWER, preset="epoch")
    table = glance()
    _, cnn, gru = (text(one) for one in table.table.thead.tr.find_all("th"))
    assert cnn == "CNN on CIFAR-10 | preset full, The desk, on the CPU, unofficial copy"
    assert gru == "GRU on IMDB | preset epoch, The tower, on the CPU, official data"
    assert text(table.line("Ada").td) == "75.0%, 100 s"
    assert text(table.line("Curie").td) == "75.0%, 100 s | preset epoch, The tower, official data"


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


def test_a_seeds_row_that_is_in_no_catalogue_is_not_lost(site, cells) -> None:
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
