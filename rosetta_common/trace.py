"""Runs an example through a small program of the host's, so that the host can hold it against the oracle.

A program is JSON: {"settings": {name: value of `params`}, "train": the function that trains,
"steps": [[verb, argument…], …]} with the verbs init SEED · import NAME · export NAME · predict
NAME · train [INDEX…] NAME. Weights are NAME.npz and scores NAME.npy in the folder of the program;
losses and the framework's facts are returned. All protocol lies in the program: what the
certificate asks is written on the host alone.
"""

import os

import numpy as np

from rosetta_common import params, record
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

    def import_weights(model, name):
        with np.load(os.path.join(folder, name + ".npz")) as weights:
            example.import_weights(model, {key: weights[key].astype(settings.dtype) for key in weights.files})

    verbs = {
        "import": import_weights,
        "export": lambda model, name: np.savez(os.path.join(folder, name), **example.export_weights(model)),
        "predict": lambda model, name: np.save(os.path.join(folder, name), example.predict(model, x_test)),
        "train": train,
    }
    model = None
    for step in program["steps"]:
        if step[0] == "init":
            model = init(step[1])
        else:
            verbs[step[0]](model, *step[1:])
    return dict(record.facts(), losses=losses)
