"""How `namedrop demo` decides that everything is counted."""

from threading import Event

import pytest

from cli import demo
from cli.demo import Look, ignore, wait_until_counted
from cli.errors import CommandError, Interrupted

ACCEPTED = 10


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(demo, "SETTLED_SECONDS", 0.05)
    monkeypatch.setattr(demo, "STALLED_SECONDS", 0.2)


def wait_for(*looks: Look) -> int:
    """The last look stands for all after it."""
    coming = list(looks)
    return wait_until_counted(lambda: coming.pop(0) if len(coming) > 1 else coming[0], ACCEPTED, ignore, Event())


def test_it_is_done_when_all_is_counted_and_nothing_left_to_read() -> None:
    """The right number alone is not enough: more may be on the way."""
    assert wait_for(Look(9, 0, 0), Look(0, 3, 7), Look(0, 1, 10), Look(0, 0, 10)) == 10
    assert wait_for(Look(0, 1, 10), Look(0, 0, 11)) == 11


def test_too_few_are_told_once_they_stand_still() -> None:
    """A moment without a change is waited for: the last commit may be under way."""
    assert wait_for(Look(0, 0, 8), Look(0, 0, 9)) == 9


def test_it_gives_up_when_nothing_moves() -> None:
    """And says where it is stuck."""
    with pytest.raises(CommandError, match="7 of 10 articles are counted, 3 wait for an extractor and 2 for a saver"):
        wait_for(Look(3, 2, 7))


def test_it_can_be_interrupted() -> None:
    """By Ctrl-C, which sets the event."""
    stop = Event()
    stop.set()
    with pytest.raises(Interrupted):
        wait_until_counted(lambda: Look(3, 2, 7), ACCEPTED, ignore, stop)
