"""Runs an example through a small program of the host's, so that the host can compare it with the oracle.

A program is JSON: {"settings": {name: value of a hyper-parameter}, "train": the function that trains,
"lines": whether to note the lines of the example that run (what compiles in Python is slower then),
"steps": [[verb, argument…], …]} with the verbs init SEED · import NAME · export NAME · predict NAME ·
train [INDEX…] NAME · rate LEARNING_RATE · reading NAME, which notes how long it takes to read the
weights, twice · evaluate NAME · watch NAME, which imports NAME.npz and leaves in NAME-made.npz what
the framework was handed. In the folder of the program weights are NAME.npz, scores NAME.npy, what
training returned NAME.trained, the seconds of a reading NAME.reading and an accuracy NAME.accuracy,
each there as soon as its step is done: the host judges while the program goes on. Lines and the
framework's facts are returned. All protocol lies in the program: what the certificate asks is written
on the host alone.
"""

import json
import os
import time

import numpy as np

from rosetta_common import array_provenance, record
from rosetta_common.line_coverage import LineRecorder
from rosetta_common.run import load_example, reading, settings_of, verb_of, workload_of


def trace(path, program, folder):
    """Run `program` on the example at `path`.

    Returns record.facts(); if the program asks for them, also "lines": [number], "elsewhere": [name] and
    "sources": [number], as `LineRecorder` explains them.
    """
    if not program.get("lines"):
        _trace(path, program, folder)
        return record.facts()
    with LineRecorder(path) as recorder:
        _trace(path, program, folder)
    seen = {name: sorted(getattr(recorder, name)) for name in ("lines", "elsewhere", "sources")}
    return dict(seen, **record.facts())


def _trace(path, program, folder):
    settings = settings_of(workload_of(path))
    for name, value in program["settings"].items():
        setattr(settings, name, tuple(value) if isinstance(value, list) else value)
    example = load_example(path)
    train_epoch = verb_of(example, path, program["train"])
    if hasattr(example, "set_dtype"):
        example.set_dtype(settings.dtype)
    x_train, x_test, y_train, y_test = example.load_data()

    def leave(name, write):
        """Write a file in whole: the host reads it as soon as it has its name."""
        path = os.path.join(folder, name)
        with open(path + ".part", "wb") as file:
            write(file)
        os.replace(path + ".part", path)

    def leave_json(name, value):
        leave(name, lambda file: file.write(json.dumps(value).encode()))

    def init(seed):
        settings.seed = seed
        return example.init_model(example.create_symbol())

    def train(model, indices, name):
        x, y = x_train[indices], y_train[indices]
        start = time.perf_counter()
        loss = train_epoch(model, x, y)
        seconds = time.perf_counter() - start
        try:
            number = float(loss)
        except TypeError:  # the host reports the type
            number = float("nan")
        leave_json(name + ".trained", {"type": type(loss).__name__, "seconds": seconds, "loss": number})

    def load(name):
        with np.load(os.path.join(folder, name + ".npz")) as weights:
            return {key: weights[key].astype(settings.dtype) for key in weights.files}

    def watch(model, name):
        try:
            arrays = array_provenance.watch(example.import_weights, model, load(name))
        except Exception as error:  # a framework may insist on plain arrays: then there is nothing to describe
            print(f"nothing was watched: {type(error).__name__}: {error}")
            arrays = []
        leave(name + "-made.npz", lambda file: np.savez(file, *arrays))

    def export(model, name):
        weights = example.export_weights(model)
        leave(name + ".npz", lambda file: np.savez(file, **weights))

    def predict(model, name):
        scores = example.predict(model, x_test)
        leave(name + ".npy", lambda file: np.save(file, scores))

    verbs = {
        "import": lambda model, name: example.import_weights(model, load(name)),
        "export": export,
        "predict": predict,
        "train": train,
        "rate": lambda model, rate: verb_of(example, path, "set_learning_rate")(model, rate),
        "reading": lambda model, name: leave_json(name + ".reading", reading(example, model)),
        "evaluate": lambda model, name: leave_json(name + ".accuracy", float(example.evaluate(model, x_test, y_test))),
        "watch": watch,
    }
    model = None
    for step in program["steps"]:
        if step[0] == "init":
            model = init(step[1])
        else:
            verbs[step[0]](model, *step[1:])
