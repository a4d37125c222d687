"""The tables of defaults: one a question, a line a row, what is odd, why, and where it comes from."""

from __future__ import annotations

import re

import pytest
from shown import Shown, page, tables, text

PAGE = "```{defaults}\n```"


@pytest.fixture
def built(site):
    """Builds the page and gives its tables: one a question, then the runs."""

    def build() -> list[Shown]:
        site.page("index", PAGE)
        site.page("probes", "```{probes}\n```")
        assert not site.build()
        return tables(site.html("index"))

    return build


def test_a_table_a_question_with_a_line_a_row_and_what_most_answer(ask, built) -> None:
    ask("ada", {"pool.stride": "1", "pool.β": "0.9", "loss.mean": "the mean"})
    ask("bell", {"pool.stride": "2", "pool.β": "0.9", "loss.mean": "the sum"})
    ask("curie", {"pool.stride": "2", "pool.β": "0.9"})
    pool, loss, _ = built()
    assert pool.head == ["Framework", "Stride", "β₁"]
    assert pool.names == ["Most", "Ada", "Bell", "Curie"]
    assert pool.row("Most") == {"Framework": "Most", "Stride": "2", "β₁": "0.9"}
    assert pool.row("Ada") == {"Framework": "Ada | ada.pool | 1.2", "Stride": "◆ 1", "β₁": "0.9"}
    assert pool.row("Bell")["Stride"] == "2"
    assert pool.caption == "◆ differs from most frameworks"
    assert [loss.row(name)["What becomes of a batch"] for name in loss.names] == ["–", "the mean", "the sum", "–"]


def test_a_question_has_its_sentence_as_a_title(site, ask, built) -> None:
    ask("ada", {"pool.stride": "1"})
    built()
    titles = [title.get_text().rstrip("¶") for title in page(site.html("index")).find_all("h2")]
    assert titles == ["A pool, told its window", "The loss", "The runs"]


def test_a_name_leads_to_its_run_and_an_answer_to_the_code_that_asked(site, ask, built) -> None:
    ask("ada", {"pool.stride": "1", "pool.β": "0.9"})
    pool, _, runs = built()
    line = pool.line("Ada")
    target = line.th.a["href"].removeprefix("#")
    assert runs.line("Ada")["id"] == target
    assert runs.row("Ada")["Answers"] == "2 of 2"
    file = runs.line("Ada").find_all("a")[-1]["href"]
    assert (site.folder / "html" / file).is_file()
    address, _, place = line.td.a["href"].partition("#")
    assert address == "probes.html"
    assert "ada.pool" in page(site.html("probes")).find(id=place).get_text()


def test_an_answer_with_a_reason_opens_to_it(ask, built) -> None:
    ask("ada", {"pool.stride": "refused: TypeError: no", "pool.β": "none: there is none"})
    pool, *_ = built()
    stride, beta = pool.line("Ada").find_all("td")
    assert text(stride) == "refused | TypeError: no. → code"
    assert text(beta) == "no such thing | there is none. → code"
    assert stride.details.summary
    assert stride.details.a["href"].startswith("probes.html#")


def test_one_reason_for_all_of_a_question_stands_once(ask, built) -> None:
    ask("ada", dict.fromkeys(["pool.stride", "pool.β"], "none: it has no pool"))
    [cell] = built()[0].line("Ada").find_all("td")
    assert (cell["colspan"], text(cell)) == ("2", "no such thing | it has no pool. → code")


def test_what_was_not_asked_or_failed_or_is_stale_says_so(site, ask, built) -> None:
    ask("ada", status="timeout", reason="too slow")
    ask("bell", {"pool.stride": "2"})
    lock = site.examples / "bell" / "requirements.txt"
    lock.write_text("bell==2\n", "utf-8")
    pool, *_ = built()
    assert text(pool.line("Ada").td) == "timeout: too slow"
    assert text(pool.line("Curie").td) == "not measured yet"
    assert pool.row("Bell") == {
        "Framework": "Bell | bell.pool | 1.2 · measured with another lock",
        "Stride": "2",
        "β₁": "–",
    }
    assert "is-stale" in pool.line("Bell")["class"]
    assert pool.row("Most")["Stride"] == "–"


def test_what_could_not_be_told_is_shown_and_counts_for_nothing(ask, built) -> None:
    ask("ada", {"pool.stride": "unknown: the output is strange", "pool.β": "0.9"}, status="failed", reason="…")
    pool, _, runs = built()
    assert text(pool.line("Ada").td) == "unknown | the output is strange. → code"
    assert "is-open" in pool.line("Ada").td["class"]
    assert runs.row("Ada")["Answers"] == "1 of 2 | …"


def test_a_run_of_this_machine_is_not_published(ask, built) -> None:
    ask("ada", {"pool.stride": "2"}, local=True)
    assert built()[-1].row("Ada")["Record"] == "on this machine only"


def test_both_lists_hold_every_framework_and_the_script_is_on_this_page_alone(site, ask, built) -> None:
    ask("ada", {"pool.stride": "2"})
    built()
    html = site.html("index")
    assert re.findall(r'<option value="(\w*)"', html) == ["ada", "bell", "curie", "", "ada", "bell", "curie"]
    assert '<div class="rosetta-differences"><p role="status"></p></div>' in html
    assert "_static/defaults.js" in html
    assert "_static/defaults.js" not in site.html("probes")


def test_nothing_was_asked_yet(site, ask, built) -> None:
    assert built() == []
    assert "Nothing has been measured yet. Run nox -s defaults." in site.html("index")
    assert "_static/defaults.js" not in site.html("index")


def test_an_answer_of_other_code_is_marked_until_there_is_a_new_one(site, ask, built) -> None:
    ask("ada", {"pool.stride": "2"})
    path = site.examples / "ada" / "defaults.py"
    path.write_text(path.read_text("utf-8").replace("x, 2", "x, 3"), "utf-8")
    assert "measured with another defaults.py" in text(built()[0].line("Ada").th)
    ask("ada", {"pool.stride": "3"})
    assert built()[0].row("Ada")["Stride"] == "3"


def test_the_questions_are_those_that_are_asked(site, ask) -> None:
    ask("ada")
    site.page("index", "```{questions}\n```")
    assert not site.build()
    [table] = tables(site.html("index"))
    assert table.names == ["pool", "loss"]
    assert table.row("pool")["What is inferred"] == "stride; β₁"
    assert table.row("pool")["What it builds"] == "A pool, told its window"


def lines(site, name: str) -> list[tuple[str, str, str]]:
    """What the page says to write in a framework: the default, what to get, the code."""
    fold = page(site.html("index")).find(id=f"explicit-{name}")
    return [tuple(map(text, row.find_all(["th", "td"]))) for row in fold.tbody.find_all("tr")] if fold else []


def test_the_shortest_line_that_was_measured_to_give_an_answer_is_what_to_write(site, ask, built) -> None:
    calls = {
        "pool.stride": {"ada.pool(..., stride=int(1))": "1", "ada.pool(..., stride=1)": "1", "ada.pool(..., n=3)": "3"},
        "pool.β": {"ada.pool(..., beta=1)": "refused: TypeError: no", "ada.pool(..., beta=2)": "unknown: odd"},
    }
    ask("ada", {"pool.stride": "2", "pool.β": "0.9"}, calls)
    ask("bell", {"pool.stride": "1"})
    built()
    assert lines(site, "ada") == [
        ("A pool: stride", "3", "ada.pool(..., n=3)"),
        ("A pool: stride", "1", "ada.pool(..., stride=1)"),
    ]
    assert lines(site, "bell") == []


def test_a_line_must_do_the_same_on_every_backend_that_has_an_answer(site, ask, built) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + "".join(f'[backend.{b}]\nname = "Bell on {b}"\n' for b in "xyz"), "utf-8")
    ask("bell-x", {"pool.stride": "2"}, {"pool.stride": {"bell.a(...)": "1", "bell.bb(...)": "1", "bell.c(...)": "3"}})
    ask("bell-y", {"pool.stride": "2"}, {"pool.stride": {"bell.a(...)": "2", "bell.bb(...)": "1"}})
    built()
    assert lines(site, "bell") == [("A pool: stride", "1", "bell.bb(...)")]


def test_a_line_that_was_measured_with_other_code_is_not_shown(site, ask, built) -> None:
    path = site.examples / "ada" / "explicit.toml"
    path.write_text('[pool]\nstride = ["ada.pool(..., 1)"]\n', "utf-8")
    ask("ada", {"pool.stride": "2"}, {"pool.stride": {"ada.pool(..., 1)": "1"}})
    path.write_text(path.read_text("utf-8") + "# A comment.\n", "utf-8")
    built()
    assert lines(site, "ada") == [("A pool: stride", "1", "ada.pool(..., 1)")]
    path.write_text(path.read_text("utf-8").replace("1)", "3)"), "utf-8")
    assert "measured with another explicit.toml" in text(built()[0].line("Ada").th)
    assert lines(site, "ada") == []
