"""What maps to what: from the runs, the code and the answers of each framework."""

from __future__ import annotations

import pytest
from conftest import matter
from shown import Shown, page, tables

from _ext.pages import idioms
from rosetta_host.defaults import needs


@pytest.fixture
def table(site):
    """Builds the page and gives its table."""

    def build() -> Shown:
        site.page("index", "```{idioms} cnn\n```")
        assert not site.build()
        [found] = tables(site.html("index"))
        return found

    return build


def test_what_goes_in_and_comes_out_is_that_of_the_run(site, table) -> None:
    site.record("ada", shapes={"x": "float32 (50000, 3, 32, 32)", "y": "int64 (50000,)", "scores": "float32 (9, 10)"})
    site.record(
        "bell", shapes={"x": "float32 (50000, 32, 32, 3)", "y": "float32 (50000, 10)", "scores": "float32 (9, 10)"}
    )
    shown = table()
    assert shown.head == ["What", "Ada", "Bell", "Curie"]
    assert shown.row("Samples")["Ada"] == "float32 (n, 3, 32, 32)"
    assert shown.row("Samples")["Curie"] == "–"
    assert shown.row("Labels")["Ada"] == "class indices, int64 (n,)"
    assert shown.row("Labels")["Bell"] == "one-hot, float32 (n, 10)"
    assert "Scores" not in shown.names  # which all answer alike


@pytest.mark.parametrize(
    ("shape", "kind"),
    [("int64 (n,)", "class indices"), ("int64 (n, 1)", "a column of class indices"), ("float32 (n, 2)", "one-hot")],
)
def test_labels_are_named_by_their_shape(shape: str, kind: str) -> None:
    assert idioms.kind_of_labels(shape) == kind


def test_who_writes_the_loop_is_read_from_the_code(site, table) -> None:
    path = site.examples / "bell" / "cnn.py"
    path.write_text(path.read_text("utf-8").replace("minibatches(x, y, 64)", "bell.batches(x, y)"), "utf-8")
    row = table().row("Training loop")
    assert row["Ada"] == "written out, over mini-batches"
    assert row["Bell"] == "the framework’s own, given all samples"


def test_defaults_that_matter_and_differ_have_a_line(site, ask, table) -> None:
    ask("ada", {"pool.stride": "1", "pool.β": "0.9"})
    ask("bell", {"pool.stride": "2", "pool.β": "0.9"})
    shown = table()
    assert [name for name in shown.names if name.startswith("A ")] == ["A pool: stride"]
    assert shown.row("A pool: stride") == {"What": "A pool: stride", "Ada": "1", "Bell": "2", "Curie": "–"}


def test_each_cell_names_its_framework_and_the_columns_follow_the_readers_choice(site, ask, table) -> None:
    ask("ada", {"pool.stride": "1"})
    ask("bell", {"pool.stride": "2"})
    shown = table()
    for row in (shown.table.tr, *shown.lines):
        assert [cell["class"][-1] for cell in row.find_all(["td", "th"])[1:]] == [
            "is-of-ada",
            "is-of-bell",
            "is-of-curie",
        ]
    assert "rosetta.promote()" in str(page(site.html("index")).find("table").find_next("script"))


def test_a_default_of_older_code_is_marked(site, ask, table) -> None:
    ask("ada", {"pool.stride": "1"})
    ask("bell", {"pool.stride": "2"})
    path = site.examples / "bell" / "framework.toml"
    path.write_text(path.read_text("utf-8") + '\n[variables]\nADA = { value = "1", reason = "none" }\n', "utf-8")
    row = table().row("A pool: stride")
    assert (row["Ada"], row["Bell"]) == ("1", "2 (measured with older code)")


def test_the_names_that_a_step_uses_are_listed(site, table) -> None:
    path = site.examples / "bell" / "cnn.py"
    path.write_text("import bell\n" + path.read_text("utf-8").replace("helper(batch)", "bell.fit(batch)"), "utf-8")
    row = table().row("Training")
    assert (row["Ada"], row["Bell"]) == ("ada.step, ada.fast", "bell.fit, bell.fast")


def test_an_idiom_that_is_no_question_is_an_error(site, ask, monkeypatch) -> None:
    ask("ada")
    matter(monkeypatch, {"pool.strid": needs.MOST})
    site.page("index", "```{idioms} cnn\n```")
    assert "There is no question 'pool.strid': did you mean 'pool.stride'?" in site.build()
