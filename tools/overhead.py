"""What the runner and the shuffle cost beside an example's bare loop, interleaved in one process.

Run in the environment of the example's framework: `nox -s overhead -- pytorch`.
"""

import argparse
import json
import os
import time
from statistics import median

from rosetta_common import data, params
from rosetta_common.run import Clock, Progress, load_example, workload_of


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("example", help="examples/<framework>/cnn.py or gru.py")
    parser.add_argument("--samples", type=int, default=256, help="training samples a round (default: 256)")
    parser.add_argument("--rounds", type=int, default=100, help="rounds of each kind (default: 100)")
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
    seconds = {kind: [] for kind in (bare, through_the_runner)}
    for number in range(options.rounds):
        # Turn about: what comes second in a pair finds other caches and clocks than what comes first.
        for kind in list(seconds)[:: -1 if number % 2 else 1]:
            seconds[kind].append(timed(kind))
    loop = median(seconds[bare])
    ratios = sorted(run / loop for loop, run in zip(seconds[bare], seconds[through_the_runner]))
    # The ranks between which the true median lies with 95 % (normal approximation of the sign test).
    around = int(0.98 * len(ratios) ** 0.5)
    low, high = ratios[len(ratios) // 2 - around], ratios[len(ratios) // 2 + around]
    own = timed(lambda: [progress(batch_size) for _ in range(10000)]) / 10000
    steps = options.samples // batch_size
    print(f"runner / bare loop:  {median(ratios):.4f} (95 %: {low:.4f} to {high:.4f}, {len(ratios)} pairs)")
    print(f"runner's own work:   {own * 1e6:.1f} µs a step, {own * steps / loop:.6f} of the loop")
    print(f"shuffle / bare loop: {median([timed(shuffle_alone) for _ in range(20)]) / loop:.4f}")
    print(f"bare loop:           {options.samples / loop:.0f} samples/s")


if __name__ == "__main__":
    main()
