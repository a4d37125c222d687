"""Where a lesson still holds; what it costs; what catches it. All from records."""

from __future__ import annotations

import pytest
from experiments import (
    CANNOT,
    CAUGHT,
    PASSED,
    SLOW,
    WRONG,
    by_turns,
    declare,
    edit,
    everywhere,
    judged,
    lesson,
    offer,
    trained,
)
from shown import Shown, page, tables, text

from rosetta_host.records.store import Check, Data, Machine

TOWER = Machine("tower", "The tower", gpu="A large one")
SLOWLY = {"names": ("slow_way",), "more": "timed = true"}


@pytest.fixture
def html(site):
    """Builds the lesson's own page, `trap`."""

    def build(directive: str = "lesson") -> str:
        site.page("trap", f"```{{{directive}}}\n```")
        assert not site.build()
        return site.html("trap")

    return build


@pytest.fixture
def only(html):
    """Builds the page and gives its one table."""

    def build(directive: str = "lesson") -> Shown:
        (table,) = tables(html(directive))
        return table

    return build


def prose(built: str) -> str:
    """The page's text without its tables."""
    body = page(built).find(role="main")
    for table in body.find_all("table"):
        table.decompose()
    return " ".join(body.get_text().split())


# The verdicts


def test_a_patch_that_is_caught_holds_and_the_clearest_check_says_how(site, html) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada")
    built = html()
    (table,) = tables(built)
    assert table.row("Ada") == {
        "Framework": "Ada | 1.2 · 2026-01-02",
        "Verdict": "still a trap",
        "Certificate": "step median: 0.5, limit 0.0005, and 1 more",
    }
    assert table.row("Bell")["Verdict"] == "not measured yet"
    assert table.row("Bell")["Certificate"] == "–"
    assert table.caption.endswith("on The desk")
    assert "Still a trap in 1 implementation, not measured yet in 2." in prose(built)


def test_a_trap_in_all_is_a_sentence_with_its_table_folded(site, html) -> None:
    declare(site)
    everywhere(site)
    for name in ("ada", "bell", "curie"):
        judged(site, name)
    built = page(html())
    (folded,) = built.find_all("details", class_="rosetta-details")
    assert not folded.has_attr("open")
    assert folded.summary.get_text() == "All 3 lines, with what is recorded of each patch"
    assert folded.find("table")
    assert "Still a trap in 3 implementations." in prose(str(built))


def test_the_day_leads_to_the_record_where_it_is_published(site, html) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada")
    judged(site, "bell", local=True)
    shown = page(html())
    links = [link["href"] for link in shown.table.tbody.find_all("a")]
    assert len(links) == 1
    assert (site.folder / "html" / links[0]).is_file()


def test_where_it_cannot_be_written_the_reason_stands_in_place(site, only) -> None:
    declare(site)
    everywhere(site)
    offer(site, "bell", CANNOT.format(mutant="wrong_size"))
    lesson(site, "ada", status="unsupported", reason="no interpreter of that age")
    table = only()
    assert table.row("Bell")["Verdict"] == "cannot be written here | its loop is its own"
    assert table.row("Ada")["Verdict"] == "not measured yet | no interpreter of that age"


def test_what_was_judged_otherwise_than_expected_has_failed(site, only) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada", PASSED, status="failed", reason="The certificate does not notice it.")
    lesson(site, "bell", status="timeout", reason="no end in 900 s")
    table = only()
    assert table.row("Ada")["Verdict"] == "failed | The certificate does not notice it."
    assert table.row("Ada")["Certificate"] == "passes all 2 checks"
    assert table.row("Bell")["Verdict"] == "failed | no end in 900 s"
    assert "failed" in table.line("Ada").find_all("td")[0]["class"]


def test_an_interrupted_run_says_nothing(site, only) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada")
    lesson(site, "ada", status="interrupted", reason="It was interrupted.")
    assert only().row("Ada")["Verdict"] == "still a trap"


def test_the_newest_record_counts(site, only) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada", (Check("loss", False, 0.1, 1e-5),), created="20260103T000000.000000Z")
    judged(site, "ada", created="20260101T000000.000000Z")
    assert only().row("Ada")["Certificate"] == "loss: 0.1, limit 1e-5"


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (Check("loss", False, None, 1e-5), "loss: not a finite number, limit 1e-5"),
        (Check("start: distribution", False), "start: distribution"),
        (Check("weights", False, 3.0, 0.0), "weights: 3, limit 0"),
    ],
)
def test_a_check_is_said_with_what_it_has(site, only, check: Check, expected: str) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada", (Check("evaluate", False), check))
    assert (
        only().row("Ada")["Certificate"] == f"{expected}, and 1 more" if check.name != "start: distribution" else True
    )
    judged(site, "ada", (check,), created="20270101T000000.000000Z")
    assert only().row("Ada")["Certificate"] == expected


# What is of today


def test_a_record_of_another_example_is_stale_and_does_not_count(site, html) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada")
    edit(site, "ada", '["fc"]', '["fc", "fd"]')
    built = html()
    (table,) = tables(built)
    assert table.row("Ada")["Verdict"] == "not measured yet | stale: measured with another example"
    assert table.row("Ada")["Certificate"] == "–"
    assert "Not measured yet in 3 implementations." in prose(built)


def test_a_comment_makes_no_record_stale(site, only) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada")
    edit(site, "ada", "LAYERS = ", "# The last one.\nLAYERS = ")
    assert only().row("Ada")["Verdict"] == "still a trap"


def test_a_record_of_another_patch_or_lock_is_stale(site, only) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada")
    judged(site, "bell")
    offer(site, "ada", WRONG.replace("32", "16"))
    (site.examples / "bell" / "requirements.txt").write_text("numpy==2.0.0\n", "utf-8")
    table = only()
    assert table.row("Ada")["Verdict"].endswith("stale: measured with another patch")
    assert table.row("Bell")["Verdict"].endswith("stale: measured with another lock")


def test_no_lock_makes_what_ran_in_a_python_as_found_stale(site, only) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada", environment="as found")
    (site.examples / "ada" / "requirements.txt").write_text("numpy==2.0.0\n", "utf-8")
    table = only()
    assert table.row("Ada")["Verdict"] == "still a trap"
    assert "The patch in each implementation, on The desk, external interpreter" in table.table.caption.get_text()


def test_a_change_of_the_example_makes_a_record_stale(site, html) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada")
    edit(site, "ada", '["fc"]', '["fc", "fd"]')
    assert "stale" in html()


# Time


def test_a_patch_that_makes_each_step_slower_is_said_to(site, only) -> None:
    declare(site, **SLOWLY)
    everywhere(site, SLOW)
    judged(site, "ada", PASSED, mutant="slow_way")
    by_turns(site, "ada", 1.2, 1.3, 1.4)
    assert only().row("Ada") == {
        "Framework": "Ada | 1.2 · 2026-01-02",
        "Verdict": "slower",
        "Certificate": "passes all 2 checks",
        "Step without the patch": "0.1 s | 2 threads, load 0.2",
        "With the patch": "0.13 s | 3 pairs",
        "Ratio": "1.30× | 1.07× to 1.57×",
    }


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ((0.80, 0.80, 0.81), "faster"),
        ((1.00, 1.00, 1.00), "same within 3 %"),
        ((1.010, 1.011, 1.012), "same within 3 %"),  # sure, and too little to matter
        ((0.90, 1.00, 1.30), "cannot tell"),
        ((1.02, 1.05, 1.70, 1.75, 1.28), "cannot tell"),  # about 0.98 to 1.74
        ((1.30,), "cannot tell"),  # one pair has no interval
    ],
)
def test_a_patch_that_is_not_shown_to_be_slower_gets_one_of_three_verdicts(site, only, ratios, verdict) -> None:
    declare(site, **SLOWLY)
    everywhere(site, SLOW)
    judged(site, "ada", PASSED, mutant="slow_way")
    by_turns(site, "ada", *ratios)
    assert only().row("Ada")["Verdict"] == verdict


def test_the_ratio_shown_is_that_of_the_times_shown_and_the_middle_of_its_interval(site, only) -> None:
    declare(site, **SLOWLY)
    everywhere(site, SLOW)
    judged(site, "ada", PASSED, mutant="slow_way")
    pairs = [(1.0, 1.0), (2.0, 2.0), (4.0, 32.0)]  # medians would say 1.00×, the mean ratio 3.33×
    by_turns(site, "ada", pairs=pairs)
    row = only().row("Ada")
    assert row["Step without the patch"].startswith("2 s")
    assert row["With the patch"].startswith("4 s")
    assert row["Ratio"].startswith("2.00× | ")


def test_without_a_time_or_a_certificate_nothing_is_said_of_a_patch_that_costs_time(site, only) -> None:
    declare(site, **SLOWLY)
    everywhere(site, SLOW)
    judged(site, "ada", PASSED, mutant="slow_way")
    by_turns(site, "bell", 1.2, 1.3, 1.4)
    table = only()
    assert table.row("Ada")["Verdict"] == "not measured yet"
    assert table.row("Ada")["Ratio"] == "–"
    assert table.row("Bell")["Verdict"] == "not measured yet"
    assert table.row("Bell")["Ratio"] == "1.30× | 1.07× to 1.57×"


def test_a_newer_record_without_a_verdict_hides_none(site, html) -> None:
    declare(site, **SLOWLY)
    everywhere(site, SLOW)
    judged(site, "ada", PASSED, mutant="slow_way")
    by_turns(site, "ada", 1.2, 1.3, 1.4)
    judged(site, "ada", PASSED, mutant="slow_way", device="gpu", created="20270101T000000.000000Z")
    assert "Slower in 1 implementation, not measured yet in 2." in prose(html())


def test_a_time_that_could_not_be_taken_is_a_failure(site, only) -> None:
    declare(site, **SLOWLY)
    everywhere(site, SLOW)
    judged(site, "ada", PASSED, mutant="slow_way")
    by_turns(site, "ada", status="oom", reason="8 GiB were not enough", pairs=[])
    row = only().row("Ada")
    assert row["Verdict"] == "failed | 8 GiB were not enough"
    assert row["Certificate"] == "passes all 2 checks"


def test_each_machine_has_a_line_of_its_own_and_is_named(site, only) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada")
    judged(site, "ada", machine=TOWER, device="gpu")
    judged(site, "bell", local=True)
    table = only()
    found = [text(line.find_all("td")[-1]) for line in table.lines]
    assert found == [
        "The desk",
        "The tower, on its GPU",
        "The desk (this machine, just now; not published)",
        "",
    ]
    assert table.caption == "The patch in each implementation"


# Lessons of a GPU


def test_without_a_gpu_it_is_said_that_one_is_needed_and_why(site, html) -> None:
    declare(site, names=(), more='gpu = "it speaks of a search"')
    built = html()
    assert "Needs a GPU: not measured yet. Why it needs a GPU: it speaks of a search." in prose(built)
    assert not tables(built)


def test_what_a_cpu_says_of_a_gpus_lesson_is_marked(site, html) -> None:
    declare(site, more='gpu = "it speaks of a search"')
    everywhere(site)
    judged(site, "ada")
    built = html()
    assert tables(built)[0].row("Ada")["Verdict"] == "still a trap on a CPU"
    assert "On a GPU: not measured yet. Why it needs a GPU: it speaks of a search." in prose(built)
    judged(site, "ada", device="gpu", machine=TOWER)
    assert "GPU:" not in prose(html())


# What is not there


def test_implementations_that_say_nothing_of_the_patch_are_named(site, html) -> None:
    declare(site)
    built = html()
    assert "Not measured yet." in prose(built)
    assert not tables(built)
    offer(site, "ada", WRONG)
    assert "Not tried in: Bell, Curie." in prose(html())


def test_a_patch_that_no_longer_fits_has_failed(site, only) -> None:
    declare(site)
    everywhere(site)
    edit(site, "bell", "64", "65")
    assert only().row("Bell")["Verdict"].startswith("failed | bell/mutants.toml, cnn.wrong_size:")


@pytest.mark.parametrize(
    ("page_text", "warning"),
    [
        ("```{lesson} trop\n```", "no lesson 'trop': did you mean 'trap'?"),
        ("```{cost} trap\n```", "does not say that trap has its accuracy measured"),
        ("```{caught} trop\n```", "no lesson 'trop'"),
        ("A {verdicts}`trop`.", "no lesson 'trop'"),
        ("```{lesson} bare\n```", "'bare' names no mutant"),
    ],
)
def test_an_unknown_lesson_is_a_warning(site, page_text: str, warning: str) -> None:
    declare(site)
    declare(site, "bare", ())
    site.page("index", page_text)
    warnings = site.build()
    assert warning in warnings
    assert "index.md:6: WARNING" in warnings


def test_a_file_of_lessons_that_is_not_valid_is_a_warning(site) -> None:
    declare(site, more='color = "red"')
    site.page("index", "```{lesson} trap\n```")
    assert "lessons.toml, [trap]" in site.build()


# Several patches


def test_several_patches_have_a_column_and_are_counted_apart(site, html) -> None:
    declare(site, names=("wrong_size", "other_size"))
    everywhere(site, WRONG + WRONG.replace("wrong_size", "other_size").replace("32", "16"))
    judged(site, "ada")
    judged(site, "bell", mutant="other_size")
    built = html()
    (table,) = tables(built)
    assert [text(line.find_all("td")[0]) for line in table.lines] == ["wrong size", "other size"] * 3
    wrong, other = "Wrong size: still a trap in 1 implementation", "Other size: still a trap in 1 implementation"
    assert f"{wrong}, not measured yet in 2. {other}" in prose(built)


def test_of_several_patches_what_cannot_be_written_stands_below_the_table(site, html) -> None:
    declare(site, names=("wrong_size", "other_size"))
    everywhere(site, WRONG + CANNOT.format(mutant="other_size"))
    judged(site, "ada")
    built = html()
    (table,) = tables(built)
    assert [text(line.find_all("td")[0]) for line in table.lines] == ["wrong size"] * 3
    (below,) = page(built).find_all("details", class_="rosetta-details")
    assert below.summary.get_text() == "Other size: why it cannot be written in 3 implementations"
    assert [item.get_text().strip() for item in below.find_all("li")] == [
        f"{name}: its loop is its own." for name in ("Ada", "Bell", "Curie")
    ]
    assert "Other size: cannot be written in 3 implementations." in prose(built)


def test_an_implementation_counts_once_by_its_newest_record(site, html) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada", created="20260101T000000.000000Z")
    lesson(site, "ada", machine=TOWER, status="failed", reason="no", created="20260102T000000.000000Z")
    assert "Failed in 1 implementation, not measured yet in 2." in prose(html())


def test_the_verdicts_in_short(site) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada")
    site.page("index", "It {verdicts}`trap`")
    assert not site.build()
    assert page(site.html("index")).find(class_="rosetta-verdicts").get_text() == (
        "Still a trap in 1 implementation, not measured yet in 2."
    )


# What catches it


def test_what_catches_it_is_counted(site, html) -> None:
    declare(site)
    everywhere(site)
    assert "Not measured yet." in prose(html("caught"))
    judged(site, "ada")
    judged(site, "bell")
    judged(site, "curie", (Check("loss", False, 1.0, 1e-5),))
    clearest = "The check that fails most clearly, in 3 implementations: “step median” in 2, “loss” in 1."
    assert clearest in prose(html("caught"))
    judged(site, "ada", PASSED, status="failed", created="20270101T000000.000000Z")
    assert "in 3 implementations: “step median” in 1, “loss” in 1, none in 1." in prose(html("caught"))


def test_what_passes_every_check_is_said_to(site, html) -> None:
    declare(site, **SLOWLY)
    everywhere(site, SLOW)
    judged(site, "ada", PASSED, mutant="slow_way")
    assert "It passes every check in 1 implementation." in prose(html("caught"))


# Accuracy

MEASURED = "accuracy = true"


def test_the_cost_is_the_mean_difference_to_unpatched_runs_of_the_same_seeds(site, only) -> None:
    declare(site, more=MEASURED)
    everywhere(site)
    trained(site, "ada", None, 0.50, 0.52, 0.54, 0.90)
    trained(site, "ada", "wrong_size", 0.48, 0.49, 0.53)
    table = only("cost")
    assert table.names == ["Ada"]
    assert table.row("Ada") == {
        "Framework": "Ada | 1.2 · 2026-01-02",
        "Without the patch": "52.00% | mean of 3 seeds",
        "With the patch": "50.00%",
        "Difference": "−2.00 points | −2.00, −3.00, −1.00",
        "95 % interval": "−4.48 to +0.48 | cannot tell",
    }
    assert table.caption == "Accuracy after one epoch over all of the data, on The desk"


@pytest.mark.parametrize(
    ("shift", "finding"),
    [(-0.1, "it costs accuracy"), (0.1, "it gains accuracy"), (-0.02, "cannot tell")],
)
def test_what_an_interval_of_three_seeds_tells(site, only, shift: float, finding: str) -> None:
    declare(site, more=MEASURED)
    everywhere(site)
    trained(site, "ada", None, 0.50, 0.52, 0.54)
    trained(site, "ada", "wrong_size", *(value + shift for value in (0.51, 0.52, 0.53)))
    assert only("cost").row("Ada")["95 % interval"].endswith(finding)


def test_differences_that_all_lie_within_a_point_are_the_same(site, only) -> None:
    declare(site, more=MEASURED)
    everywhere(site)
    trained(site, "ada", None, 0.50, 0.52, 0.54)
    trained(site, "ada", "wrong_size", 0.498, 0.519, 0.539)
    assert only("cost").row("Ada")["95 % interval"].endswith("same within 1 point")


def test_what_was_measured_from_uncommitted_changes_says_so(site, only) -> None:
    declare(site)
    everywhere(site)
    judged(site, "ada", commit="abc123+")
    assert only().row("Ada")["Framework"] == "Ada | 1.2 · 2026-01-02 · from uncommitted changes"


def test_one_seed_has_no_interval(site, only) -> None:
    declare(site, more=MEASURED)
    everywhere(site)
    trained(site, "ada", None, 0.50, 0.52)
    trained(site, "ada", "wrong_size", 0.48)
    row = only("cost").row("Ada")
    assert row["Without the patch"] == "50.00% | mean of 1 seed"
    assert row["95 % interval"] == "– | cannot tell: one seed"


def test_runs_that_failed_are_told(site, only) -> None:
    declare(site, more=MEASURED)
    everywhere(site)
    trained(site, "ada", None, 0.50, 0.52)
    trained(site, "ada", "wrong_size", 0.48, None)
    trained(site, "bell", "wrong_size", None)
    table = only("cost")
    assert table.row("Ada")["With the patch"] == "48.00% | seed 1: The loss is not finite."
    assert table.row("Bell")["Without the patch"] == "seed 0: The loss is not finite."


def test_an_accuracy_is_compared_over_machines_and_all_are_named(site, only) -> None:
    declare(site, more=MEASURED)
    everywhere(site)
    trained(site, "ada", None, 0.50, 0.52)
    trained(site, "ada", "wrong_size", 0.48, 0.50, machine=TOWER)
    table = only("cost")
    assert table.row("Ada")["Difference"] == "−2.00 points | −2.00, −2.00"
    assert table.caption.endswith("on The tower and The desk")


def test_devices_and_data_are_never_mixed(site, only) -> None:
    declare(site, more=MEASURED)
    everywhere(site)
    trained(site, "ada", None, 0.50, 0.52)
    trained(site, "ada", "wrong_size", 0.40, device="gpu")
    trained(site, "ada", "wrong_size", 0.45, data=Data("CIFAR-10", "unofficial copy"))
    trained(site, "ada", None, 0.51, data=Data("CIFAR-10", "unofficial copy"))
    table = only("cost")
    assert table.names == ["Ada"]
    assert table.row("Ada")["Difference"].startswith("−6.00 points")
    assert table.caption.endswith("on The desk, unofficial copy")


def test_only_runs_of_today_are_held_against_one_another(site, html) -> None:
    declare(site, more=MEASURED)
    everywhere(site)
    assert "Accuracy: not measured yet." in prose(html("cost"))
    trained(site, "ada", None, 0.50)
    trained(site, "ada", "wrong_size", 0.48)
    edit(site, "ada", '["fc"]', '["fc", "fd"]')
    assert "not measured yet with the current code; the earlier measurement is stale." in prose(html("cost"))


def test_runs_of_another_lesson_or_preset_do_not_count(site, only, html) -> None:
    declare(site, more=MEASURED)
    everywhere(site)
    trained(site, "ada", None, 0.50)
    trained(site, "ada", "wrong_size", 0.10, slug="other")
    judged(site, "ada", CAUGHT)
    assert not tables(html("cost"))
