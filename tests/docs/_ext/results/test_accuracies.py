"""Accuracies are tested for equivalence over seeds."""

from __future__ import annotations

from sweeping import TOWER, shown, turns

from _ext.results.accuracies import sentence

SAME, NEAR, FAR = (0.760, 0.761, 0.762), (0.761, 0.760, 0.763), (0.700, 0.701, 0.702)


def seeds(site, implementation: str, accuracies: tuple[float, ...], **changes: object) -> None:
    for seed, accuracy in enumerate(accuracies):
        site.record(implementation, seed=seed, accuracy=accuracy, **changes)


def test_each_case_is_equivalent_different_or_not_known(site) -> None:
    for implementation in ("ada", "bell", "curie"):
        turns(site, implementation, [0.01, 0.01])
    turns(site, "ada", [0.01, 0.01], variant="train_compiled")
    seeds(site, "ada", SAME)
    seeds(site, "ada", SAME[:1], variant="train_compiled")
    seeds(site, "bell", NEAR, machine=TOWER)
    seeds(site, "curie", FAR)
    text = sentence(shown(site)[0])
    assert text == (
        "Accuracies are not ranked. Within ±1 point of Ada, over seeds: equivalent: Bell; different: Curie; "
        "cannot tell (too few seeds, or too far apart): Ada (compiled)."
    )


def test_accuracies_of_other_code_preset_or_data_are_not_compared(site) -> None:
    turns(site, "ada", [0.01, 0.01])
    turns(site, "bell", [0.02, 0.02])
    seeds(site, "ada", SAME)
    seeds(site, "bell", FAR, preset="epoch")
    seeds(site, "bell", FAR, digests={"example": "other"})
    seeds(site, "bell", FAR, local=True)
    assert "cannot tell (too few seeds, or too far apart) for any implementation." in sentence(shown(site)[0])
    seeds(site, "bell", FAR)
    assert "different: Bell." in sentence(shown(site)[0])


def test_without_a_reference_nothing_is_compared(site) -> None:
    turns(site, "bell", [0.02, 0.02])
    assert "compared with nothing" in sentence(shown(site)[0])
