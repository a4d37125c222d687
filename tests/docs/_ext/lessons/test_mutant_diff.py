"""A patch in every framework, side by side with the example as it is."""

from __future__ import annotations

import pytest
from experiments import CANNOT, SLOW, WRONG, by_turns, declare, edit, everywhere, judged, lesson, offer
from shown import page

PATCH = "```{patch} cnn.wrong_size\n```"


@pytest.fixture
def build(site):
    def make(text: str = PATCH) -> str:
        site.page("index", text)
        assert not site.build()
        return site.html("index")

    return make


def columns(html: str, name: str) -> list:
    """The two columns of a framework's tab."""
    return page(html).find(attrs={"data-framework": name, "role": "tabpanel"}).select(".rosetta-patch > *")


def marked(column) -> list[str]:
    return [line.get_text().strip() for line in column.select(".is-changed")]


def ends(column) -> list[str]:
    return [" ".join(line.get_text().split()) for line in column.select(".rosetta-ran")]


def test_each_folder_that_offers_it_has_a_tab_like_those_of_a_snippet(site, build) -> None:
    offer(site, "ada", WRONG)
    offer(site, "curie", WRONG)
    offer(site, "bell", "")
    shown = page(build())
    assert [tab.get_text() for tab in shown.select("[role=tab]")] == ["Ada", "Curie"]
    panels = shown.select(".rosetta-tabs > .rosetta-panel[role=tabpanel]")
    assert [panel["id"] for panel in panels] == ["cnn-wrong-size-ada", "cnn-wrong-size-curie"]
    assert len(shown.select(".rosetta-bar")) == 1
    assert "examples/ada/cnn.py" in panels[0].get_text()


def test_what_is_changed_stands_side_by_side_and_is_marked(site, build) -> None:
    everywhere(site)
    left, right = columns(build(), "bell")
    code = [column.pre.get_text() for column in (left, right)]
    assert code[0].startswith("@bell.fast\ndef train(model, x, y):")
    assert code[1] == code[0].replace("64", "32")
    assert "def helper" not in code[0]
    assert marked(left) == ["return [helper(batch) for batch in minibatches(x, y, 64)]"]
    assert marked(right) == ["return [helper(batch) for batch in minibatches(x, y, 32)]"]
    assert [column.find(class_="rosetta-side").get_text() for column in (left, right)] == [
        "Without the patch",
        "With the patch",
    ]


def test_each_line_of_code_stands_in_a_box_that_knows_its_indentation(site, build) -> None:
    everywhere(site)
    left, _ = columns(build(), "ada")
    lines = left.select(".rosetta-line")
    assert [line["style"] for line in lines] == ["--indent:4ch", "--indent:4ch", "--indent:8ch"]
    assert "".join(line.get_text() for line in lines) == left.pre.get_text()


def test_each_side_says_what_became_of_it(site, build) -> None:
    declare(site)
    everywhere(site)
    site.record("ada")
    site.record("ada", kind="certificate")
    judged(site, "ada")
    lesson(site, "bell", status="failed", reason="The certificate does not notice it.")
    html = build()
    left, right = columns(html, "ada")
    assert ends(left) == ["ran: Ada, version 1.2 · certified ✓"]
    assert ends(right) == ["Ada, version 1.2: caught by step median: 0.5, limit 0.0005, and 1 more"]
    assert "is-open" in right.find(class_="rosetta-ran")["class"]
    assert ends(columns(html, "bell")[1]) == ["Bell, version 1.2: failed (The certificate does not notice it.)"]
    assert ends(columns(html, "curie")[1]) == ["Curie: not measured yet"]


def test_a_patch_that_only_costs_time_says_how_much(site, build) -> None:
    declare(site, names=("slow_way",), more="timed = true")
    everywhere(site, SLOW)
    lesson(site, "ada", "slow_way", status="unsupported", reason="no interpreter")
    by_turns(site, "bell", 1.5, 1.5, 1.5)
    html = build("```{patch} cnn.slow_way\n```")
    assert ends(columns(html, "bell")[1]) == ["Bell, version 1.2: a step takes 1.50× the time"]
    assert ends(columns(html, "ada")[1]) == ["Ada, version 1.2: not measured yet (no interpreter)"]


def test_a_patch_of_no_lesson_has_no_end(site, build) -> None:
    everywhere(site)
    assert not ends(columns(build(), "ada")[1])


def test_back_ends_share_a_tab_and_each_has_its_end(site, build) -> None:
    declare(site)
    everywhere(site)
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + "".join(f'[backend.{b}]\nname = "Bell on {b}"\n' for b in ("x", "y")))
    judged(site, "bell-y")
    assert ends(columns(build(), "bell")[1])[0] == "Bell on x: not measured yet"
    assert ends(columns(build(), "bell")[1])[1].startswith("Bell on y, version 1.2: caught by")


def test_where_it_cannot_be_written_the_tab_says_why(site, build) -> None:
    everywhere(site)
    offer(site, "bell", CANNOT.format(mutant="wrong_size"))
    panel = page(build()).find(id="cnn-wrong-size-bell")
    assert panel.pre.get_text().strip() == "# This cannot be written here: its loop is its own"
    assert not panel.select(".rosetta-patch")


def test_a_patch_that_is_declared_and_offered_nowhere_yet_is_no_fault(site, build) -> None:
    declare(site)
    assert "No framework has it yet." in build()


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("```{patch} cnn.wrong_sise\n```", "no cnn mutant 'wrong_sise': did you mean 'wrong_size'?"),
        ("```{patch} gru.wrong_size\n```", "no gru mutant 'wrong_size'"),
        ("```{patch} rnn.wrong_size\n```", "not of the form"),
    ],
)
def test_an_unknown_patch_is_a_warning(site, text: str, warning: str) -> None:
    declare(site)
    everywhere(site)
    site.page("index", text)
    warnings = site.build()
    assert warning in warnings
    assert "index.md:6: WARNING" in warnings


def test_a_patch_that_no_longer_fits_is_a_warning(site) -> None:
    everywhere(site)
    edit(site, "bell", "minibatches(x, y, 64)", "minibatches(x, y, 65)")
    site.page("index", PATCH)
    warnings = site.build()
    assert (
        "index.md:6: WARNING: rosetta: bell/mutants.toml, cnn.wrong_size: 'minibatches(x, y, 64)' occurs 0" in warnings
    )


def test_a_patch_after_which_nothing_is_python_is_a_warning(site) -> None:
    everywhere(site, WRONG.replace("(x, y, 32)", "(x, y, 32"))
    site.page("index", PATCH)
    assert "ada/mutants.toml, cnn.wrong_size: patched, line 20 is not Python" in site.build()
