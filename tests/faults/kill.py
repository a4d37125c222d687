"""Kills a runner, its child, or both by SIGKILL at random moments, and looks at what is left after each.

`python kill.py MOMENTS SEED FOLDER` prints what it did and what was wrong as JSON. A runner is a fork of this process,
which has imported everything once: a moment takes a fraction of a second.
"""

import collections
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from rosetta_host.catalog.frameworks import UserError
from rosetta_host.environments import guard, process
from rosetta_host.records import store

MARK = "ROSETTA_KILLED"  # the variable by which all that a runner starts is known, wherever it goes
LATEST = 0.2  # seconds from the start of a runner to the last moment of a kill
PATIENCE = 20.0  # seconds until an orphan counts as one
VICTIMS = ("child", "runner", "both")
# A child with a child of its own in its group, and one that has left its parent and its session.
CHILD = "sleep 300 & (setsid sleep 300 &); sleep 0.02"


def run(folder, mark, acknowledged):
    """A runner: a child, its record, and the next, until it is killed."""
    process.POLL = 0.005
    while True:
        ended = process.run(["/bin/sh", "-c", CHILD], {**os.environ, MARK: mark}, 60.0, events=False)
        record = store.BenchmarkRecord(
            schema=store.SCHEMA,
            status=ended.status,
            reason=ended.reason,
            framework="stub",
            workload="stub",
            created=store.now(),
            machine=store.Machine("box", "Box"),
            device="cpu",
            preset="quick",
        )
        os.write(acknowledged, f"{store.write(record, folder)}\n".encode())


def started(folder, mark):
    """Start a runner; its process, and the descriptor on which it names each record that it has written."""
    read, write = os.pipe()
    runner = os.fork()
    if not runner:
        os.close(read)
        try:
            run(folder, mark, write)
        finally:
            os._exit(1)
    os.close(write)
    return runner, read


def children(runner):
    """The child that a runner has just now, below its guard, if any."""
    parents = guard.parents()
    guards = {number for number, parent in parents.items() if parent == runner}
    return [number for number, parent in parents.items() if parent in guards]


def marked(mark):
    """The processes that a runner has left, wherever they are."""
    wanted = f"{MARK}={mark}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in path.read_bytes().split(b"\0"):
                yield int(path.parent.name)
        except OSError:
            continue


def kill(numbers):
    killed = 0
    for number in numbers:
        try:
            os.kill(number, signal.SIGKILL)
            killed += 1
        except ProcessLookupError:
            continue
    return killed


def wrong(folder, mark, acknowledged, before):
    """What is not as it must be after a kill, as sentences. before: the records so far, which this adds to."""
    deadline = time.monotonic() + PATIENCE
    while (left := [*marked(mark)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    yield from (f"process {number} outlived its runner" for number in left)
    kill(left)
    now = {str(path): path.read_bytes() for path in store.paths([folder])}
    yield from (f"{path} was written and is not there" for path in acknowledged if path not in now)
    yield from (f"{path} was changed or lost" for path, content in before.items() if now.get(path) != content)
    for path in now.keys() - before.keys():
        try:
            store.read(Path(path))
        except UserError as error:
            yield str(error)
    before.update(now)


def moment(number, seed, folder, before, counts):
    """One runner and one kill; yields what is wrong then."""
    draw, mark = random.Random(f"{seed} {number}"), f"{os.getpid()}-{number}"
    victim = VICTIMS[number % len(VICTIMS)]
    runner, read = started(folder, mark)
    time.sleep(draw.uniform(0, LATEST))
    if victim != "runner":
        counts[f"{victim} caught alive"] += kill(children(runner)) > 0
    if victim == "child":  # the runner has to go on from there
        time.sleep(LATEST)
        if os.waitpid(runner, os.WNOHANG)[0]:
            yield "the runner ended with its child"
            return
    os.kill(runner, signal.SIGKILL)
    os.waitpid(runner, 0)
    with os.fdopen(read) as lines:
        acknowledged = lines.read().splitlines()
    counts[victim] += 1
    yield from wrong(folder, mark, acknowledged, before)


def main(moments, seed, folder):
    before, counts, problems = {}, collections.Counter(), []
    for number in range(moments):
        problems += [f"moment {number}: {problem}" for problem in moment(number, seed, folder, before, counts)]
    counts["cut short"] = len([*folder.rglob("*.part")])
    counts.update(store.read(Path(path)).status for path in before)
    print(json.dumps({"problems": problems, "records": len(before), "counts": counts}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
