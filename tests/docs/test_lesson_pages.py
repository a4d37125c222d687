"""The pages of the lessons and what is declared of them agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from _ext.lessons import evidence, intervals
from rosetta_host.lessons import declarations

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "lessons"
DECLARED = declarations.read().by_slug
EACH = pytest.mark.parametrize("slug", DECLARED)


def text(slug: str) -> str:
    """A lesson's page, below what says that the list of lessons leads to it, and not the navigation."""
    head, _, page = (FOLDER / f"{slug}.md").read_text("utf-8").partition("\n---\n")
    assert head == "---\norphan: true"
    return page


def test_each_lesson_is_a_page_and_each_page_a_lesson() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == {*DECLARED, "index"}


@EACH
def test_a_page_has_the_declared_title_and_names_the_claim(slug: str) -> None:
    title, claim = text(slug).split("\n\n")[:2]
    assert title == f"# {DECLARED[slug].title}"
    number = re.match(r"\*The original notebooks, lesson (\d+)", claim)
    assert ([int(number[1])] if number else []) == DECLARED[slug].seed
    assert number or claim.startswith("*Found by this project.*")


@EACH
def test_a_page_asks_what_every_lesson_is_asked(slug: str) -> None:
    headings = re.findall(r"^## (.*)", text(slug), re.MULTILINE)
    assert "Does it still matter?" in headings
    assert headings[-2:] == ["What it costs", "What catches it"]


@EACH
def test_a_page_shows_what_is_measured_of_it_and_its_patches(slug: str) -> None:
    lesson, page = DECLARED[slug], text(slug)
    assert ("{lesson}" in page) == bool(lesson.mutants or lesson.gpu)
    assert ("{cost}" in page) == lesson.accuracy
    assert ("{caught}" in page) == bool(lesson.mutants)
    assert re.findall(r"\{patch\} (\S+)", page) == [f"{lesson.workload}.{name}" for name in lesson.mutants]


@EACH
def test_a_page_is_read_in_two_minutes(slug: str) -> None:
    prose = re.sub(r"^:::.*?^:::$|\{\w+\}`[^`]*`", " x ", text(slug), flags=re.MULTILINE | re.DOTALL)
    assert len(prose.split()) < 2 * 200


def test_the_list_has_every_lesson_in_the_declared_order() -> None:
    index = (FOLDER / "index.md").read_text("utf-8")
    listed = re.findall(r"^(\d+\.|-) \[(.*?)\]\((.*?)\.md\)", index, re.MULTILINE)
    assert [(title, slug) for _, title, slug in listed] == [(DECLARED[slug].title, slug) for slug in DECLARED]
    assert [[int(mark[:-1])] if mark != "-" else [] for mark, _, _ in listed] == [one.seed for one in DECLARED.values()]
    measured = {slug for slug, lesson in DECLARED.items() if lesson.mutants or lesson.gpu}
    assert set(re.findall(r"\{verdicts\}`(.*?)`", index)) == measured


def test_the_list_explains_every_verdict_with_the_limits_of_the_code() -> None:
    index = (FOLDER / "index.md").read_text("utf-8")
    assert {*evidence.VERDICTS} <= set(re.findall(r"^(.+)\n: ", index, re.MULTILINE))
    prose = " ".join(index.split())
    for words in evidence.COST.values():
        assert f"*{words}*" in prose
    time, accuracy = 100 * (intervals.SAME_TIME - 1), 100 * intervals.SAME_ACCURACY
    assert f"lies within {time:.0f} % of 1, up or down" in prose
    assert f"lies within {accuracy:.0f} point of 0" in prose
