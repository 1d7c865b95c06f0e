"""Rounds of things that are compared, in turn, and the figure they come to."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

SPREAD_MAX = 0.15
"""A figure whose rounds lie further apart, from the least to the greatest over the median, was disturbed."""


@dataclass(frozen=True)
class Goal:
    """What a figure is to reach: at least, or at most, `limit`."""

    relation: str
    limit: float

    def __str__(self) -> str:
        return f"{self.relation} {self.limit:g}"

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.relation == "≥" else value <= self.limit


def at_least(limit: float) -> Goal:
    return Goal("≥", limit)


def at_most(limit: float) -> Goal:
    return Goal("≤", limit)


@dataclass(frozen=True)
class Figure:
    """The median of the rounds. goal, holds: None where there is nothing to reach."""

    name: str
    value: float
    unit: str
    goal: str | None
    holds: bool | None
    rounds: list[float]
    disturbed: bool

    def document(self) -> dict[str, Any]:
        """For results.json."""
        return asdict(self)


def figure(name: str, rounds: Sequence[float], unit: str, goal: Goal | None = None) -> Figure:
    """rounds: one value each, at least one."""
    value = statistics.median(rounds)
    return Figure(
        name=name,
        value=round(value, 4),
        unit=unit,
        goal=str(goal) if goal else None,
        holds=goal.holds(value) if goal else None,
        rounds=[round(each, 4) for each in rounds],
        disturbed=spread(rounds) > SPREAD_MAX,
    )


def ratio(name: str, ours: Sequence[float], reference: Sequence[float], goal: Goal | None = None) -> Figure:
    """Ours over the reference, round by round."""
    return figure(name, [a / b for a, b in zip(ours, reference, strict=True)], "ratio", goal)


def spread(rounds: Sequence[float]) -> float:
    """From the least to the greatest, over the median."""
    return (max(rounds) - min(rounds)) / statistics.median(rounds)


def in_turn(rounds: int, variants: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """A B A B …, so that what else the machine does falls on all alike. The rounds' values by variant."""
    values: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, measure in variants.items():
            values[name].append(measure())
    return values
