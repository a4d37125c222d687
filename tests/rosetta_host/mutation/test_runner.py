"""Mutants: every folder offers each, each fits its file, and the plan leaves none out."""

import ast
import builtins
import symtable
import time
from collections import Counter

import msgspec
import pytest

from rosetta_host.catalog import frameworks, workloads
from rosetta_host.catalog.frameworks import Case, UserError
from rosetta_host.certificate import certify, judge, oracle
from rosetta_host.environments import environment
from rosetta_host.mutation import runner
from rosetta_host.mutation.mutants import Mutant
from rosetta_host.records import machine
from rosetta_host.records.store import Check

IMPLEMENTATIONS = list(frameworks.implementations().values())


REASONS = "".join(f'[gru.{name}]\nunsupported = "It waits for each call."\n' for name in runner.REQUIRED_OR_REASON)


def undefined(scope, defined):
    """The names of a module that nothing defines, wherever they are used."""
    names = {
        symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global() and symbol.get_name() not in defined
    }
    return names.union(*(undefined(child, defined) for child in scope.get_children()))


@pytest.mark.parametrize("workload", ["cnn", "gru"])
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS, ids=lambda implementation: implementation.id)
def test_every_folder_offers_every_mutant_and_each_fits(implementation, workload, tmp_path):
    mutants = runner.mutants(implementation, workload)
    original = ast.dump(ast.parse(implementation.example(workload).read_text()))
    for i, mutant in enumerate(mutants):
        patched = runner.patch(mutant, tmp_path / str(i))
        tree = ast.parse(patched.example(workload).read_text())
        assert ast.dump(tree) != original, mutant.label
        # A mutant may use a name that the example no longer defines. The main block can define it by accident, but does
        # not run in a certificate, so it does not count.
        tree.body = [node for node in tree.body if not isinstance(node, ast.If)]
        module = symtable.symtable(ast.unparse(tree), "mutant", "exec")
        defined = {symbol.get_name() for symbol in module.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
        assert not undefined(module, defined | set(dir(builtins)) | {"__name__"}), mutant.label


def test_the_first_round_has_each_mutant_once_and_every_implementation():
    planned = runner.plan(runner.choose(IMPLEMENTATIONS, ["cnn", "gru"], None))
    first = planned[: runner._covering(planned)]
    names = {(mutant.case.workload, mutant.name) for mutant in planned}
    assert {(mutant.case.workload, mutant.name) for mutant in first[: len(names)]} == names
    implementations = Counter(mutant.implementation.id for mutant in first)
    assert set(implementations) == {implementation.id for implementation in IMPLEMENTATIONS}
    assert all(implementations[mutant.implementation.id] == 1 for mutant in first[len(names) :])
    assert len(planned) == len({mutant.label for mutant in planned})


def made(implementation, name, **fields):
    return Mutant(Case(implementation, "gru"), name, [("return 0.5", "return 0.6")], **fields)


def test_a_short_run_leaves_out_no_mutant_and_no_implementation(monkeypatch):
    """Only one implementation has the rare mutant, so the others must take the common ones; one has none left."""
    implementations = IMPLEMENTATIONS[:4]
    offers = {implementation.id: [made(implementation, "common")] for implementation in implementations}
    offers[implementations[0].id] += [made(implementations[0], "rare"), made(implementations[0], "rarest")]
    monkeypatch.setattr(runner, "mutants", lambda implementation, workload: offers[implementation.id])
    planned = runner.plan(runner.choose(implementations, ["gru"], None))
    first = planned[: runner._covering(planned)]
    assert len(planned) == 6
    assert len(first) == 5
    assert {mutant.name for mutant in first} == {"common", "rare", "rarest"}
    assert {mutant.implementation.id for mutant in first} == {implementation.id for implementation in implementations}


def test_the_first_round_goes_where_certificates_are_quick(monkeypatch):
    slow, quick = IMPLEMENTATIONS[:2]
    monkeypatch.setattr(certify, "published_seconds", lambda: {(slow.id, "gru"): 90.0, (quick.id, "gru"): 10.0})
    monkeypatch.setattr(
        runner, "mutants", lambda implementation, workload: [made(implementation, f"error{i}") for i in range(10)]
    )
    planned = runner.plan(runner.choose([slow, quick], ["gru"], None))
    first = planned[: runner._covering(planned)]
    assert [mutant.implementation.id for mutant in first].count(slow.id) == 1
    assert {mutant.name for mutant in first} == {f"error{i}" for i in range(10)}


def test_what_only_a_gpu_can_judge_is_left_out(folder, monkeypatch):
    monkeypatch.setattr(runner, "required", lambda workload, variants: {})
    edits = 'edits = [["return 0.5", "return 0.6"]]'
    tables = f'[gru.here]\ndevice = "cpu"\n{edits}\n[gru.there]\ndevice = "gpu"\n{edits}\n'
    (folder / "mutants.toml").write_text(tables + REASONS)
    assert [mutant.name for mutant in runner.mutants(frameworks.implementations()["alpha"], "gru")] == ["here"]


def test_a_missing_mutant_is_named(folder):
    (folder / "mutants.toml").write_text('[gru.beta1]\nedits = [["return 0.5", "return 0.6"]]\n')
    with pytest.raises(UserError, match=r"alpha/mutants\.toml lacks the gru mutant other_epsilon"):
        runner.mutants(frameworks.implementations()["alpha"], "gru")


def test_what_is_missing_is_reported_for_all_workloads_at_once(folder):
    for workload in frameworks.WORKLOADS:
        (folder / f"{workload}.py").touch()
    with pytest.raises(UserError) as error:
        runner.choose([frameworks.implementations()["alpha"]], list(frameworks.WORKLOADS), None)
    introduction, *lines = str(error.value).split("\n  ")
    assert introduction == "required mutants are missing:"
    required = {workload: [*runner.required(workload), *runner.REQUIRED_OR_REASON] for workload in frameworks.WORKLOADS}
    assert lines == [
        f"alpha/mutants.toml lacks the {workload} mutant {', '.join(names)}." for workload, names in required.items()
    ]


FORM_OF = [
    (workload, mutant, form)
    for workload in workloads.names()
    for mutant, form in workloads.get(workload).form_of.items()
]


@pytest.mark.parametrize(("workload", "mutant", "form"), FORM_OF)
def test_a_mutant_that_is_the_frameworks_own_form_is_not_required(folder, workload, mutant, form):
    name, value = form
    assert mutant in runner.required(workload)
    assert value in oracle.model(workload).forms[name]
    toml, implementation = folder / "framework.toml", frameworks.implementations()["alpha"]
    with pytest.raises(UserError, match=mutant):
        runner.mutants(implementation, workload)
    toml.write_text(toml.read_text() + f'[{workload}.forms]\n{name} = "{value}"\n')
    with pytest.raises(UserError) as error:
        runner.mutants(frameworks.implementations()["alpha"], workload)
    assert mutant not in str(error.value)


def test_a_mutant_that_does_not_fit_is_named(folder):
    tables = "".join(f'[gru.{name}]\nedits = [["no such text", "x"]]\n' for name in runner.required("gru"))
    (folder / "mutants.toml").write_text(tables)
    with pytest.raises(UserError, match=r"gru\.beta1: 'no such text' occurs 0 times in gru\.py, not once"):
        runner.mutants(frameworks.implementations()["alpha"], "gru")


def test_what_cannot_be_written_is_no_mutant_and_a_required_one_must_be(folder):
    tables = "".join(f'[gru.{name}]\nedits = [["return 0.5", "return 0.6"]]\n' for name in runner.required("gru"))
    path, tables = folder / "mutants.toml", tables + REASONS
    path.write_text(tables + '[gru.beta3]\nunsupported = "There is no third moment."\n')
    implementation = frameworks.implementations()["alpha"]
    assert {mutant.name for mutant in runner.mutants(implementation, "gru")} == set(runner.required("gru"))
    path.write_text(tables.replace('beta1]\nedits = [["return 0.5", "return 0.6"]]', 'beta1]\nunsupported = "No."'))
    with pytest.raises(UserError, match="lacks the gru mutant beta1"):
        runner.mutants(implementation, "gru")


@pytest.mark.parametrize("name", runner.REQUIRED_OR_REASON)
def test_what_not_every_framework_can_write_needs_a_reason_there(folder, monkeypatch, name):
    monkeypatch.setattr(runner, "required", lambda workload, variants: {})
    path, implementation = folder / "mutants.toml", frameworks.implementations()["alpha"]
    path.write_text(REASONS)
    assert runner.mutants(implementation, "gru") == []
    path.write_text(REASONS.replace(f"[gru.{name}]", "[gru.other]"))
    with pytest.raises(UserError, match=f"lacks the gru mutant {name}"):
        runner.mutants(implementation, "gru")


def mutant(folder, edits, **fields):
    return Mutant(Case(frameworks.implementations()["alpha"], "gru"), "made", edits, **fields)


def test_a_mutant_that_is_caught_says_by_which_check(folder):
    caught, how = runner.test(mutant(folder, [("return 0.5", "return 0.6")]))
    assert caught
    assert how.startswith("caught: FAILED loss")


CRASHING = [("    model.update(weights)", "    raise RuntimeError('nothing was taken')")]


def test_a_mutant_that_crashes_is_not_caught(folder):
    caught, how = runner.test(mutant(folder, CRASHING))
    assert not caught
    assert how == "NOT CAUGHT, it does not run: RuntimeError: nothing was taken (gru.py, line 42)"


def test_what_is_caught_is_run_no_further(folder):
    slow = "    train.before = getattr(train, 'before', -1) + 1\n    time.sleep(60 * train.before)\n    return 0.5"
    start = time.monotonic()
    caught, how = runner.test(mutant(folder, [("    return 0.5", slow)]))
    assert caught
    assert how.startswith("caught: FAILED loss")
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("momentum", [("steps",), judge.JUDGED]),
        ("no_shuffle", [("start",), judge.JUDGED]),
    ],
)
def test_the_part_that_catches_is_asked_first_and_then_all_others(folder, monkeypatch, name, asked):
    seen = []

    def checks(tracer, parts, fail_fast):
        seen.append(parts)
        yield Check("weights", True)

    monkeypatch.setattr(judge, "checks", checks)
    made = msgspec.structs.replace(mutant(folder, [("return 0.5", "return 0.6")]), name=name)
    assert runner.test(made) == (False, "NOT CAUGHT")
    assert seen == asked


def test_what_says_which_part_catches_names_parts_and_mutants():
    assert set(runner.CAUGHT_BY) <= {mutant.name for mutant in runner.choose(IMPLEMENTATIONS, ["cnn", "gru"], None)}
    assert set(runner.CAUGHT_BY.values()) <= set(judge.JUDGED)


def test_two_at_once_are_of_two_environments(monkeypatch):
    """Some frameworks lock what they compile."""
    implementations = [
        IMPLEMENTATIONS[0],
        next(
            implementation
            for implementation in IMPLEMENTATIONS
            if implementation.environment_id != IMPLEMENTATIONS[0].environment_id
        ),
    ]
    planned = [made(implementation, f"error{i}") for implementation in implementations for i in range(3)]
    at_work, clashes = [], []

    def run_mutant(mutant):
        clashes.append(mutant.implementation.environment_id in at_work)
        at_work.append(mutant.implementation.environment_id)
        time.sleep(0.1)
        at_work.remove(mutant.implementation.environment_id)
        return True, "caught"

    monkeypatch.setattr(runner, "test", run_mutant)
    monkeypatch.setattr(machine, "cores", lambda: 2)
    assert len(list(runner._results(planned, lambda left: False))) == len(clashes) == 6
    assert sum(clashes) <= 1  # the last one may have no other to wait for


def test_time_is_over_once_all_that_is_due_has_begun(folder, monkeypatch):
    """The first of the queue may have to wait for its environment, and others go before it."""
    mutants = [
        made(IMPLEMENTATIONS[0], "common"),
        made(IMPLEMENTATIONS[1], "common"),
        made(IMPLEMENTATIONS[1], "rare"),
        made(IMPLEMENTATIONS[2], "common"),
    ]
    monkeypatch.setattr(
        runner,
        "mutants",
        lambda implementation, workload: [mutant for mutant in mutants if mutant.implementation is implementation],
    )
    monkeypatch.setattr(runner, "test", lambda mutant: (True, "caught"))
    monkeypatch.setattr(certify, "published_seconds", dict)
    lines = []
    assert runner.run(IMPLEMENTATIONS[:3], ["gru"], None, 0, lines.append) == 0
    assert {line.split()[1] for line in lines[:-1]} == {implementation.id for implementation in IMPLEMENTATIONS[:3]}
    assert any("rare" in line for line in lines)


@pytest.mark.parametrize(
    ("checks", "harmless", "verdict"),
    [
        ([Check("loss", True), Check("start", True)], True, "harmless: every check holds"),
        ([Check("loss", True), Check("start", False)], False, "NOT HARMLESS: FAILED start"),
    ],
)
def test_a_harmless_one_must_pass_every_check(folder, monkeypatch, checks, harmless, verdict):
    monkeypatch.setattr(judge, "checks", lambda tracer, parts, fail_fast: (check for check in checks))
    assert runner.test(mutant(folder, [("return 0.5", "return 0.6")], harmless=True)) == (harmless, verdict)


def test_a_harmless_one_that_crashes_is_not_judged(folder):
    assert runner.test(mutant(folder, CRASHING, harmless=True)) == (
        False,
        "NOT HARMLESS, it does not run: RuntimeError: nothing was taken (gru.py, line 42)",
    )


def test_a_crash_does_not_end_the_others_and_the_exit_code_tells(folder, monkeypatch):
    crashing = mutant(folder, CRASHING)
    good = Mutant(crashing.case, "good", [("return 0.5", "return 0.6")])
    monkeypatch.setattr(runner, "mutants", lambda implementation, workload: [crashing, good])
    lines = []
    assert runner.run([frameworks.implementations()["alpha"]], ["gru"], None, None, lines.append) == 1
    assert sum("does not run" in line for line in lines) == 1
    assert lines[-1] == "1 of 2 mutants judged as they should be, of 2 in all. Not so: alpha gru made"


def test_an_implementation_that_this_machine_cannot_run_is_left_out_and_reported(folder, monkeypatch):
    def refuse(implementation, device="cpu"):
        raise environment.Unsupported("Python 3.1 is missing.")

    monkeypatch.setattr(environment, "ensure", refuse)
    monkeypatch.setattr(runner, "mutants", lambda implementation, workload: [made(implementation, "common")])
    lines = []
    assert runner.run([frameworks.implementations()["alpha"]], ["gru"], None, None, lines.append) == 1
    assert lines == ["alpha: left out: Python 3.1 is missing.", "0 of 0 mutants judged as they should be, of 0 in all."]


def test_a_mistyped_name_fails_before_an_environment_is_made(folder, monkeypatch):
    monkeypatch.setattr(runner, "mutants", lambda implementation, workload: [made(implementation, "common")])
    monkeypatch.setattr(
        environment, "ensure", lambda implementation, device="cpu": pytest.fail("an environment was made")
    )
    with pytest.raises(UserError, match="There is no mutant 'comon': did you mean 'common'"):
        runner.run([frameworks.implementations()["alpha"]], ["gru"], "comon", None, print)
