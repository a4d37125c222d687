"""The questions about optimizers that no example uses: AdamW, RMSprop, and clipping by a norm."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from rosetta_host.defaults.calls import RATE, Arrays, Call, Judged, Result, array, close, number, unknown
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Answer

DECAY_RATES = (1.0, 0.1)  # tell a decay that the learning rate multiplies from one that it does not
LIMIT = 1.0  # of the norm of gradients
CALLS = [
    Call("adamw", "adamw", (array("weights_of_one"), array("no_gradient"), DECAY_RATES[0])),
    Call("adamw-slower", "adamw", (array("weights_of_one"), array("no_gradient"), DECAY_RATES[1])),
    Call("rmsprop", "rmsprop", (array("weights_of_zero"), array("rmsprop_gradients"), RATE)),
    Call("clip_norm", "clip_norm", (array("first_gradient"), array("second_gradient"), LIMIT)),
]
SMALL = (1e-4, 1e-7)  # gradients that show ε, one beside each order that it may have


def given() -> Arrays:
    """The arrays that these calls name."""
    return {
        "weights_of_one": np.ones(3, np.float32),
        "no_gradient": np.zeros((1, 3), np.float32),
        "weights_of_zero": np.zeros(3, np.float32),
        "rmsprop_gradients": np.tile(np.array([1, *SMALL], np.float32), (2, 1)),
        "first_gradient": np.array([3, 4], np.float32),
        "second_gradient": np.array([0, 12], np.float32),
    }


def _adamw(results: dict[str, Result], arrays: Arrays) -> Judged:
    lost = [float(1 - results[name].arrays["0"][0]) for name in ("adamw", "adamw-slower")]
    figures: dict[str, float | None] = dict(zip(("lost at rate 1", "lost at rate 0.1"), lost, strict=True))
    if abs(lost[0]) < 1e-6:
        yield "decay", Answer(Code.NUMBER, 0.0, figures=figures)
        yield "times_rate", Answer(Code.NONE, reason="By default it decays no weight.")
        return
    yield "decay", number(lost[0], 2, measured=lost[0])
    ratio = lost[0] / lost[1] if lost[1] else np.inf
    if abs(ratio - DECAY_RATES[0] / DECAY_RATES[1]) < 0.5:
        yield "times_rate", Answer(Code.TIMES_RATE, figures=figures)
    elif abs(ratio - 1) < 0.05:
        yield "times_rate", Answer(Code.WITHOUT_RATE, figures=figures)
    else:
        yield "times_rate", unknown("the decay is neither of the rate nor without it", ratio=float(ratio))


def _rmsprop(results: dict[str, Result], arrays: Arrays) -> Judged:
    returned = results["rmsprop"].arrays
    weights = np.stack([returned["0"], returned["1"]]).astype(np.float64)
    first, second = -weights[0] / RATE, -(weights[1] - weights[0]) / RATE  # as shares of the rate
    from_zero, from_one = float((first[0] / second[0]) ** 2 - 1), float((SMALL[0] / first[1]) ** 2)
    if abs(first[0] - 1) < 0.01 and abs(second[0] - 1) < 0.01:  # 1 stays the mean of ones
        yield "smoothing", number(from_one, 2, measured=from_one)
        yield "start", Answer(Code.NUMBER, 1.0)
        hidden = Answer(Code.NONE, reason="In a root of a mean that starts at 1, no step shows an ε.")
        yield from ((facet, hidden) for facet in ("epsilon", "epsilon_place"))
    elif abs(first[0] * np.sqrt(1 - from_zero) - 1) < 0.01:
        yield "smoothing", number(from_zero, 2, measured=from_zero)
        yield "start", Answer(Code.NUMBER, 0.0)
        yield from _epsilon(first[1:], 1 - from_zero)
    else:
        for facet in ("smoothing", "start", "epsilon", "epsilon_place"):
            yield facet, unknown("its mean square starts neither at 0 nor at 1", first=float(first[0]))


def _epsilon(steps: np.ndarray, share: float) -> Judged:
    """ε from the first steps with the gradients `SMALL`; share: of the square of a gradient in the mean square."""
    gradients = np.array(SMALL)
    places = {
        Code.OUTSIDE_ROOT: gradients / steps - np.sqrt(share) * gradients,
        Code.INSIDE_ROOT: (gradients / steps) ** 2 - share * gradients**2,
    }
    place = min(places, key=lambda code: float(np.ptp(places[code]) / abs(places[code].mean())))
    epsilons = places[place]
    figures = {"least": float(epsilons.min()), "most": float(epsilons.max())}
    if figures["least"] > 0 and np.ptp(epsilons) < 0.3 * epsilons.mean():
        yield "epsilon", number(float(epsilons[1]), 1, **figures)
        yield "epsilon_place", Answer(place)
    else:
        yield from ((facet, unknown("no ε gives these steps", **figures)) for facet in ("epsilon", "epsilon_place"))


def _clip_norm(results: dict[str, Result], arrays: Arrays) -> Judged:
    gradients = [arrays[name].astype(np.float64) for name in ("first_gradient", "second_gradient")]
    together = float(np.linalg.norm(np.concatenate(gradients)))
    norms = {Code.OVER_ALL: [together] * 2, Code.OVER_EACH: [float(np.linalg.norm(g)) for g in gradients]}
    seen = np.concatenate([results["clip_norm"].arrays[place] for place in ("0", "1")])
    if not seen.any():
        yield "over", Answer(Code.GRADIENTS_LOST)
        return
    for code, each in norms.items():
        if close(np.concatenate([LIMIT * g / norm for g, norm in zip(gradients, each, strict=True)]), seen):
            yield "over", Answer(code)
            return
    yield "over", unknown("it is neither the norm of each gradient nor that of all")


JUDGES: Mapping[str, Callable[[dict[str, Result], Arrays], Judged]] = {
    "adamw": _adamw,
    "rmsprop": _rmsprop,
    "clip_norm": _clip_norm,
}
