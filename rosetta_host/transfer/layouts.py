"""How an implementation takes the canonical weights: transposed, in another order of axes or gates, negated.

Nothing is read from code. `import_weights` gets weights whose numbers are all different, and
`rosetta_common.array_provenance` returns the arrays that reach the framework; each number identifies its origin. A
layout is stated only if it reproduces the position of every number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations

import msgspec
import numpy as np

from rosetta_common import weights
from rosetta_host.certificate import oracle
from rosetta_host.certificate.protocol import Arrays

AS_IT_IS = "as it is"
LACKING = "it has none"
NOT_SEEN = "not seen"
UNKNOWN = "in an order that is not known"
KERNEL = ("out", "in", "height", "width")


class Part(msgspec.Struct):
    """A tensor, or one gate of it: its numbers, consecutive integers, with an axis for each name in `axes`."""

    numbers: np.ndarray
    axes: tuple[str, ...]
    gate: str = ""


class Location(msgspec.Struct):
    """Where a part is: its array, its first index there, and the order of its axes (None: not known)."""

    part: Part
    array: int
    start: tuple[int, ...]
    negated: bool
    order: tuple[str, ...] | None
    turned: bool


def numbered(workload: str, forms: Mapping[str, str] | None = None) -> Arrays:
    """Canonical weights of the numbers 1, 2, 3 …, exact in float32; 0 where the declared form lacks a bias."""
    arrays, first = {}, 1
    for name, shape in weights.shapes(workload).items():
        numbers = np.arange(first, first + np.prod(shape), dtype=np.float32).reshape(shape)
        arrays[name] = numbers * oracle.exists(workload, name, forms)
        first += numbers.size
    return arrays


def describe(workload: str, arrays: list[np.ndarray], forms: Mapping[str, str] | None = None) -> dict[str, str]:
    """Canonical name -> its layout in the arrays that `numbered` weights became, in words."""
    parts = {name: list(_parts(workload, name, numbers)) for name, numbers in numbered(workload, forms).items()}
    locations = {name: [location for part in parts[name] if (location := _locate(part, arrays))] for name in parts}
    return {name: _words(name, parts[name], locations, len(weights.gates(workload).get(name, ()))) for name in parts}


def _parts(workload: str, name: str, numbers: np.ndarray) -> Iterator[Part]:
    """The parts of a tensor that a framework may lay out separately, without those that its form lacks."""
    axes, gates = weights.axes(workload), weights.gates(workload)
    if name in axes:
        names, sizes = axes[name]
        yield Part(numbers.reshape(sizes), names)
    elif name in gates:
        slices = zip(np.split(numbers, len(gates[name])), gates[name], strict=True)
        yield from (Part(part, KERNEL[: part.ndim], gate) for part, gate in slices if part.any())
    else:
        yield Part(numbers, KERNEL[: numbers.ndim])


def _locate(part: Part, arrays: list[np.ndarray]) -> Location | None:
    """Where a part is in one piece, in the last array that holds it: earlier arrays are intermediate."""
    first, last = part.numbers.min(), part.numbers.max()
    for number, array in reversed(list(enumerate(arrays))):
        inside = (np.abs(array) >= first) & (np.abs(array) <= last)
        if inside.sum() != part.numbers.size:
            continue
        sides = [np.flatnonzero(inside.any(axis=tuple({*range(inside.ndim)} - {axis}))) for axis in range(inside.ndim)]
        values = array[np.ix_(*sides)]
        if values.size == part.numbers.size:
            start = tuple(int(side[0]) for side in sides)
            return Location(part, number, start, bool((values < 0).all()), *_arrangement(part, np.abs(values).ravel()))
    return None


def _arrangement(part: Part, values: np.ndarray) -> tuple[tuple[str, ...] | None, bool]:
    """The order of the axes, the slowest first, that gives these values; and whether kernels are turned by 180°."""
    for order in permutations(range(part.numbers.ndim)):
        for turned in (False, True) if part.axes == KERNEL else (False,):
            numbers = part.numbers[:, :, ::-1, ::-1] if turned else part.numbers
            if np.array_equal(numbers.transpose(order).ravel(), values):
                return tuple(part.axes[axis] for axis in order), turned
    return None, False


def _words(name: str, parts: list[Part], locations: dict[str, list[Location]], count: int) -> str:
    """The layout of the parts of a tensor, in words. count: the number of its gates."""
    own = locations[name]
    if not parts or not own:
        return NOT_SEEN if parts else LACKING
    if len(own) < len(parts) or any(
        (location.order, location.turned) != (own[0].order, own[0].turned) or not location.order for location in own
    ):
        return UNKNOWN
    words = [*_axes(own[0]), *_gates(own, count)]
    others = [
        other
        for other in locations
        if other != name and {part.array for part in locations[other]} & {part.array for part in own}
    ]
    return ", ".join([*words, *([f"in one array with {' and '.join(others)}"] if others else [])]) or AS_IT_IS


def _axes(location: Location) -> Iterator[str]:
    order, axes = location.order or (), location.part.axes
    if order != axes:
        # The flattened columns of a matrix before its rows are the plain transpose, too.
        transposed = order == (*axes[1:], axes[0]) and axes != KERNEL
        yield "transposed" if transposed else " × ".join(order)
    if location.turned:
        yield "turned by 180°"


def _gates(locations: list[Location], count: int) -> Iterator[str]:
    """The order of the gates in an array, or that each has its own array; and which are negated."""
    gates = [
        location.part.gate for location in sorted(locations, key=lambda location: (location.array, location.start))
    ]
    if 1 < len(locations) == len({location.array for location in locations}):
        yield "an array a gate"
    elif gates != [location.part.gate for location in locations] or len(locations) < count:
        yield f"gates {', '.join(gates)}"
    yield from (f"{location.part.gate or 'all'} negated" for location in locations if location.negated)
