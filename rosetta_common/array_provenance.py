"""Tracks the arrays that `import_weights` derives, up to the last one before the framework takes it.

Every framework stores its parameters in its own way, some where Python cannot read them. But each one receives them as
NumPy arrays.
"""

import functools

import numpy as np

# NumPy's functions that return a plain array for any subclass.
PLAIN = ("array", "asarray", "ascontiguousarray", "copy")

derived = None  # while tracking: (array, the array that it derives from), in the order of creation


class TrackedArray(np.ndarray):
    """An array that notes each array that derives from it: views and copies, transposed, split or joined."""

    __array_priority__ = 1.0  # above a plain array's, so that a join of both is tracked

    def __array_finalize__(self, parent):
        if derived is not None:
            derived.append((self, parent))


def keep_tracking(function):
    """Wrap one of the functions of `PLAIN` so that its result of a tracked array is tracked."""

    @functools.wraps(function)
    def call(argument, *arguments, **options):
        result = function(argument, *arguments, **options)
        parts = argument if isinstance(argument, (list, tuple)) else [argument]
        tracked = any(isinstance(part, TrackedArray) for part in parts)
        return result.view(TrackedArray) if tracked and type(result) is np.ndarray else result

    return call


def watch(call, model, weights):
    """Run `call(model, weights)`; returns the final float arrays that it derives, in the order of creation.

    An array from which another of the same size derives is an intermediate one, and left out.
    """
    global derived
    derived = []
    plain = {name: getattr(np, name) for name in PLAIN}
    try:
        for name, function in plain.items():
            setattr(np, name, keep_tracking(function))
        call(model, {name: weight.view(TrackedArray) for name, weight in weights.items()})
        numbers = [(array, parent) for array, parent in derived if array.dtype.kind == "f" and array.size]
        steps = {id(parent) for array, parent in numbers if array.size == getattr(parent, "size", None)}
        return [array.view(np.ndarray) for array, _ in numbers if id(array) not in steps]
    finally:
        derived = None
        for name, function in plain.items():
            setattr(np, name, function)
