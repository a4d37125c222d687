"""What a ranking says of turns whose answer is known: ratios, intervals, letters, equivalence."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from rosetta_host.benchmark import ranking
from rosetta_host.benchmark.ranking import CaseId, Equivalence
from rosetta_host.records.codes import Disturbance
from rosetta_host.records.store import Machine, Times, TurnRecord

BOX = Machine(id="test-box", name="test box")


def turn(implementation, ratio, order=1, **fields):
    """A turn of a case that takes `ratio` times as long as the reference, whose step takes 10 ms."""
    fields = {
        "status": "ok",
        "pairs": [(0.01 * drift, 0.01 * drift * ratio) for drift in (1.0, 1.3, 0.9, 1.1)],
        **fields,
    }
    fields = {"workload": "gru", "machine": BOX, "device": "cpu", "sweep": "20261201T000000.000000Z", **fields}
    return TurnRecord(
        schema=3,
        framework=implementation,
        created="20261201T000000.000000Z",
        turn=order,
        order=order,
        reference="alpha gru",
        first_stretch=1.0,
        stretch_steps=10,
        times=Times(build=0.5),
        version="1.0",
        **fields,
    )


def turns(implementation, ratios, **fields):
    return [turn(implementation, ratio, order, **fields) for order, ratio in enumerate(ratios, start=1)]


SPREAD = (0.98, 0.99, 1.0, 1.01, 1.02)


def test_the_fastest_is_first_and_has_its_figures():
    slow, fast = turns("beta", [2 * factor for factor in SPREAD]), turns("gamma", [0.5 * factor for factor in SPREAD])
    first, second = ranking.rank([*slow, *fast])
    assert (first.case, second.case) == (CaseId("gamma", "gru"), CaseId("beta", "gru"))
    assert first.ratio == pytest.approx(0.5)
    assert second.ratio == pytest.approx(2.0)
    assert (second.low, second.high) == (pytest.approx(2 * 0.98), pytest.approx(2 * 1.02))
    # A drift of the machine that both share changes no ratio, though the seconds follow it.
    assert second.step == pytest.approx(0.01 * 1.05 * 2)
    assert second.step_low < second.step < second.step_high
    assert second.compile == pytest.approx(0.5 + 1.0 - 10 * second.step)
    assert second.seconds(1000) == pytest.approx(second.compile + 1000 * second.step)
    assert (second.turns, second.version, second.status, second.reason) == (5, "1.0", "ok", None)
    assert (first.letters, second.letters) == ("a", "b")


def test_the_median_turn_counts():
    [ranked] = ranking.rank(turns("beta", [1.0, 1.0, 1.1, 1.2, 9.0]))
    assert ranked.ratio == pytest.approx(1.1)
    assert ranked.high == pytest.approx(9.0)


def test_what_was_disturbed_or_failed_counts_for_nothing():
    good = turns("beta", SPREAD)
    others = [
        turn("beta", 9.0, 6, disturbed=[Disturbance.STEAL]),
        turn("beta", 9.0, 7, status="failed", reason="It burst.", pairs=[]),
    ]
    [ranked] = ranking.rank([*others, *good])
    assert (ranked.turns, ranked.disturbed, ranked.status, ranked.reason) == (5, 1, "ok", "It burst.")
    assert ranked.ratio == pytest.approx(1.0)


def test_cases_without_a_turn_that_counts_come_last():
    disturbed = turns("beta", [1.0], disturbed=[Disturbance.STEAL])
    failed = turns("alpha", [1.0], status="failed", reason="It burst.", pairs=[])
    single = turns("gamma", [3.0])
    ranked = ranking.rank([*disturbed, *failed, *single])
    assert [(one.case.implementation, one.status) for one in ranked] == [
        ("gamma", "ok"),
        ("alpha", "failed"),
        ("beta", "disturbed"),
    ]
    assert ranked[1].reason == "It burst."
    assert math.isnan(ranked[0].low)
    assert math.isnan(ranked[1].ratio)
    assert [one.letters for one in ranked] == ["", "", ""]


def test_variants_are_cases_of_their_own():
    ranked = ranking.rank([*turns("beta", SPREAD), *turns("beta", SPREAD, variant="train_compiled")])
    assert {one.case.variant for one in ranked} == {None, "train_compiled"}


@pytest.mark.parametrize("field", ["sweep", "workload", "device"])
def test_nothing_is_ranked_across(field):
    with pytest.raises(ValueError, match="one sweep, workload, machine and device"):
        ranking.rank([turn("beta", 1.0), turn("beta", 1.0, 2, **{field: "other"})])


def test_the_newest_sweep_of_a_machine_and_device():
    old, new = turn("beta", 1.0, 1), turn("beta", 2.0, 2, sweep="20261202T000000.000000Z")
    first = turn("gamma", 1.0, 1, sweep="20261202T000000.000000Z")
    elsewhere = turn("beta", 3.0, 1, sweep="20261203T000000.000000Z", machine=Machine(id="other", name="other"))
    on_gpu = turn("beta", 3.0, 1, sweep="20261203T000000.000000Z", device="gpu")
    assert ranking.newest_sweep([new, old, elsewhere, on_gpu, first], "test-box", "cpu") == [first, new]
    assert ranking.newest_sweep([], "test-box", "cpu") == []


# Five values each, half of an hundredth apart: the distances of 0.025 are not significant, those of 0.05 are.
GROUP = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])


@pytest.mark.parametrize(
    ("centers", "letters"),
    [
        ([0.0], ["a"]),
        ([0.0, 0.0, 1.0], ["a", "a", "b"]),
        ([0.0, 0.025, 0.05], ["a", "ab", "b"]),
        ([0.0, 0.025, 0.05, 0.075], ["a", "ab", "bc", "c"]),
        ([0.0, 1.0, 2.0], ["a", "b", "c"]),
        ([], []),
    ],
)
def test_letters(centers, letters):
    assert ranking.compact_letters([GROUP + center for center in centers]) == letters


@pytest.mark.parametrize("seed", range(4))
def test_two_groups_share_a_letter_if_and_only_if_scipy_finds_no_difference(seed):
    """Held against `tukey_hsd` with unequal variances, the test of Games and Howell."""
    generator = np.random.default_rng(seed)
    groups = [generator.normal(0.02 * i, generator.uniform(0.005, 0.03), 5) for i in range(8)]
    expected = stats.tukey_hsd(*groups, equal_var=False).pvalue < 0.05
    letters = ranking.compact_letters(groups)
    pairs = list(itertools.combinations(range(8), 2))
    assert {expected[pair] for pair in pairs} == {True, False}
    for i, j in pairs:
        assert bool(set(letters[i]) & set(letters[j])) != expected[i, j]


def test_more_groups_than_letters_of_an_alphabet():
    letters = ranking.compact_letters([GROUP + center for center in range(60)])
    assert len(set(letters)) == 60
    assert all(len(letter) == 1 and letter.isalpha() for letter in letters)


def test_groups_without_any_spread():
    assert ranking.compact_letters([[1.0, 1.0], [1.0, 1.0], [2.0, 2.0]]) == ["a", "a", "b"]


@pytest.mark.parametrize("draw", ["normal", "lognormal"])
@pytest.mark.parametrize("size", [5, 7])
def test_the_interval_covers_the_median_as_often_as_it_promises(draw, size):
    """Of five values the bootstrap interval of the median is about their range, which covers it in 94 of 100 cases."""
    generator = np.random.default_rng(1)
    median = 0.0 if draw == "normal" else 1.0
    intervals = [ranking.estimate(list(getattr(generator, draw)(size=size))) for _ in range(300)]
    covered = np.mean([one.low <= median <= one.high for one in intervals])
    assert 0.90 <= covered <= 0.99


def test_the_same_turns_give_the_same_interval():
    assert ranking.estimate([1.0, 2.0, 4.0, 3.0, 7.0, 5.0]) == ranking.estimate([1.0, 2.0, 4.0, 3.0, 7.0, 5.0])


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([0.800, 0.801, 0.799], [0.801, 0.802, 0.800], Equivalence.EQUIVALENT),
        ([0.800, 0.801, 0.799], [0.850, 0.851, 0.849], Equivalence.DIFFERENT),
        ([0.850, 0.851, 0.849], [0.800, 0.801, 0.799], Equivalence.DIFFERENT),
        ([0.80, 0.83, 0.77], [0.81, 0.84, 0.78], Equivalence.UNKNOWN),  # too much spread
        ([0.800, 0.801, 0.799], [0.810, 0.811, 0.809], Equivalence.UNKNOWN),  # at the margin itself
        ([0.8], [0.8, 0.8, 0.8], Equivalence.UNKNOWN),
        ([], [0.8, 0.8], Equivalence.UNKNOWN),
        ([0.8, 0.8], [0.8, 0.8], Equivalence.EQUIVALENT),
    ],
)
def test_equivalence(a, b, expected):
    assert ranking.equivalent(a, b) == expected


def test_equivalence_is_claimed_wrongly_in_one_of_twenty_cases_at_most():
    """The true difference is the margin itself, where a claim of equivalence is most often wrong."""
    generator = np.random.default_rng(2)
    draws = [(generator.normal(0.8, 0.003, 5), generator.normal(0.81, 0.003, 5)) for _ in range(400)]
    wrong = np.mean([ranking.equivalent(a, b) == Equivalence.EQUIVALENT for a, b in draws])
    assert 0.0 < wrong < 0.08
