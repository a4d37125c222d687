"""Runs an example through a small program of the host's, so that the host can hold it against the oracle.

A program is JSON: {"settings": {name: value of `params`}, "train": the function that trains,
"steps": [[verb, argument…], …]} with the verbs init SEED · import NAME · export NAME · predict
NAME · train [INDEX…] NAME · watch NAME, which imports NAME.npz and leaves in NAME-made.npz what the
framework was handed. Weights are NAME.npz and scores NAME.npy in the folder of the program;
losses and the framework's facts are returned. All protocol lies in the program: what the
certificate asks is written on the host alone.
"""

import os

import numpy as np

from rosetta_common import params, record, watched
from rosetta_common.run import load_example, verb_of, workload_of


def trace(path, program, folder):
    """Run `program` on the example at `path`; returns {"losses": {NAME: loss}, **record.facts()}."""
    settings = getattr(params, workload_of(path))
    for name, value in program["settings"].items():
        setattr(settings, name, tuple(value) if isinstance(value, list) else value)
    example = load_example(path)
    train_epoch = verb_of(example, path, program["train"])
    x_train, x_test, y_train, _ = example.load_data()
    losses = {}

    def init(seed):
        settings.seed = seed
        return example.init_model(example.create_symbol())

    def train(model, indices, name):
        losses[name] = float(train_epoch(model, x_train[indices], y_train[indices]))

    def load(name):
        with np.load(os.path.join(folder, name + ".npz")) as weights:
            return {key: weights[key].astype(settings.dtype) for key in weights.files}

    def watch(model, name):
        try:
            made = watched.watch(example.import_weights, model, load(name))
        except Exception as error:  # a framework may insist on plain arrays: then nothing is seen, and no harm done
            print(f"nothing was watched: {type(error).__name__}: {error}")
            made = []
        np.savez(os.path.join(folder, name + "-made"), *made)

    verbs = {
        "import": lambda model, name: example.import_weights(model, load(name)),
        "export": lambda model, name: np.savez(os.path.join(folder, name), **example.export_weights(model)),
        "predict": lambda model, name: np.save(os.path.join(folder, name), example.predict(model, x_test)),
        "train": train,
        "watch": watch,
    }
    model = None
    for step in program["steps"]:
        if step[0] == "init":
            model = init(step[1])
        else:
            verbs[step[0]](model, *step[1:])
    return dict(record.facts(), losses=losses)
