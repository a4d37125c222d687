"""Writes a measured figure beside its goal. A time fails only far above its goal: machines vary."""

from __future__ import annotations

FAR = 3.0  # times the goal: no noise, but a regression


def beside_goal(what: str, figure: float, goal: float, unit: str) -> str:
    """One line for whoever reads the log: `first paint: 1.2 s, goal 1.5 s: met`."""
    return f"{what}: {figure:.3g} {unit}, goal {goal:g} {unit}: {'met' if figure <= goal else 'not met'}"
