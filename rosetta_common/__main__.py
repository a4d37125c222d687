"""python -m rosetta_common run|trace|ask FILE …, inside the environment of the example's framework."""

import argparse
import json
import os
import sys
import time

from rosetta_common.ask import ask
from rosetta_common.data import DataError
from rosetta_common.run import ExampleError, run
from rosetta_common.trace import trace


def parse(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m rosetta_common", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="run|trace|ask")
    commands.required = True
    running = commands.add_parser("run", help="train, predict and evaluate one example, timed")
    running.add_argument("--epochs", type=int, default=1, help="epochs to train for (default: 1)")
    running.add_argument("--seed", type=int, default=0, help="seed of weights, dropout and shuffling (default: 0)")
    running.add_argument("--verb", default="train", help="the function that trains (default: train)")
    running.add_argument("--samples", type=int, help="train on the first N samples only and predict nothing")
    running.add_argument("--turns", action="store_true", help="an epoch for each line on standard input, until it ends")
    tracing = commands.add_parser("trace", help="run the host's program FOLDER/program.json for a certificate")
    asking = commands.add_parser("ask", help="put the host's questions in FOLDER/questions.json to a defaults.py")
    for command in (running, tracing, asking):
        name = "defaults.py" if command is asking else "<workload>.py"
        command.add_argument("example", metavar="FILE", help="examples/<framework>/" + name)
        command.add_argument("--folder", required=True, help="an existing folder for what comes out")
        command.add_argument("--events", type=int, help="file descriptor for progress, one JSON object a line")
    return parser.parse_args(arguments)


def emitter(descriptor):
    """A function that writes an event to the host, or to standard output where there is no host."""
    stream = sys.stdout if descriptor is None else os.fdopen(descriptor, "w")

    def emit(event, **fields):
        print(json.dumps(dict(fields, event=event, time=time.time())), file=stream, flush=True)

    return emit


def main(arguments=None):
    options = parse(arguments)
    emit = emitter(options.events)
    try:
        if options.command == "run":
            how = (options.epochs, options.seed, options.verb, options.samples)
            proceed = (lambda: bool(sys.stdin.readline())) if options.turns else None
            result = run(options.example, options.folder, emit, *how, proceed)
        elif options.command == "ask":
            result = ask(options.example, options.folder)
        else:
            with open(os.path.join(options.folder, "program.json")) as file:
                result = trace(options.example, json.load(file), options.folder)
    except (DataError, ExampleError) as error:
        sys.exit(f"error: {error}")
    path = os.path.join(options.folder, "result.json")
    with open(path + ".part", "w") as file:
        json.dump(result, file)
    os.replace(path + ".part", path)  # whole or not at all
    emit("done")


if __name__ == "__main__":
    main()
