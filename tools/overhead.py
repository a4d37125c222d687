"""What the runner and the shuffle cost beside an example's bare loop, interleaved in one process.

Run in the environment of the example's framework: `nox -s overhead -- pytorch`.
"""

import argparse
import json
import os
import time

from rosetta_common import data, params
from rosetta_common.run import Clock, Progress, load_example, workload_of


def median(values):
    return sorted(values)[len(values) // 2]


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("example", help="examples/<framework>/cnn.py or gru.py")
    parser.add_argument("--samples", type=int, default=640, help="training samples a round (default: 640)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each kind (default: 15)")
    return parser.parse_args()


def emitter(stream):
    """Writes events as the runner does, flushed one by one."""

    def emit(event, **fields):
        print(json.dumps(dict(fields, event=event)), file=stream, flush=True)

    return emit


def main():
    with open(os.devnull, "w") as stream:
        measure(parse(), emitter(stream))


def measure(options, emit):
    example = load_example(options.example)
    x, _, y, _ = example.load_data()
    x, y = x[: options.samples], y[: options.samples]
    model = example.init_model(example.create_symbol())
    clock, progress = Clock(), Progress(emit)
    batch_size = getattr(params, workload_of(options.example)).batch_size

    def bare():
        example.train(model, x, y)

    def through_the_runner():
        data.on_batch = progress
        clock("epoch", example.train, model, x, y)
        data.on_batch = None

    def shuffle_alone():
        for _ in data.minibatches(x, y, batch_size):
            pass

    bare()  # compiles whatever the framework compiles
    seconds = {kind: [] for kind in (bare, through_the_runner, shuffle_alone)}
    for _ in range(options.rounds):
        for kind in seconds:
            start = time.perf_counter()
            kind()
            seconds[kind].append(time.perf_counter() - start)
    pairs = list(zip(seconds[bare], seconds[through_the_runner], seconds[shuffle_alone]))
    print(f"runner / bare loop:  {median([run / loop for loop, run, _ in pairs]):.4f} (median of {len(pairs)} pairs)")
    print(f"shuffle / bare loop: {median([part / loop for loop, _, part in pairs]):.4f}")
    print(f"bare loop: {options.samples / median(seconds[bare]):.0f} samples/s")


if __name__ == "__main__":
    main()
