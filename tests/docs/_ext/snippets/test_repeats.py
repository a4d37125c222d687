"""Whether a run came out the same again, under its snippet and in prose."""

from __future__ import annotations

import re
from html import unescape

import pytest

from rosetta_host.records.store import Data, Machine, Times

TRAIN = "```{rosetta} cnn.train\n```"


def caption_text(site) -> str | None:
    """What stands folded under the first snippet of a run that was repeated."""
    site.page("index", TRAIN)
    assert not site.build()
    folded = re.search(r"<details.*?</details>", site.html("index"), re.DOTALL)
    assert folded
    text = unescape(re.sub(r"<[^>]+>", "", folded[0]))
    found = re.search(r"Repeated with the same seed: (.*)", text)
    return found[1] if found else None


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([1.25], "the same loss in the first epoch, to the last digit"),
        ([1.25, 1.0], "the same loss in the first 2 epochs, to the last digit"),
        ([1.25, 1.0000001], "a different loss in the first 2 epochs"),
        ([1.2500001], "a different loss in the first epoch"),
    ],
)
def test_a_run_is_held_against_the_others_of_its_seed(site, losses: list[float], expected: str) -> None:
    site.record(losses=[1.25, 1.0, 0.75])
    site.record(preset="epoch", losses=losses)
    assert caption_text(site) == expected


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"threads": 4},
        {"machine": Machine("lap", "The lap")},
        {"variant": "train_compiled"},
        {"data": Data("Toy", "official", "other", 7, 7)},
        {"digests": {"example": "another"}},
        {"kind": "lesson", "measure": "size", "lesson": "a", "mutant": "momentum"},
        {"status": "failed"},
        {"losses": []},
        {"environment": "as found"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_run_of_something_else_says_nothing_of_it(site, other: dict[str, object]) -> None:
    site.record(**{"losses": [1.25, 1.0], "preset": "epoch", **other})
    site.record(losses=[1.25, 1.0], times=Times(train=1.0))
    assert caption_text(site) is None


def test_prose_counts_the_examples_that_ran_twice(site) -> None:
    for implementation, losses in [("ada", [1.0]), ("bell", [2.0]), ("curie", [3.0])]:
        site.record(implementation, losses=losses)
    site.record("ada", losses=[1.0], preset="epoch")
    site.record("ada", losses=[1.0], kind="lesson", measure="size")
    site.record("bell", losses=[2.5], preset="epoch")
    site.record("curie", losses=[3.0], preset="epoch", local=True)
    site.page("index", "It is {repeats}`alike` of {repeats}`twice`.")
    assert not site.build()
    assert re.sub(r"<[^>]+>", "", re.search(r"It is (.*?)\.</p>", site.html("index"))[1]) == "1 of 2"


def test_an_unknown_count_is_a_warning(site) -> None:
    site.page("index", "It is {repeats}`twise`.")
    assert "There is no count 'twise': did you mean 'twice'?" in site.build()
