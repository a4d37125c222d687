"""Calls an example's verbs in order and times them; hands scores, losses and facts to the host.

The clock is here and nowhere else. `train` returns a Python float when the weights are computed, so that an epoch's
time holds all of its work; a run that breaks this rule fails.
"""

import importlib
import importlib.util
import os
import sys
import time

import numpy as np

from rosetta_common import data, record

VERBS = (
    "load_data",
    "create_symbol",
    "init_model",
    "train",
    "predict",
    "evaluate",
    "export_weights",
    "import_weights",
)
PROGRESS_EVERY = 0.5  # seconds between two reports from inside an epoch
MOST_STEPS = 400  # single steps whose seconds a result holds
WORK_LEFT = 0.2  # of an epoch or a step: the part that may still be pending when `train` returns
NOISE = 0.05  # seconds by which two readings of the same weights may differ


class ExampleError(Exception):
    """An example does not keep its promise; the message says which and where."""


def workload_of(path):
    """The name of the workload that an example's file carries: that of a folder of workloads/."""
    name = os.path.splitext(os.path.basename(path))[0]
    if not os.path.isfile(os.path.join(data.WORKLOADS, name, "__init__.py")):
        raise ExampleError(f"{path} is no example: its file must have the name of a folder of workloads/.")
    return name


def settings_of(workload):
    """The hyper-parameters of a workload: the object that its examples read."""
    return importlib.import_module("workloads." + workload).params


def load_example(path):
    """Import an example from its file and check that it has all verbs."""
    spec = importlib.util.spec_from_file_location("example_" + workload_of(path), path)
    example = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = example  # a compiler may look the module up by its name
    spec.loader.exec_module(example)
    missing = [verb for verb in VERBS if not callable(getattr(example, verb, None))]
    if missing:
        names = ", ".join(missing)
        raise ExampleError(f"{path} lacks the function {names}.")
    return example


def verb_of(example, path, name):
    """The function of an example that is called `name`: `train` or one of its variants."""
    verb = getattr(example, name, None)
    if not callable(verb):
        raise ExampleError(f"{path} has no function {name}.")
    return verb


class Clock:
    """Names and times spans of work, in seconds."""

    def __init__(self):
        self.times = {}

    def __call__(self, name, call, *arguments):
        start = time.perf_counter()
        result = call(*arguments)
        self.times[name] = time.perf_counter() - start
        return result


def loss_of(returned):
    """The loss that `train` returned. Raises ExampleError for what is no Python float, and may not be computed yet."""
    if type(returned) is not float:
        kind = type(returned)
        name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        raise ExampleError(f"train returned {name}, not a Python float: the work may not be done when the clock stops.")
    return returned


def reading(example, model):
    """Seconds to read all weights, and to read them a second time: the difference is work that was still pending."""
    clock = Clock()
    clock("first", example.export_weights, model)
    clock("again", example.export_weights, model)
    return clock.times["first"], clock.times["again"]


def check_done(first, again, epoch):
    """Raise ExampleError where weights are not computed when `train` returns. Seconds, those of an epoch the last."""
    if first - again > max(WORK_LEFT * epoch, NOISE):
        raise ExampleError(
            f"train returned before the weights were computed: to read them took {first:.3f} s, "
            f"to read them again {again:.3f} s, and the epoch {epoch:.3f} s."
        )


class Progress:
    """Counts training samples and steps, and reports them at most every half second."""

    def __init__(self, emit):
        self.emit, self.samples, self.steps, self.reported, self.starts = emit, 0, 0, 0.0, []

    def __call__(self, size):
        self.samples += size
        self.steps += 1
        now = time.perf_counter()
        self.starts.append(now)
        if now - self.reported > PROGRESS_EVERY:
            self.reported = now
            self.emit("progress", samples=self.samples)

    def begin_epoch(self):
        """Count the samples of an epoch from zero, and forget when the steps of the one before began."""
        self.samples, self.starts = 0, []

    def step_seconds(self):
        """Seconds from the start of a step to that of the next, in this epoch: at most MOST_STEPS, evenly spread.

        Empty where a framework's own loader takes the batches. A framework that queues its work may compute a step
        later than it starts it: single figures then differ more than the steps do.
        """
        seconds = [after - before for before, after in zip(self.starts, self.starts[1:])]
        return seconds[:: max(1, -(-len(seconds) // MOST_STEPS))]


def describe(array):
    """Shape and dtype for the record, as "float32 (50000, 3, 32, 32)"."""
    return f"{array.dtype} {array.shape}"


def run(path, folder, emit, epochs=1, seed=0, verb="train", samples=None, proceed=None):
    """Benchmark one example: import, load, build, train for `epochs`, predict, evaluate.

    Writes folder/scores.npy, float (n, classes), and returns the facts as a dict ready for JSON.
    samples: train on the first so many only, and predict nothing (64 of them time the first step).
    proceed: asked before each epoch, outside the time that is taken; where it says False, training ends.
    """
    clock, progress = Clock(), Progress(emit)
    workload = workload_of(path)
    settings = settings_of(workload)
    settings.seed = seed
    emit("stage", name="import")
    example = clock("imported", load_example, path)
    train_epoch = verb_of(example, path, verb)
    emit("stage", name="load data")
    x_train, x_test, y_train, y_test = clock("load", example.load_data)
    x_train, y_train = x_train[:samples], y_train[:samples]
    model = clock("build", lambda: example.init_model(example.create_symbol()))
    if samples is None:
        example.export_weights(model)  # preparation for the first reading does not count as work of an epoch
    data.on_batch = progress
    seconds, losses = [], []
    for epoch in range(epochs):
        emit("epoch", epoch=epoch + 1, epochs=epochs, samples=len(x_train))
        if proceed is not None and not proceed():
            break
        progress.begin_epoch()
        losses.append(clock("epoch", lambda: loss_of(train_epoch(model, x_train, y_train))))
        seconds.append(clock.times.pop("epoch"))
        emit("trained", epoch=epoch + 1, seconds=seconds[-1], loss=losses[-1], samples=progress.samples)
    data.on_batch = None
    facts = record.facts()
    if samples is None and seconds:
        check_done(*reading(example, model), seconds[-1])
        emit("stage", name="predict")
        scores = np.asarray(clock("predict", example.predict, model, x_test))
        np.save(os.path.join(folder, "scores.npy"), scores)
        emit("stage", name="evaluate")
        facts["evaluated"] = float(clock("evaluate", example.evaluate, model, x_test, y_test))
        facts["shapes"] = {"x": describe(x_train), "y": describe(y_train), "scores": describe(scores)}
        weights = example.export_weights(model)
        facts["parameters"] = {name: int(np.size(weight)) for name, weight in weights.items()}
    facts.update(
        times=dict(clock.times, epochs=seconds),
        step_seconds=progress.step_seconds(),
        losses=losses,
        samples=len(x_train),
        steps=progress.steps or None,  # the batches of a framework's own loader are not counted
        peak_resident=record.peak_resident(),
    )
    return facts
