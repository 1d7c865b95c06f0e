"""Keeps processes alive: who dies is started again, later each time."""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli.errors import CommandError
from cli.process import ChildProcess

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
SETTLED_SECONDS = 60.0
"""One that ran this long before it died starts with the first delay again."""


@dataclass
class Watch:
    """What the supervisor knows of one process."""

    started_at: float
    delay_seconds: float = 0.0
    start_at: float | None = None
    """When it is due, while it is down."""


class Supervisor:
    """Call `tick` a few times a second. `tell` gets a sentence for each death and each start."""

    def __init__(
        self,
        processes: Sequence[ChildProcess],
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watches = {process: Watch(clock()) for process in processes}
        self._tell = tell
        self._clock = clock

    def tick(self) -> bool:
        """Looks after each once; True when one died or was started: other processes run now than before."""
        changed = [self._look_after(process, watch) for process, watch in self._watches.items()]
        return any(changed)

    def _look_after(self, process: ChildProcess, watch: Watch) -> bool:
        now = self._clock()
        if process.running or not process.wanted:
            watch.start_at = None
            return False
        if watch.start_at is None:
            self._put_off(process, watch, process.ending)
            return True
        if now < watch.start_at:
            return False
        watch.started_at, watch.start_at = now, None
        try:
            process.start_if_wanted()
        except (CommandError, OSError, subprocess.SubprocessError) as error:
            self._put_off(process, watch, f"could not be started: {error}")
        return True

    def _put_off(self, process: ChildProcess, watch: Watch, problem: str) -> None:
        now = self._clock()
        watch.delay_seconds = next_delay_seconds(watch.delay_seconds, now - watch.started_at)
        watch.start_at = now + watch.delay_seconds
        self._tell(
            f"{process.name} {problem}; it is started again in {watch.delay_seconds:g} s. Its log: {process.log_path}"
        )


def next_delay_seconds(last_delay_seconds: float, ran_seconds: float) -> float:
    """How long to wait before the next start of one that ran for that long after the last."""
    if ran_seconds >= SETTLED_SECONDS or last_delay_seconds == 0:
        return FIRST_DELAY_SECONDS
    return min(2 * last_delay_seconds, LONGEST_DELAY_SECONDS)
