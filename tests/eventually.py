"""Waiting for a condition, with a deadline and its last value when that has passed."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
LOOK_SECONDS = 0.1


def eventually(look: Callable[[], Value], within_seconds: float = 60) -> Value:
    """The first truthy value of `look`. Raises AssertionError with the last one when there is none in time."""
    deadline = time.monotonic() + within_seconds
    while not (value := look()):
        assert time.monotonic() < deadline, f"still {value!r} after {within_seconds:g} s"
        time.sleep(LOOK_SECONDS)
    return value


def settles(look: Callable[[], Value], expected: Value, within_seconds: float = 60) -> None:
    """`look()` becomes `expected`. Raises AssertionError with the difference when it does not in time."""
    deadline = time.monotonic() + within_seconds
    while (value := look()) != expected and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    assert value == expected
