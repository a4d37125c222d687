"""The session's planner, on a pretended clock: what is started when, stopped when, and left."""

from __future__ import annotations

import dataclasses

import pytest

from tools.gpu_session.planner import CLOSING, GRACE, PATIENCE, POLL, Given, Session, Task, order

DAY = 24 * 3600.0


class PretendedClock:
    def __init__(self):
        self.time = 0.0

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds
        assert self.time < DAY, "the session does not end"


@dataclasses.dataclass
class Pretended:
    """A task that ends by itself after so many seconds; None: never, and it ignores `stop` where it is `deaf`."""

    clock: PretendedClock
    until: float | None
    deaf: bool = False
    killed: float | None = None
    stopped: float | None = None

    def poll(self):
        if self.killed is not None or (self.stopped is not None and not self.deaf):
            return True
        return self.until is not None and self.clock.now() >= self.until

    def stop(self):
        self.stopped = self.clock.now()

    def kill(self):
        self.killed = self.killed if self.killed is not None else self.clock.now()


class Rehearsal:
    """A session of pretended tasks. durations: key -> seconds that it really takes, its estimate by default."""

    def __init__(self, tasks, folder, minutes=12.0, slots=1, durations=None, statuses=None, deaf=()):
        self.clock, self.records = PretendedClock(), {}
        self.outcomes, self.durations, self.deaf = statuses or {}, durations or {}, deaf
        self.started, self.running, self.archived, self.lines = [], {}, [], []
        self.tasks, self.slots, self.deadline = tasks, slots, 60 * minutes
        self.given = Given(folder / "given.json")

    def start(self, task):
        seconds = self.durations.get(task.key, task.seconds)
        self.started.append((self.clock.now(), task.key))
        until = None if seconds is None else self.clock.now() + seconds
        self.running[task.key] = Pretended(self.clock, until, task.key in self.deaf)
        return self.running[task.key]

    def statuses(self):
        for key, running in self.running.items():
            if running.until is not None and running.poll() and running.stopped is None:
                self.records[key] = self.outcomes.get(key, "ok")
        return self.records

    def run(self):
        arguments = (self.tasks, self.statuses, self.start, lambda: self.archived.append(len(self.records)))
        Session(*arguments, self.clock, self.deadline, self.slots, self.given, self.lines.append).run()
        return [key for _, key in self.started]


def test_the_order_is_by_value_per_second_of_the_machine():
    tasks = [Task("slow", 10, 100), Task("quick", 10, 10), Task("dear", 900, 100), Task("shared", 10, 100, shares=True)]
    assert [task.key for task in order(tasks, 16)] == ["dear", "quick", "slow", "shared"]
    others = [Task(f"shared {number}", 10, 100, shares=True) for number in range(20)]
    assert order([*tasks, *others], 16)[1].key == "shared"  # a sixteenth of the machine for 100 s


def test_the_session_ends_before_its_deadline_whatever_its_tasks_do(tmp_path):
    tasks = [Task(f"task {number}", 100 - number, 60) for number in range(30)]
    durations = {f"task {number}": None for number in range(0, 30, 3)}  # a third of them hangs
    rehearsal = Rehearsal(tasks, tmp_path, minutes=12, durations=durations, deaf=durations)
    rehearsal.run()
    assert rehearsal.deadline - CLOSING - 60 <= rehearsal.clock.now() <= rehearsal.deadline
    assert all(running.poll() for running in rehearsal.running.values())
    assert len(rehearsal.started) < len(tasks)


def test_no_task_is_started_that_cannot_end_in_time(tmp_path):
    fits, exceeds = 60 - GRACE - CLOSING, 60 - GRACE - CLOSING + 1
    assert Rehearsal([Task("one", 1, fits)], tmp_path, minutes=1).run() == ["one"]
    late = Rehearsal([Task("one", 1, exceeds)], tmp_path, minutes=1)
    assert late.run() == []
    assert late.lines == [f"one: left for the next session, for it takes about {exceeds:.0f} s."]
    both = Rehearsal([Task("long", 100, exceeds), Task("short", 1, 5)], tmp_path, minutes=1)
    assert both.run() == ["short"]


def test_a_task_that_hangs_is_stopped_at_its_limit_and_killed_after_its_grace(tmp_path):
    rehearsal = Rehearsal([Task("hangs", 9, 20), Task("next", 1, 20)], tmp_path, durations={"hangs": None})
    rehearsal.deaf = {"hangs"}
    assert rehearsal.run() == ["hangs", "next"]
    hangs = rehearsal.running["hangs"]
    assert hangs.stopped == pytest.approx(PATIENCE * 20, abs=2 * POLL)
    assert hangs.killed == pytest.approx(PATIENCE * 20 + GRACE, abs=3 * POLL)
    assert rehearsal.given.seconds == {"hangs": pytest.approx(60, abs=1)}


def test_a_task_that_is_late_goes_on_where_no_other_would_end_in_time(tmp_path):
    tasks = [Task("late", 9, 20), Task("long", 1, 400)]
    rehearsal = Rehearsal(tasks, tmp_path, minutes=5, durations={"late": 200})
    assert rehearsal.run() == ["late"]
    assert rehearsal.running["late"].stopped is None
    assert rehearsal.records == {"late": "ok"}


def test_the_next_session_expects_more_of_what_was_stopped_and_begins_with_others(tmp_path):
    tasks = [Task("hangs", 9, 20), Task("next", 1, 20)]
    Rehearsal(tasks, tmp_path, durations={"hangs": None}).run()
    again = Rehearsal(tasks, tmp_path, durations={"hangs": None}, minutes=1)
    assert again.run() == ["next"]  # twice the 60 s that it had do not fit in a minute
    assert "hangs: left for the next session, for it takes about 120 s." in again.lines


def test_what_times_something_runs_alone_and_the_rest_side_by_side(tmp_path):
    tasks = [Task(f"shared {number}", 50, 10, shares=True) for number in range(4)] + [Task("timed", 1, 10)]
    rehearsal = Rehearsal(tasks, tmp_path, slots=3)
    rehearsal.run()
    times = {key: time for time, key in rehearsal.started}
    assert [times[f"shared {number}"] for number in range(3)] == [0, 0, 0]
    assert times["shared 3"] == pytest.approx(10, abs=POLL)
    assert times["timed"] == pytest.approx(20, abs=2 * POLL)


def test_while_a_timed_task_waits_only_what_does_not_delay_it_begins(tmp_path):
    tasks = [
        Task("long", 900, 30, shares=True),
        Task("short", 900, 10, shares=True),
        Task("timed", 100, 10),
        Task("ends before", 1, 15, shares=True),
        Task("ends after", 1, 25, shares=True),
    ]
    rehearsal = Rehearsal(tasks, tmp_path, slots=2)
    rehearsal.run()
    times = {key: time for time, key in rehearsal.started}
    assert times == {"long": 0, "short": 0} | {
        "ends before": pytest.approx(10, abs=POLL),
        "timed": pytest.approx(30, abs=2 * POLL),
        "ends after": pytest.approx(40, abs=3 * POLL),
    }


def test_a_task_waits_for_the_one_that_it_needs_and_is_left_where_that_fails(tmp_path):
    tasks = [
        Task("certificate a", 1, 10, shares=True),
        Task("run a", 100, 10, needs="certificate a"),
        Task("certificate b", 1, 10, shares=True),
        Task("run b", 100, 10, needs="certificate b"),
    ]
    rehearsal = Rehearsal(tasks, tmp_path, statuses={"certificate b": "failed"})
    assert rehearsal.run() == ["certificate a", "run a", "certificate b"]
    assert rehearsal.lines[-1] == "run b: left for the next session, for certificate b has not succeeded."


def test_what_has_a_record_is_not_run_again_whatever_its_status(tmp_path):
    rehearsal = Rehearsal([Task("a", 1, 10), Task("b", 1, 10)], tmp_path)
    rehearsal.records = {"a": "failed"}
    assert rehearsal.run() == ["b"]


def test_records_are_archived_at_the_start_and_after_each_task(tmp_path):
    rehearsal = Rehearsal([Task("a", 2, 10), Task("b", 1, 10)], tmp_path)
    rehearsal.run()
    assert rehearsal.archived == [0, 1, 2, 2]


def test_ctrl_c_leaves_no_task_running_and_keeps_the_records(tmp_path):
    rehearsal = Rehearsal([Task("a", 2, 10), Task("b", 1, 10)], tmp_path)
    sleep = rehearsal.clock.sleep

    def interrupted(seconds):
        if rehearsal.clock.now() > 15:
            raise KeyboardInterrupt
        sleep(seconds)

    rehearsal.clock.sleep = interrupted
    with pytest.raises(KeyboardInterrupt):
        rehearsal.run()
    assert rehearsal.running["b"].killed is not None
    assert rehearsal.archived[-1] == 1
