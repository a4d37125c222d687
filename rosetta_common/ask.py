"""Asks a framework's defaults.py the host's questions, and writes down what it answers.

The questions are FOLDER/questions.json: [{"name": …, "function": …, "arguments": [value or {"array": key}, …],
"explicit": a line of explicit.toml or null}, …], their arrays FOLDER/given.npz. An answer is what the function
returns, an array, a list or a dict of them, as FOLDER/<name>.npz; a refusal is the error that it raises, as
FOLDER/<name>.txt. Each is written as soon as it is known: a framework may end the whole process at an argument that it
rejects, and the host then asks the remaining ones.
"""

import importlib.util
import json
import os

import numpy as np

from rosetta_common import record
from rosetta_common.run import ExampleError
from rosetta_common.written_out import written_out

MESSAGE = 300  # characters of an error that are kept


def ask(path, folder):
    """Ask the defaults.py at `path` what FOLDER/questions.json holds. Returns the facts of the process."""
    module = load(path)
    with open(os.path.join(folder, "questions.json")) as file:
        questions = json.load(file)
    with np.load(os.path.join(folder, "given.npz")) as file:
        arrays = {key: file[key] for key in file.files}
    for question in questions:
        function = getattr(module, question["function"], None)
        if not callable(function):
            raise ExampleError("{} has no function {}.".format(path, question["function"]))
        function = as_written(module, function, question["explicit"])
        answer(function, [value(arrays, argument) for argument in question["arguments"]], folder, question["name"])
    return record.facts()


def load(path):
    """Import a defaults.py from its file."""
    spec = importlib.util.spec_from_file_location("defaults", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def value(arrays, argument):
    """An argument as the function gets it: an array by its key, a list as a tuple, or a plain value."""
    if isinstance(argument, dict):
        return arrays[argument["array"]].copy()
    return tuple(argument) if isinstance(argument, list) else argument


def as_written(module, function, line):
    """The function, with one of its calls made as `line` writes it."""

    def called(*arguments):
        with written_out(module, line):
            return function(*arguments)

    return called


def answer(function, arguments, folder, name):
    """Write what the function returns, or the error that it raises, in one line."""
    try:
        arrays = named(function(*arguments))
    except Exception as error:  # any error is an answer
        message = "{}: {}".format(type(error).__name__, " ".join(str(error).split()) or "no message")[:MESSAGE]
        with open(os.path.join(folder, name + ".txt"), "w", encoding="utf-8") as file:
            file.write(message)
    else:
        np.savez(os.path.join(folder, name), **arrays)


def named(returned):
    """What a function returned as a dict of arrays: a list's by their places, a single array as "0"."""
    if isinstance(returned, dict):
        return {key: np.asarray(array) for key, array in returned.items()}
    if isinstance(returned, (list, tuple)):
        return {str(number): np.asarray(array) for number, array in enumerate(returned)}
    return {"0": np.asarray(returned)}
