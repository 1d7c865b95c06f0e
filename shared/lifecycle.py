"""A process's life: told to stop, and how long it may take over things."""

import os
import signal
import time
from threading import Event
from types import FrameType


def stop_on_signals() -> Event:
    """An Event that SIGTERM and SIGINT set. A second signal ends the process at once: start-up is the recovery path."""
    stop = Event()

    def handler(signum: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + signum)
        stop.set()

    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGINT, handler)
    return stop


class Deadline:
    """One time limit shared by all the calls of a unit of work, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        """Never negative, so that it can be handed on as a time-out."""
        return max(0.0, self._at - time.monotonic())

    @property
    def passed(self) -> bool:
        return self.seconds_left == 0.0
