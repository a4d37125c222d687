"""The optimizers of the oracle: they predict how far the weights move in a step, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Weights = Mapping[str, Array]
Gradients = dict[str, Array]

# After a weight's name, beside its gradient: what Adam's v gets instead of the gradient's square.
SQUARES = ": squares"


def _refuse(name: str, form: str, forms: tuple[str, ...]) -> None:
    if form not in forms:
        choices = '" or "'.join(forms)
        raise ValueError(f'{name} is "{choices}", not "{form}".')


class SGD:
    """Stochastic gradient descent with classical momentum.

    form "rate outside": v = µ v + g, the weights move by -lr v; "rate inside": v = µ v + lr g, they move by -v.
    `learning_rate` may be set between two steps: from there on the forms differ. Raises ValueError for another form.
    """

    FORMS: ClassVar = ("rate outside", "rate inside")

    def __init__(self, learning_rate: float, momentum: float, form: str = "rate outside") -> None:
        _refuse("momentum", form, self.FORMS)
        self.learning_rate, self.momentum, self.form = learning_rate, momentum, form
        self.velocity: Gradients | None = None
        self._outside = 1.0  # the last movement was minus this factor times the velocity

    def movement(self, gradients: Weights) -> Gradients:
        """How far the weights move in a step with these gradients: name -> float64 array."""
        inside, self._outside = self.learning_rate, 1.0
        if self.form == "rate outside":
            inside, self._outside = 1.0, self.learning_rate
        before = self.velocity or {}
        self.velocity = {name: self.momentum * before.get(name, 0.0) + inside * g for name, g in gradients.items()}
        return {name: -self._outside * velocity for name, velocity in self.velocity.items()}

    def resynchronize(self, movement: Weights) -> None:
        """Set the velocity from a framework's own last movement, so that rounding does not accumulate."""
        self.velocity = {name: np.asarray(moved, np.float64) / -self._outside for name, moved in movement.items()}


class Adam:
    """Kingma & Ba 2015.

    form "corrected": lr m̂ / (√v̂ + ε); "uncorrected": lr √(1-β2ᵗ)/(1-β1ᵗ) m / (√v + ε). Raises ValueError for another.
    """

    FORMS: ClassVar = ("corrected", "uncorrected")

    def __init__(
        self, learning_rate: float, beta1: float, beta2: float, epsilon: float, form: str = "corrected"
    ) -> None:
        _refuse("epsilon", form, self.FORMS)
        self.learning_rate, self.beta1, self.beta2, self.epsilon, self.form = learning_rate, beta1, beta2, epsilon, form
        self.m: Gradients = {}
        self.v: Gradients = {}
        self.t = 0

    def movement(self, gradients: Weights) -> Gradients:
        """How far the weights move. `SQUARES` after a name among the gradients: what v gets instead of g²."""
        self.t += 1
        return {name: self._move(name, gradients) for name in gradients if not name.endswith(SQUARES)}

    def _move(self, name: str, gradients: Weights) -> Array:
        gradient, square = gradients[name], gradients.get(name + SQUARES)
        square = gradient**2 if square is None else square
        m = self.m[name] = self.beta1 * self.m.get(name, 0.0) + (1 - self.beta1) * gradient
        v = self.v[name] = self.beta2 * self.v.get(name, 0.0) + (1 - self.beta2) * square
        correct_m, correct_v = 1 - self.beta1**self.t, 1 - self.beta2**self.t
        # √v + ε √(1-β2ᵗ), over √(1-β2ᵗ), is √v̂ + ε: the two forms differ by that factor of ε alone.
        epsilon = self.epsilon * (np.sqrt(correct_v) if self.form == "corrected" else 1.0)
        moved: Array = m / (np.sqrt(v) + epsilon)
        moved *= -self.learning_rate * np.sqrt(correct_v) / correct_m
        return moved

    def resynchronize(self, movement: Weights) -> None:
        """Do nothing: m and v cannot be computed from a movement, so the oracle keeps its own."""


Optimizer = SGD | Adam
