"""Rounds, medians, goals: what every figure of the benchmarks is made of."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cli import output

DISTURBED_BEYOND = 0.1
"""A round further than this part of the median away from it was disturbed, and is named with the result."""

Figure = TypeVar("Figure")


@dataclass(frozen=True)
class Goal:
    """A bound that a figure must keep to, itself included."""

    words: str
    bound: float
    upper: bool

    def holds(self, value: float) -> bool:
        return value <= self.bound if self.upper else value >= self.bound

    def __str__(self) -> str:
        return f"{self.words} {self.bound:g}"


def at_least(bound: float) -> Goal:
    return Goal("at least", bound, upper=False)


def at_most(bound: float) -> Goal:
    return Goal("at most", bound, upper=True)


@dataclass(frozen=True)
class Result:
    """One line of results.json. The name begins with the benchmark's, as in `gateway.posts_3kB`."""

    name: str
    value: float
    """The median of the rounds."""
    unit: str
    goal: str | None
    holds: bool | None
    """None where there is no goal."""
    rounds: list[float]
    disturbed: list[int]
    """The rounds, from 1, too far from the median for the machine to have been quiet in all of them."""


def result(name: str, unit: str, rounds: Sequence[float], goal: Goal | None = None) -> Result:
    """The figure that these rounds make; at least one."""
    value = statistics.median(rounds)
    return Result(
        name=name,
        value=rounded(value),
        unit=unit,
        goal=str(goal) if goal else None,
        holds=goal.holds(value) if goal else None,
        rounds=[rounded(each) for each in rounds],
        disturbed=disturbed(rounds),
    )


def disturbed(rounds: Sequence[float]) -> list[int]:
    """Which rounds, counted from 1, stand further from the median than a quiet machine explains."""
    middle = statistics.median(rounds)
    return [number for number, each in enumerate(rounds, 1) if abs(each - middle) > DISTURBED_BEYOND * abs(middle)]


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Round by round: both figures of a ratio come from the same minutes of the same machine."""
    return [one / other for one, other in zip(above, below, strict=True)]


def interleaved(rounds: int, measures: Mapping[str, Callable[[], Figure]]) -> dict[str, list[Figure]]:
    """A B A B …: every measure once a round, so that a slow minute harms all of them. By name, round by round."""
    found: dict[str, list[Figure]] = {name: [] for name in measures}
    for number in range(1, rounds + 1):
        for name, measure in measures.items():
            found[name].append(measure())
            say(f"  round {number} of {rounds}, {name}: {shown(found[name][-1])}")
    return found


def say(line: str) -> None:
    """Progress, for who is waiting."""
    output.err.print(line, style="dim", markup=False)


def shown(figure: object) -> str:
    """A figure as in a table: four digits."""
    return f"{figure:,.0f}" if isinstance(figure, float) and abs(figure) >= 1000 else _short(figure)


def rounded(value: float) -> float:
    """Four digits: more than any of these measurements has."""
    return float(f"{value:.4g}")


def _short(figure: object) -> str:
    return f"{figure:.4g}" if isinstance(figure, float) else str(figure)
