"""Watches what `import_weights` makes of arrays, to the last one that NumPy sees before the framework takes it.

Frameworks keep their parameters in ways of their own, some where Python cannot look. What they are
handed is a NumPy array in all of them.
"""

import functools

import numpy as np

PLAIN = ("array", "asarray", "ascontiguousarray", "copy")  # NumPy's functions that make any array a plain one

made = None  # while something is watched: (array, what NumPy made it of), in the order of their making


class Watched(np.ndarray):
    """An array that notes each array that is made of it: views and copies, transposed, split or joined."""

    __array_priority__ = 1.0  # above a plain array's, so that what is joined of both is watched as well

    def __array_finalize__(self, parent):
        if made is not None:
            made.append((self, parent))


def staying(function):
    """One of the functions of `PLAIN`, but what it makes of a watched array is watched as well."""

    @functools.wraps(function)
    def call(given, *arguments, **options):
        result = function(given, *arguments, **options)
        parts = given if isinstance(given, (list, tuple)) else [given]
        watched = any(isinstance(part, Watched) for part in parts)
        return result.view(Watched) if watched and type(result) is np.ndarray else result

    return call


def watch(call, model, weights):
    """Run `call(model, weights)`; returns the float arrays that it made last, in the order of their making.

    What another array of the same size was made of is left out: it was a step on the way.
    """
    global made
    made = []
    plain = {name: getattr(np, name) for name in PLAIN}
    try:
        for name, function in plain.items():
            setattr(np, name, staying(function))
        call(model, {name: weight.view(Watched) for name, weight in weights.items()})
        numbers = [(array, parent) for array, parent in made if array.dtype.kind == "f" and array.size]
        steps = {id(parent) for array, parent in numbers if array.size == getattr(parent, "size", None)}
        return [array.view(np.ndarray) for array, _ in numbers if id(array) not in steps]
    finally:
        made = None
        for name, function in plain.items():
            setattr(np, name, function)
