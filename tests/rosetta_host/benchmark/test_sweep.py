"""A ranked sweep of two small examples: its turns, and what becomes of it when something stops or fails."""

import itertools
import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from rosetta_host.benchmark import conditions, paired_timing, ranking, sweep, sweep_plan
from rosetta_host.benchmark.conditions import Limits
from rosetta_host.benchmark.sweep import Sweep
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import ROOT, UserError
from rosetta_host.certificate import certify
from rosetta_host.environments import environment
from rosetta_host.environments.environment import Unsupported
from rosetta_host.records import machine, store
from rosetta_host.records.codes import Disturbance
from rosetta_host.records.store import of_kind

NO_LIMITS = Limits(other_work=math.inf, steal=math.inf, free_memory=0.0, frequency=0.0, matmul_rate=0.0)
SLEEP = "        time.sleep(0.001)\n"
RETURN = "    return 0.5\n"
BUILT = '    return {"fc.bias": np.zeros(2)}\n'


def hasten(replace):
    """Shorten all that a sweep waits for."""
    for module, name in ((paired_timing, "TURN"), (sweep_plan, "TURN"), (paired_timing, "SETTLE"), (sweep, "SETTLE")):
        replace(module, name, 0.0)
    replace(conditions, "QUIET", 0.01)
    replace(conditions, "MATMUL", {"size": 64, "trials": 1})


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    hasten(monkeypatch.setattr)


@pytest.fixture
def two(folder):
    """examples/alpha, the reference, and examples/beta, whose step takes longer."""
    toml = (folder / "framework.toml").read_text()
    other = folder.parent / "beta"
    other.mkdir()
    for path in folder.iterdir():
        (other / path.name).write_text(path.read_text())
    (other / "framework.toml").write_text(toml.replace("Alpha", "Beta"))
    (folder / "framework.toml").write_text(toml.replace('since = "2020"', 'since = "2020"\nshown_first = true'))
    edit(other, SLEEP, "        time.sleep(0.004)\n")
    return folder.parent


def edit(folder, old, new):
    path = folder / "gru.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def cases(*ids):
    return [case for implementation in frameworks.select(list(ids)) for case in implementation.cases(["gru"])]


def begin(tmp_path, *ids, lines=None, **options):
    options = {"turns": 2, "limits": NO_LIMITS, **options}
    report = (lines if lines is not None else []).append
    return Sweep(cases(*ids), machine.describe("test box"), "cpu", tmp_path / "records", report, **options)


def written(tmp_path):
    return sorted(of_kind(store.read_all([tmp_path / "records"]), store.TurnRecord), key=lambda turn: turn.order)


def test_a_sweep_visits_every_case_once_a_round_and_records_each_turn(two, tmp_path):
    starts = tmp_path / "starts"
    for name in ("alpha", "beta"):
        edit(two / name, BUILT, f"    open({str(starts)!r}, 'a').write('{name} ')\n{BUILT}")
    edit(two / "beta", BUILT, f"    time.sleep(0.3)\n{BUILT}")
    lines = []
    turns = begin(tmp_path, lines=lines).run()
    assert turns == written(tmp_path)
    assert [turn.status for turn in turns] == ["ok"] * 4, turns
    assert (
        {turn.implementation for turn in turns[:2]} == {turn.implementation for turn in turns[2:]} == {"alpha", "beta"}
    )
    assert [turn.order for turn in turns] == [1, 2, 3, 4]
    assert [turn.turn for turn in turns] == [1, 1, 2, 2]
    assert len({turn.sweep for turn in turns}) == 1
    for turn in turns:
        assert turn.reference == "alpha gru"
        assert len(turn.pairs) == sweep.PAIRS
        assert len(turn.conditions.matmul_rates) == 3
        assert turn.first_stretch > 0
        assert turn.stretch_steps == 20
        assert turn.steps == turn.epochs * 20
        assert turn.times.process > turn.times.build
        assert (turn.data.source, turn.seed, turn.disturbed) == ("embedded sample", 0, [])
        assert turn.variables["OMP_NUM_THREADS"]
    # One reference lives through the sweep; every turn has a process of its own.
    assert sorted(starts.read_text().split()) == ["alpha"] * 3 + ["beta"] * 2
    fast, slow = ranking.rank(turns)
    assert (fast.case.implementation, slow.case.implementation) == ("alpha", "beta")
    assert slow.ratio > 1.5
    assert slow.compile > 0.25
    assert lines[0].startswith(f"Ranked sweep {turns[0].sweep}: 2 cases in 2 turns each; 4 turns left, about ")
    assert lines[-1].startswith("[4/4] ")
    assert "× the reference" in lines[-1]


def test_the_reference_and_the_case_take_alternate_stretches(two, tmp_path):
    note = f"    open({str(tmp_path / 'log')!r}, 'a').write(NAME)\n{RETURN}"
    for name in ("alpha", "beta"):
        edit(two / name, RETURN, note.replace("NAME", repr(name[0])))
    begin(tmp_path, "beta", turns=1).run()
    # The reference compiles; the case compiles; both warm up; then two pairs, whose order reverses.
    assert (tmp_path / "log").read_text() == "a" + "b" + "ab" + "baab"


def test_each_round_has_an_order_of_its_own_drawn_from_the_name(two, tmp_path):
    for number in range(4):
        (two / f"gamma{number}").mkdir()
        for path in (two / "beta").iterdir():
            (two / f"gamma{number}" / path.name).write_text(path.read_text())

    def orders(name):
        plan = sweep_plan.Plan(name, cases(), 3, [], "cpu")
        done = []
        while case := plan.next_case():
            done.append(case.implementation.id)
            plan.add(turn_of(case, name, len(done)))
        return [tuple(done[start : start + 6]) for start in range(0, 18, 6)]

    first = orders("20261201T000000.000000Z")
    assert first == orders("20261201T000000.000000Z") != orders("20261201T000000.000001Z")
    assert len(set(first)) > 1
    assert all(len(set(order)) == 6 for order in first)


def turn_of(case, name, order=1, **fields):
    own = {"sweep": name, "turn": 1, "order": order, "reference": "alpha gru", "pairs": [(1.0, 1.0)], **fields}
    record = certify.blank(store.TurnRecord, case, machine.describe("test box"), "cpu", **own)
    record.status = "ok"
    return record


def test_a_sweep_that_is_done_is_not_repeated_unless_told(two, tmp_path):
    first = begin(tmp_path, "beta").run()
    lines = []
    assert begin(tmp_path, "beta", lines=lines).run() == first
    assert lines[-1] == "All of its turns are done; --again begins a new sweep."
    more = begin(tmp_path, "beta", turns=3).run()
    assert [turn.sweep for turn in more] == [first[0].sweep] * 3
    again = begin(tmp_path, "beta", turns=1, again=True).run()
    assert again[0].sweep > first[0].sweep
    assert len(written(tmp_path)) == 4


@pytest.mark.parametrize("change", ["code", "day", "machine", "device", "cases"])
def test_a_sweep_of_another_code_day_machine_or_choice_of_cases_is_not_continued(two, tmp_path, change):
    name = store.now()
    turns = [turn_of(case, name) for case in cases()]
    resume = [turns, cases(), machine.describe("test box"), "cpu"]
    assert sweep_plan.resumable(*resume) == name
    if change == "code":
        edit(two / "beta", RETURN, "    return 0.25\n")
    if change == "day":
        resume[0] = [turn_of(case, "20261101T000000.000000Z") for case in cases()]
    if change == "machine":
        resume[2] = machine.describe("another box")
    if change == "device":
        resume[3] = "gpu"
    if change == "cases":
        resume[1] = cases("alpha")
    assert sweep_plan.resumable(*resume) is None


DRIVER = """
    import signal, sys
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell has its background jobs ignore
    sys.path.insert(0, {root!r})
    from pathlib import Path
    from rosetta_host.catalog import frameworks
    from rosetta_host.environments import environment
    from tests.rosetta_host.benchmark import test_sweep as tests
    frameworks.EXAMPLES = Path({examples!r})
    environment.ensure = lambda implementation, device="cpu": Path(sys.executable)
    tests.hasten(setattr)
    try:
        tests.begin(Path({tmp_path!r}), turns=3).run()
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_sweep_that_was_stopped_continues_and_repeats_nothing(two, tmp_path, number):
    code = textwrap.dedent(DRIVER).format(root=str(ROOT), examples=str(two), tmp_path=str(tmp_path))
    # What is killed removes no temporary folder.
    host = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)})
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "records").rglob("*.json"))) < 2:
        assert host.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = psutil.Process(host.pid).children(recursive=True)
    assert children
    os.kill(host.pid, number)
    host.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    before = written(tmp_path)
    assert 2 <= len(before) < 6
    turns = begin(tmp_path, turns=3).run()
    assert turns[: len(before)] == before
    assert [turn.order for turn in turns] == list(range(1, 7))
    assert len({turn.sweep for turn in turns}) == 1
    assert sorted((turn.implementation, turn.turn) for turn in turns) == sorted(
        itertools.product(["alpha", "beta"], [1, 2, 3])
    )


def test_a_disturbed_turn_is_marked_and_repeated_in_a_later_round(two, tmp_path, monkeypatch):
    verdicts = iter([[Disturbance.STEAL], [], [], []])
    monkeypatch.setattr(sweep, "exceeded", lambda *_: next(verdicts, []))
    lines = []
    turns = begin(tmp_path, lines=lines).run()
    disturbed = turns[0]
    assert [turn.disturbed for turn in turns] == [[Disturbance.STEAL], [], [], [], []]
    assert [turn.implementation for turn in turns].count(disturbed.implementation) == 3
    assert turns[1].implementation != disturbed.implementation  # not at once: a disturbance lasts
    assert "disturbed: the hypervisor gives" in lines[1]
    assert {ranked.turns for ranked in ranking.rank(turns)} == {2}
    assert turns == written(tmp_path)


def test_on_a_machine_that_stays_disturbed_a_sweep_ends(two, tmp_path):
    lines = []
    restless = Limits(**{**{name: getattr(NO_LIMITS, name) for name in Limits.__struct_fields__}, "matmul_rate": 100.0})
    turns = begin(tmp_path, "beta", lines=lines, limits=restless).run()
    assert [list(turn.disturbed) for turn in turns] == [[Disturbance.MATMUL_RATE]] * 4
    assert "It is left out of later rounds." in lines[-1]
    assert [ranked.status for ranked in ranking.rank(turns)] == ["disturbed"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (RETURN, "    raise RuntimeError('it burst')\n", "RuntimeError: it burst (gru.py, line "),
        (RETURN, "    return float('nan')\n", "The training loss is not finite."),
        (RETURN, "    os._exit(0)\n", "This process ended before the turn was over."),
        ("import time\n", "import time\nimport no_such_module\n", "ModuleNotFoundError: No module named"),
    ],
)
def test_a_case_that_fails_three_times_is_left_out_and_the_others_go_on(two, tmp_path, old, new, reason):
    edit(two / "beta", old, new)
    lines = []
    turns = begin(tmp_path, lines=lines, turns=5).run()
    failed = [turn for turn in turns if turn.implementation == "beta"]
    assert [turn.status for turn in failed] == ["failed"] * 3
    assert all(turn.reason.startswith(reason) for turn in failed), failed[0].reason
    assert sum(turn.status == "ok" for turn in turns if turn.implementation == "alpha") == 5
    assert sum("It is left out of later rounds." in line for line in lines) == 1
    last = ranking.rank(turns)[-1]
    assert (last.case.implementation, last.status) == ("beta", "failed")
    assert last.reason.startswith(reason)


def test_a_case_that_cannot_run_here_is_recorded_once(two, tmp_path, monkeypatch):
    def ensure(implementation, device="cpu"):
        if implementation.id == "beta":
            raise Unsupported("Python 3.1 is missing on this machine.")
        return Path(sys.executable)

    monkeypatch.setattr(environment, "ensure", ensure)
    turns = begin(tmp_path).run()
    assert [turn.status for turn in turns if turn.implementation == "beta"] == ["unsupported"]
    assert [turn.status for turn in turns if turn.implementation == "alpha"] == ["ok"] * 2


def test_a_reference_that_dies_is_started_anew_and_its_turn_repeated(two, tmp_path):
    mark = tmp_path / "mark"
    mark.touch()
    dying = f"    if len(calls := model.setdefault('calls', [])) == 3 and os.path.exists({str(mark)!r}):\n"
    dying += f"        os.remove({str(mark)!r})\n        os._exit(3)\n    calls.append(1)\n"
    edit(two / "alpha", RETURN, dying + RETURN)
    lines = []
    turns = begin(tmp_path, "beta", lines=lines).run()
    assert [turn.status for turn in turns] == ["failed", "ok", "ok"]
    assert turns[0].reason == "The reference process ended before the turn was over."
    assert any("The reference process of gru has ended: " in line and "started anew" in line for line in lines)


def test_without_a_reference_nothing_is_ranked(two, tmp_path):
    edit(two / "alpha", RETURN, "    raise RuntimeError('it burst')\n")
    with pytest.raises(UserError, match=r"The reference alpha gru does not run.*it burst"):
        begin(tmp_path, "beta").run()
    assert written(tmp_path) == []
    (two / "alpha" / "framework.toml").write_text((two / "beta" / "framework.toml").read_text())
    with pytest.raises(UserError, match="No framework with an example gru is declared `shown_first`"):
        begin(tmp_path, "beta").run()


def test_a_machine_that_is_not_idle_stops_the_sweep_and_keeps_its_turns(two, tmp_path, monkeypatch):
    calls = iter([None, UserError("A ranked sweep needs the machine to itself.")])

    def wait(limits, report):
        if error := next(calls, None):
            raise error

    monkeypatch.setattr(sweep, "wait_until_idle", wait)
    with pytest.raises(UserError, match="needs the machine to itself"):
        begin(tmp_path, "beta").run()
    assert len(written(tmp_path)) == 1
    assert len(begin(tmp_path, "beta").run()) == 2


def test_the_limit_of_time_leaves_turns_for_the_next_call(two, tmp_path):
    lines = []
    assert begin(tmp_path, "beta", lines=lines, hours=0.0001).run() == []
    assert lines[-1] == (
        "The limit of 0.0001 hours is reached with 2 turns left. The same command continues with them."
    )


def test_single_steps_are_recorded_where_they_are_counted(two, tmp_path, monkeypatch):
    facts = sweep.certify.facts

    def with_steps(*arguments):
        return {**facts(*arguments), "step_seconds": [0.01] * 90 + [0.03] * 10}

    monkeypatch.setattr(sweep.certify, "facts", with_steps)
    [turn] = begin(tmp_path, "beta", turns=1).run()
    assert (turn.steps_p50, turn.steps_p95) == (0.01, 0.03)


def test_the_batches_and_the_seconds_of_a_case_come_from_its_records(two, monkeypatch):
    monkeypatch.setattr(sweep_plan, "TURN", 0.75)
    [case] = cases("beta")
    benchmark = store.BenchmarkRecord(
        schema=3,
        status="ok",
        framework="beta",
        workload="gru",
        created="20261201T000000.000000Z",
        machine=store.Machine("test-box", "test box"),
        device="cpu",
        preset="epoch",
        train_rate=640.0,
        times=store.Times(build=30.0, first_step=4.0),
    )
    plan = sweep_plan.Plan("20261201T000000.000000Z", [case], 2, [benchmark], "cpu")
    assert plan.batches(case) == 8  # 0.75 seconds of 640 samples a second, in batches of 64
    assert plan.seconds(case) > 34
    tuned = frameworks.Case(case.implementation, "gru", "train_tuned")
    assert plan.batches(tuned) == 8  # as its `train`
    [another] = cases("alpha")
    assert plan.batches(another) == 8  # as the median of its workload
    benchmark.train_rate = 1.0
    assert plan.batches(case) == sweep_plan.FEWEST_BATCHES
    benchmark.train_rate = 1e6
    assert plan.batches(case) == 20
    plan.add(turn_of(case, plan.name, stretch_steps=5))
    plan.done[-1].times = store.Times(process=7.0)
    assert plan.batches(case) == 5
    assert plan.seconds(case) == 7.0
    assert plan.seconds_left() == 7.0
