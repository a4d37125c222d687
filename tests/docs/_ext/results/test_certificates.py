"""The table of certificates."""

from __future__ import annotations

import pytest
from shown import Shown, page, tables, text

from rosetta_host.catalog import workloads
from rosetta_host.records.store import Check, Machine


@pytest.fixture
def table(site):
    """Builds the page and gives its table."""

    def build() -> Shown:
        site.page("index", "```{certificates} cnn\n```")
        assert not site.build()
        return tables(site.html("index"))[0]

    return build


@pytest.fixture
def with_loader(site) -> None:
    """Ada trains with its own data loader as well."""
    with (site.examples / "ada" / "cnn.py").open("a", encoding="utf-8") as example:
        example.write("\n\ndef train_with_loader(model, x, y):\n    return train(model, x, y)\n")


def below(table: Shown, name: str) -> str:
    """The line under a row, with all that it opens to."""
    return text(table.line(name).find_next_sibling("tr"))


def test_a_column_is_a_family_and_its_figure_the_one_nearest_to_its_limit(site, table) -> None:
    steps = [Check("step median", True, 1e-4, 5e-4), Check("step worst", True, 2e-4, 2e-2)]
    scores = [Check("scores before", True, 0.0, 1e-6), Check("scores after", True, 3e-7, 1e-6)]
    flags = [Check("start: distribution", True), Check("start: same seed, same weights", True)]
    site.record("ada", kind="certificate", checks=[Check("weights", True, 0.0, 0.0), *steps, *scores, *flags])
    site.record("bell", kind="certificate", checks=[Check("weights", True, 0.0, 0.0)])
    shown = table()
    assert shown.row("Ada") == {
        "Framework": "Ada",
        "weights": "✓",
        "step": "1.0e-4",
        "scores": "3.0e-7",
        "start": "✓ 2 of 2",
    }
    assert shown.row("Bell") == {"Framework": "Bell", "weights": "✓", "step": "–", "scores": "–", "start": "–"}


def test_a_failed_check_is_named_in_its_column_and_below(site, table) -> None:
    checks = [Check("loss", True, 1e-7, 1e-5), Check("step median", False, 9e-3, 5e-4, reason="momentum?")]
    checks += [Check("shuffle: samples, not blocks", True)]
    checks += [Check(f"shuffle: {name} in different orders", False) for name in ("seeds", "epochs")]
    site.record("ada", kind="certificate", status="failed", checks=checks)
    shown = table()
    assert shown.row("Ada")["step"] == "✗ median 9.0e-3"
    assert shown.row("Ada")["shuffle"] == "✗ seeds in different orders and 1 more"
    assert below(shown, "Ada").startswith(
        "failed ✗: step median: 0.009, limit 0.0005 (momentum?) · 1.2 · CPU · The desk"
    )


def test_a_certificate_of_a_python_as_found_says_so(site, table) -> None:
    site.record(
        "ada", kind="certificate", checks=[Check("loss", True, 1e-7, 1e-5)], device="gpu", environment="as found"
    )
    expected = "1.2 · GPU · The desk · in an external interpreter, not in the locked environment"
    assert expected in below(table(), "Ada, on a GPU")


def test_a_certificate_of_a_gpu_names_it(site, table) -> None:
    site.record("ada", kind="certificate")
    site.record("ada", kind="certificate", device="gpu", machine=Machine("t", "The tower", gpu="Accelerator 100"))
    assert table().names == ["Ada", "Ada, on a GPU (Accelerator 100)"]


def test_a_wider_limit_is_marked_and_its_reason_told_once(site, table) -> None:
    wide = [Check(f"float64: {name}", True, 6e-6, 1e-5, reason="it rounds its rates.") for name in ("loop", "loss")]
    site.record("ada", kind="certificate", checks=[Check("loss", True, 1e-7, 1e-5), *wide])
    shown = table()
    assert shown.row("Ada")["loss"] == "1.0e-7"
    assert shown.row("Ada")["float64"] == "6.0e-6 †"
    text_below = below(shown, "Ada")
    assert text_below.count("it rounds its rates.") == 1
    assert "float64: loop; float64: loss: it rounds its rates." in text_below


def test_all_checks_stand_in_a_part_that_opens(site, table) -> None:
    site.record(
        "ada",
        kind="certificate",
        checks=[Check("loss", True, 1e-7, 1e-5, "step 3"), Check("start: distribution", True)],
    )
    text_below = below(table(), "Ada").split(" | ")
    assert text_below == [
        "passed ✓ 2 checks · 1.2 · CPU · The desk · 2026-01-02",
        "✓ loss: 1.0e-7 of at most 1.0e-5 (step 3)",
        "✓ start: distribution",
    ]
    details = page(site.html("index")).find("details")
    assert not details.has_attr("open")
    assert details.summary.get_text().startswith("passed")


def test_a_run_that_was_cut_short_says_so(site, table) -> None:
    site.record("ada", kind="certificate", status="timeout", reason="it took too long", checks=[])
    site.record("bell", kind="certificate")
    assert below(table(), "Ada").startswith("timeout ✗: it took too long ·")


def test_the_lines_of_an_implementation_stand_together_each_with_an_anchor(site, table, with_loader) -> None:
    site.record("bell", kind="certificate")
    for variant in ("train_with_loader", None):
        site.record("ada", kind="certificate", variant=variant)
    site.record("ada", kind="certificate", device="gpu", precision="tf32")
    shown = table()
    assert shown.names == ["Ada", "Ada (tf32), on a GPU", "Ada (with its own data loader)", "Bell"]
    first = ["is-first" in line.get("class", []) for line in shown.lines]
    assert first == [True, False, False, True]
    assert len({line["id"] for line in shown.lines}) == 4


def test_the_newest_is_shown(site, table) -> None:
    site.record("ada", kind="certificate", created="20260101T000000.000000Z", checks=[Check("loss", False, 1.0, 1e-5)])
    site.record("ada", kind="certificate", created="20260102T000000.000000Z", checks=[Check("loss", True, 1e-7, 1e-5)])
    assert table().row("Ada")["loss"] == "1.0e-7"


def test_a_variant_that_the_example_no_longer_has_is_left_out(site, table, with_loader) -> None:
    for variant in ("train_with_loader", "train_compiled"):
        site.record("ada", kind="certificate", variant=variant)
    assert table().names == ["Ada (with its own data loader)"]


def test_no_certificates_yet(site) -> None:
    site.page("index", "```{certificates} cnn\n```")
    assert not site.build()
    assert "No certificate is recorded yet." in site.html("index")


def test_without_an_argument_every_network_is_shown_under_its_title(site) -> None:
    site.record("ada", kind="certificate")
    site.page("index", "```{certificates}\n```")
    assert not site.build()
    sections = page(site.html("index")).select("section section")
    titles = [workloads.get(name).title for name in workloads.names()]
    assert [section.h2.get_text().rstrip("¶") for section in sections] == titles
    assert [len(section.select("table")) for section in sections] == [1] + [0] * (len(titles) - 1)
    assert "No certificate is recorded yet." in sections[1].get_text()


def test_an_unknown_network_is_an_error(site) -> None:
    site.page("index", "```{certificates} cn\n```")
    assert "There is no network 'cn': did you mean 'cnn'?" in site.build()
