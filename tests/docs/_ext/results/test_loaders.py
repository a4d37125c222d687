"""The framework's own loader beside `train`."""

from __future__ import annotations

import pytest
from shown import page, tables

from rosetta_host.records.store import Machine, Times

LOADER = "train_with_loader"


@pytest.fixture
def html(site):
    def build(text: str = "```{loaders} cnn\n```") -> str:
        site.page("index", text)
        assert not site.build()
        return site.html("index")

    return build


@pytest.fixture
def both(site):
    """both("ada", 100, 90): an epoch took so many seconds with the generator and with the loader."""

    def make(name: str, shared: float | None, loader: float | None, **changes) -> None:
        for variant, seconds in ((None, shared), (LOADER, loader)):
            if seconds is not None:
                site.record(name, variant=variant, times=Times(train=seconds), **{"preset": "epoch", **changes})

    return make


def test_both_ways_stand_side_by_side(site, html, both) -> None:
    both("ada", 100.0, 90.0)
    both("bell", 100.0, 120.0)
    site.record("curie", preset="epoch")
    site.record("ada", kind="certificate")
    site.record("ada", kind="certificate", variant=LOADER)
    built = html()
    (table,) = tables(built)
    assert table.names == ["Ada", "Bell"]
    assert table.row("Ada") == {
        "Framework": "Ada | 1.2",
        "train is fed by": "the shared generator",
        "train": "100 s | 75.0%",
        "Own loader": "90 s | 75.0%",
        "Ratio": "0.90×",
    }
    assert table.row("Bell")["Own loader"] == "120 s | 75.0% | no certificate ✗"
    assert "own loader, an epoch takes 0.90× to 1.20× the time, in 2 runs." in page(built).get_text()


def test_a_loader_that_fed_a_step_by_step_training_is_held_against_that(site, html, both) -> None:
    declaration = site.examples / "ada" / "framework.toml"
    declaration.write_text(f"{declaration.read_text('utf-8')}\n[cnn]\ncompiled_since_schema = 2\n", "utf-8")
    both("ada", 100.0, 90.0, schema=1)
    site.record("ada", variant="train_compiled", preset="epoch", schema=1, times=Times(train=50.0))
    (table,) = tables(html())
    assert table.row("Ada")["train"].startswith("100 s")
    assert table.row("Ada")["Ratio"] == "0.90×"


def test_what_a_loader_shuffles_is_what_was_asked_of_it(site, html, both, ask) -> None:
    both("ada", 100.0, 90.0)
    both("bell", 100.0, 90.0)
    for words in ("samples", "whole batches"):
        ask("ada", {"shuffled_loader.unit": words})
    ask("ada", {"shuffled_loader.unit": "nothing"}, device="gpu")
    (table,) = tables(html())
    assert [table.row(name)["Loader shuffles"] for name in table.names] == ["whole batches", "–"]


def test_an_answer_of_other_code_says_nothing_of_what_a_loader_shuffles(site, html, both, ask) -> None:
    both("ada", 100.0, 90.0)
    ask("ada", {"shuffled_loader.unit": "samples"}, digests={"defaults": "older"})
    (table,) = tables(html())
    assert "Loader shuffles" not in table.head


def test_machines_and_presets_are_never_mixed(site, html, both) -> None:
    both("ada", 100.0, 90.0)
    both("ada", 500.0, 600.0, preset="full")
    both("bell", 100.0, None, machine=Machine("tower", "The tower"))
    both("bell", None, 50.0)
    epoch, full = tables(html())
    assert epoch.caption == "CNN on CIFAR-10, The desk, on its CPU, preset epoch"
    assert [epoch.row(name)["Ratio"] for name in epoch.names] == ["0.90×", "–"]
    assert "not run yet" in epoch.row("Bell")["train"]
    assert full.caption == "CNN on CIFAR-10, The desk, on its CPU, preset full"
    assert [full.row(name)["Ratio"] for name in full.names] == ["1.20×"]


def test_half_of_a_pair_is_left_out_where_there_are_both(site, html, both) -> None:
    both("ada", 100.0, 90.0)
    both("ada", None, 50.0, machine=Machine("tower", "The tower"))
    (table,) = tables(html())
    assert [line.find_all("td")[3].get_text(strip=True) for line in table.lines] == ["0.90×"]


def test_what_an_older_declaration_gave_is_not_told_beside_the_newer(site, html, both) -> None:
    tower = Machine("tower", "The tower")
    both("ada", 100.0, 200.0, machine=tower, digests={"example": "older"})
    both("ada", 100.0, 90.0, digests={"example": "newer"})
    (table,) = tables(html())
    assert [line.find_all("td")[3].get_text(strip=True) for line in table.lines] == ["0.90×"]


def test_what_is_not_published_or_of_the_sample_or_of_the_seed_does_not_count(html, both) -> None:
    both("ada", 100.0, 90.0, local=True)
    both("bell", 100.0, 90.0, preset="quick")
    both("curie", 100.0, 90.0, historic=True, machine=Machine("museum", "The museum"))
    built = html()
    assert not tables(built)
    assert "No implementation has trained with its own loader on all of the data yet." in page(built).get_text()


def test_a_failed_run_says_so(site, html, both) -> None:
    both("ada", 100.0, 90.0)
    failed = {"status": "timeout", "accuracy": None, "times": None, "created": "20270101T000000.000000Z"}
    site.record("ada", variant=LOADER, preset="epoch", **failed)
    built = html()
    assert tables(built)[0].row("Ada")["Own loader"] == "timeout"
    assert tables(built)[0].row("Ada")["Ratio"] == "–"


def test_a_time_from_uncommitted_changes_says_so(site, html, both) -> None:
    both("ada", 100.0, 90.0, commit="abc123+")
    assert "from uncommitted changes" in tables(html())[0].row("Ada")["Own loader"]


def test_a_train_that_draws_by_itself_is_not_said_to_share_the_generator(site, html, both) -> None:
    path = site.examples / "ada" / "cnn.py"
    path.write_text(path.read_text("utf-8").replace("minibatches(x, y, 64)", "ada.fit(x, y)"), "utf-8")
    both("ada", 100.0, 90.0)
    both("bell", 100.0, 90.0)
    (table,) = tables(html())
    output = [table.row(name)["train is fed by"] for name in table.names]
    assert output == ["the framework itself", "the shared generator"]


def test_in_short(html, both) -> None:
    both("ada", 100.0, 90.0)
    assert "takes 0.90× the time, in 1 run." in html("It: {loaders}`cnn`")


def test_an_unknown_network_is_named(site) -> None:
    site.page("index", "It: {loaders}`rnn`")
    assert "no network 'rnn'" in site.build()
