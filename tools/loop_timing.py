"""Times an example's training in its framework's environment: the bare loop, the same through the runner, the data.

They take turns in one process, so that other load of the machine affects all alike. The host's command `speed` runs it.
"""

import argparse
import json
import os
import time

from rosetta_common import data
from rosetta_common.run import Clock, Progress, load_example, settings_of, workload_of

BATCHES = 4  # of a round
MOST_ROUNDS, FEWEST_ROUNDS, SECONDS = 100, 5, 20.0  # after so many seconds, no round begins but the fewest
CALLS = 10000  # of the runner's own work, which is a few microseconds


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def emitter(stream):
    """Writes events as the runner does, flushed one by one."""

    def emit(event, **fields):
        print(json.dumps(dict(fields, event=event)), file=stream, flush=True)

    return emit


def measure(path, emit):
    """Seconds per step as a dict: lists of rounds "bare", "runner" and "loading", and the runner's "own" work.

    "loading" is empty if the example takes its mini-batches from the framework itself.
    """
    example = load_example(path)
    batch_size = settings_of(workload_of(path)).batch_size
    x, _, y, _ = example.load_data()
    x, y = x[: BATCHES * batch_size], y[: BATCHES * batch_size]
    model = example.init_model(example.create_symbol())
    clock, progress = Clock(), Progress(emit)

    def bare():
        example.train(model, x, y)

    def runner():
        data.on_batch = progress
        progress.begin_epoch()
        clock("epoch", example.train, model, x, y)
        data.on_batch = None

    def loading():
        for _ in data.minibatches(x, y, batch_size):
            pass

    runner()  # compiles what the framework compiles, and shows whether the batches are counted
    bare()
    kinds = [bare, runner] + ([loading] if progress.steps else [])
    seconds = {kind.__name__: [] for kind in (bare, runner, loading)}
    start = time.perf_counter()
    for number in range(MOST_ROUNDS):
        if number >= FEWEST_ROUNDS and time.perf_counter() - start > SECONDS:
            break
        # The order reverses: what runs second in a round finds other caches and clock rates than what runs first.
        for kind in kinds[:: -1 if number % 2 else 1]:
            seconds[kind.__name__].append(timed(kind) / BATCHES)
    own = timed(lambda: [progress(batch_size) for _ in range(CALLS)]) / CALLS
    return dict(seconds, own=own)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("example", help="examples/<framework>/<workload>.py")
    parser.add_argument("result", help="the JSON file to write")
    options = parser.parse_args()
    with open(os.devnull, "w") as stream:
        result = measure(options.example, emitter(stream))
    with open(options.result, "w") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main()
