"""Mutants: every folder offers every one, each fits its file, and the plan leaves none out."""

import ast

import pytest

from rosetta_common.host import catalogue, teeth
from rosetta_common.host.catalogue import Case, UserError

ROWS = list(catalogue.rows().values())


@pytest.mark.parametrize("workload", ["cnn", "gru"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_folder_offers_every_mutant_and_each_fits(row, workload, tmp_path):
    found = teeth.mutants(row, workload)
    assert {mutant.name for mutant in found} >= set(teeth.REQUIRED[workload])
    original = ast.dump(ast.parse(row.example(workload).read_text()))
    for i, mutant in enumerate(found):
        patched = teeth.patch(mutant, tmp_path / str(i))
        assert ast.dump(ast.parse(patched.example(workload).read_text())) != original, mutant.label


def test_the_first_round_has_each_mutant_once_and_all_rows_take_turns():
    planned = teeth.plan(ROWS, ["cnn", "gru"], None)
    names = {mutant.name for mutant in planned}
    first = planned[: len(names)]
    assert {mutant.name for mutant in first} == names
    assert {mutant.row.id for mutant in first} == {row.id for row in ROWS}
    assert len(planned) == len({mutant.label for mutant in planned})


def test_a_missing_mutant_is_named(folder):
    (folder / "mutants.toml").write_text('[gru.beta1]\nedits = [["return 0.5", "return 0.6"]]\n')
    with pytest.raises(UserError, match=r"alpha/mutants\.toml lacks the gru mutant other_epsilon"):
        teeth.mutants(catalogue.rows()["alpha"], "gru")


def test_a_mutant_that_does_not_fit_is_named(folder):
    tables = "".join(f'[gru.{name}]\nedits = [["no such text", "x"]]\n' for name in teeth.REQUIRED["gru"])
    (folder / "mutants.toml").write_text(tables)
    with pytest.raises(UserError, match=r"gru\.beta1: 'no such text' occurs 0 times in gru\.py, not once"):
        teeth.mutants(catalogue.rows()["alpha"], "gru")


def mutant(folder, edits):
    return teeth.Mutant(Case(catalogue.rows()["alpha"], "gru"), "made", edits)


def test_a_mutant_that_is_caught_says_by_which_check(folder):
    caught, how = teeth.bite(mutant(folder, [("return 0.5", "return 0.6")]))
    assert caught
    assert how.startswith("caught: FAILED scores before")


def test_a_mutant_that_crashes_is_not_caught(folder):
    caught, how = teeth.bite(mutant(folder, [("    return 0.5", "    raise RuntimeError('no step was taken')")]))
    assert not caught
    assert how == "NOT CAUGHT, it does not run: RuntimeError: no step was taken"


def test_a_crash_does_not_end_the_others_and_the_exit_code_tells(folder, monkeypatch):
    crashing = mutant(folder, [("    return 0.5", "    raise RuntimeError('no step was taken')")])
    good = mutant(folder, [("return 0.5", "return 0.6")])
    monkeypatch.setattr(teeth, "plan", lambda rows, workloads, name: [crashing, good])
    lines = []
    assert teeth.run([], ["gru"], None, None, lines.append) == 1
    assert sum("does not run" in line for line in lines) == 1
    assert lines[-1].startswith("1 of 2 mutants caught")
