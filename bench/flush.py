"""The least that can be written: what any saver must write that shows its counts within a given age."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.stream import Item


@dataclass(frozen=True)
class Arrival:
    """An article at a saver. seconds: since the stream's beginning; partition: of the topic entities."""

    seconds: float
    partition: int
    item: Item


@dataclass(frozen=True)
class Flushed:
    """What a stream comes to."""

    writes: int
    """Documents: each (publication, name) pair, each publication, and one ledger, once a window."""
    wait_mean_seconds: float
    """From an article's arrival to the end of its window."""


@dataclass
class Window:
    """One partition's, open for `age` seconds from its first article on."""

    opened: float
    publications: set[int] = field(default_factory=set)
    pairs: set[tuple[int, int]] = field(default_factory=set)

    def add(self, item: Item) -> None:
        self.publications.add(item.publication)
        self.pairs.update((item.publication, name) for name in item.names)

    @property
    def writes(self) -> int:
        return len(self.pairs) + len(self.publications) + 1


def flushed(arrivals: Iterable[Arrival], age_seconds: float) -> Flushed:
    """With windows of this age, one after another in each partition, and no limit to what a window holds.

    arrivals: by time, ascending. The last windows count as if they had been closed.
    """
    windows: dict[int, Window] = {}
    writes = 0
    waits = []
    for arrival in arrivals:
        window = windows.get(arrival.partition)
        if window is None or arrival.seconds >= window.opened + age_seconds:
            writes += window.writes if window else 0
            window = windows[arrival.partition] = Window(arrival.seconds)
        window.add(arrival.item)
        waits.append(window.opened + age_seconds - arrival.seconds)
    return Flushed(writes + sum(window.writes for window in windows.values()), statistics.fmean(waits))
