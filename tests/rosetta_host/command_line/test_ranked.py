"""`benchmark --ranked` as a user meets it."""

import functools
import math

import pytest

from rosetta_host import __main__ as cli
from rosetta_host.benchmark import conditions, paired_timing, sweep, sweep_plan
from rosetta_host.benchmark.conditions import Limits
from rosetta_host.benchmark.ranking import rank
from rosetta_host.command_line import ranked
from rosetta_host.records.codes import Disturbance
from rosetta_host.records.store import Machine, Times, TurnRecord

NO_LIMITS = Limits(other_work=math.inf, steal=math.inf, free_memory=0.0, frequency=0.0, matmul_rate=0.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for module, name in ((paired_timing, "TURN"), (sweep_plan, "TURN"), (paired_timing, "SETTLE"), (sweep, "SETTLE")):
        monkeypatch.setattr(module, name, 0.0)
    monkeypatch.setattr(conditions, "QUIET", 0.01)
    monkeypatch.setattr(conditions, "MATMUL", {"size": 64, "trials": 1})
    monkeypatch.setattr(ranked, "Sweep", functools.partial(sweep.Sweep, limits=NO_LIMITS))


def test_a_sweep_from_the_command_line(folder, tmp_path, capsys):
    toml = folder / "framework.toml"
    toml.write_text(toml.read_text().replace('since = "2020"', 'since = "2020"\nshown_first = true'))
    command = ["benchmark", "--ranked", "--workload", "gru", "--records", str(tmp_path / "records"), "--left", "none"]
    assert cli.main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1 cases in 5 turns each; 5 turns left, about " in lines[0]
    assert [line.split()[0] for line in lines[1:6]] == [f"[{number}/5]" for number in range(1, 6)]
    assert lines[5].endswith("· 0:00:00 left")
    [figures] = [line for line in lines[6:] if "alpha" in line]
    assert " a " in figures
    assert len(list((tmp_path / "records").rglob("*.json"))) == 5
    assert cli.main(command) == 0
    out = capsys.readouterr().out
    assert "5 turns are done; 0 turns left" in out
    assert "All of its turns are done" in out
    assert figures in out
    assert len(list((tmp_path / "records").rglob("*.json"))) == 5


@pytest.mark.parametrize(
    ("options", "expected"), [([], {None, "train_tuned"}), (["--all-variants"], {None, "train_tuned", "train_eager"})]
)
def test_variants_are_ranked_on_demand(folder, tmp_path, monkeypatch, options, expected):
    toml, example = folder / "framework.toml", folder / "gru.py"
    toml.write_text(toml.read_text().replace('since = "2020"', 'since = "2020"\nshown_first = true'))
    variants = [f"def {name}(*arguments):\n    return train(*arguments)\n" for name in ("train_eager", "train_tuned")]
    steps, main = example.read_text().split("if __name__")
    example.write_text("\n\n".join([steps.rstrip() + "\n", *variants, f"if __name__{main}"]))
    swept = []
    monkeypatch.setattr(ranked, "Sweep", lambda cases, *_, **__: swept.extend(cases) or Empty())
    assert cli.main(["benchmark", "--ranked", *options, "--workload", "gru", "--records", str(tmp_path)]) == 0
    assert {case.variant for case in swept} == expected


class Empty:
    def run(self):
        return []


def test_no_example_of_the_workload_is_said(folder, tmp_path, capsys):
    assert cli.main(["benchmark", "--ranked", "--workload", "cnn", "--records", str(tmp_path)]) == 2
    assert capsys.readouterr().out.startswith("error: There is nothing to rank")


def turn(implementation, order, **fields):
    fields = {"status": "ok", "pairs": [(0.01, 0.02)] * 4, "turn": order, "order": order, **fields}
    return TurnRecord(
        schema=3,
        framework=implementation,
        workload="gru",
        created="20261201T000000.000000Z",
        machine=Machine(id="b", name="b"),
        device="cpu",
        sweep="20261201T000000.000000Z",
        reference="alpha gru",
        first_stretch=1.0,
        stretch_steps=10,
        times=Times(build=0.5),
        **fields,
    )


def test_a_table_shows_what_failed_and_what_was_disturbed(capsys):
    good = [turn("alpha", order) for order in (1, 2)]
    failed = [turn("beta", 3, status="failed", reason="It burst.", pairs=[])]
    disturbed = [turn("gamma", 4, disturbed=[Disturbance.STEAL])]
    ranked.show(rank([*good, *failed, *disturbed]))
    lines = capsys.readouterr().out.splitlines()
    [alpha] = [line for line in lines if "alpha" in line]
    assert "2.000" in alpha
    assert "1.3" in alpha  # seconds to build and for the first stretch, less ten steps of 20 ms
    assert any("beta" in line and "failed" in line for line in lines)
    assert any("gamma" in line and "disturbed" in line and " 1 " in line for line in lines)
    assert "beta: It burst." in lines
