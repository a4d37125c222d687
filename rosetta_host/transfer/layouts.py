"""How a row takes the canonical weights, in words: transposed, in another order of axes or gates, negated.

Nothing of it is read from code. `import_weights` is given weights whose numbers are all different, and
`rosetta_common.array_provenance` shows the arrays that the framework is handed; the numbers tell where each of
them came from. A layout is said only if it reproduces every number's place.
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


class Place(msgspec.Struct):
    """Where a part lies: in which array, from where on, how its axes follow one another there (None: not known)."""

    part: Part
    array: int
    start: tuple[int, ...]
    negated: bool
    order: tuple[str, ...] | None
    turned: bool


def numbered(workload: str, forms: Mapping[str, str] | None = None) -> Arrays:
    """Canonical weights of the numbers 1, 2, 3 …, exact in float32; 0 where the declared form lacks a bias."""
    made, first = {}, 1
    for name, shape in weights.shapes(workload).items():
        numbers = np.arange(first, first + np.prod(shape), dtype=np.float32).reshape(shape)
        made[name] = numbers * oracle.exists(workload, name, forms)
        first += numbers.size
    return made


def describe(workload: str, made: list[np.ndarray], forms: Mapping[str, str] | None = None) -> dict[str, str]:
    """Canonical name -> how it lies in the arrays that `numbered` weights became, in words."""
    parts = {name: list(_parts(workload, name, numbers)) for name, numbers in numbered(workload, forms).items()}
    places = {name: [place for part in parts[name] if (place := _place(part, made))] for name in parts}
    return {name: _words(name, parts[name], places, len(weights.gates(workload).get(name, ()))) for name in parts}


def _parts(workload: str, name: str, numbers: np.ndarray) -> Iterator[Part]:
    """The parts of a tensor that a framework may lay out each for itself, but for those that its form lacks."""
    axes, gates = weights.axes(workload), weights.gates(workload)
    if name in axes:
        names, sizes = axes[name]
        yield Part(numbers.reshape(sizes), names)
    elif name in gates:
        held = zip(np.split(numbers, len(gates[name])), gates[name], strict=True)
        yield from (Part(part, KERNEL[: part.ndim], gate) for part, gate in held if part.any())
    else:
        yield Part(numbers, KERNEL[: numbers.ndim])


def _place(part: Part, made: list[np.ndarray]) -> Place | None:
    """Where a part lies in one piece, in the last array that holds it: those made before were steps on the way."""
    first, last = part.numbers.min(), part.numbers.max()
    for number, array in reversed(list(enumerate(made))):
        here = (np.abs(array) >= first) & (np.abs(array) <= last)
        if here.sum() != part.numbers.size:
            continue
        sides = [np.flatnonzero(here.any(axis=tuple({*range(here.ndim)} - {axis}))) for axis in range(here.ndim)]
        values = array[np.ix_(*sides)]
        if values.size == part.numbers.size:
            start = tuple(int(side[0]) for side in sides)
            return Place(part, number, start, bool((values < 0).all()), *_arrangement(part, np.abs(values).ravel()))
    return None


def _arrangement(part: Part, values: np.ndarray) -> tuple[tuple[str, ...] | None, bool]:
    """The order of the axes, the slowest first, that gives these values; and whether kernels are turned by 180°."""
    for order in permutations(range(part.numbers.ndim)):
        for turned in (False, True) if part.axes == KERNEL else (False,):
            numbers = part.numbers[:, :, ::-1, ::-1] if turned else part.numbers
            if np.array_equal(numbers.transpose(order).ravel(), values):
                return tuple(part.axes[axis] for axis in order), turned
    return None, False


def _words(name: str, parts: list[Part], places: dict[str, list[Place]], count: int) -> str:
    """Where the parts of a tensor lie, in words. count: the gates that it holds."""
    found = places[name]
    if not parts or not found:
        return NOT_SEEN if parts else LACKING
    if len(found) < len(parts) or any(
        (place.order, place.turned) != (found[0].order, found[0].turned) or not place.order for place in found
    ):
        return UNKNOWN
    words = [*_axes(found[0]), *_gates(found, count)]
    others = [
        other for other in places if other != name and {p.array for p in places[other]} & {p.array for p in found}
    ]
    return ", ".join([*words, *([f"in one array with {' and '.join(others)}"] if others else [])]) or AS_IT_IS


def _axes(place: Place) -> Iterator[str]:
    order, axes = place.order or (), place.part.axes
    if order != axes:
        # The columns of fc1.weight in one piece, but before its rows, are the plain transpose of it as well.
        transposed = order == (*axes[1:], axes[0]) and axes != KERNEL
        yield "transposed" if transposed else " × ".join(order)
    if place.turned:
        yield "turned by 180°"


def _gates(places: list[Place], count: int) -> Iterator[str]:
    """In which order the gates lie in an array, or that each has its own; and which are negated."""
    gates = [place.part.gate for place in sorted(places, key=lambda place: (place.array, place.start))]
    if 1 < len(places) == len({place.array for place in places}):
        yield "an array a gate"
    elif gates != [place.part.gate for place in places] or len(places) < count:
        yield f"gates {', '.join(gates)}"
    yield from (f"{place.part.gate or 'all'} negated" for place in places if place.negated)
