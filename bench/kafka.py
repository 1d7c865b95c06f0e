"""Filling topics, and timing what comes out of them."""

import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from confluent_kafka import Consumer, Producer, TopicPartition

from cli.errors import CommandError
from cli.kafka import silent
from shared.lifecycle import Deadline

FLUSH_SECONDS = 60.0
STEADY = (0.1, 0.9)
LOOK_SECONDS = 0.3
BURST_SECONDS = 0.02
"""What a transaction makes visible arrives within this."""


def fill(bootstrap_servers: str, topic: str, values: Sequence[bytes], partitions: int) -> None:
    """Puts the values into the partitions in turn, so that each holds the same amount of work."""
    producer = Producer({"bootstrap.servers": bootstrap_servers, "compression.type": "lz4"}, logger=silent)
    for number, value in enumerate(values):
        producer.produce(topic, value, partition=number % partitions)
    assert producer.flush(FLUSH_SECONDS) == 0


class Arrivals:
    """When each record of a topic became readable: monotonic seconds, ascending. See `watch`."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self.times: list[float] = []

    def until_end(self) -> list[float]:
        """Those of all that there is now."""
        while self._look():
            pass
        return self.times

    def wait_for(self, count: int, within_seconds: float) -> list[float]:
        """All times when there are `count`. Raises CommandError when there are not in time."""
        deadline = Deadline(within_seconds)
        while len(self.times) < count:
            if deadline.passed:
                raise CommandError(f"{len(self.times)} of {count} records came within {within_seconds:g} s")
            self._look()
        return self.times

    def _look(self) -> bool:
        """Whether one came within a moment. One by one: `consume` would wait for several."""
        record = self._consumer.poll(LOOK_SECONDS)
        if record is None or record.error():
            return False
        self.times.append(time.monotonic())
        return True


@contextmanager
def watch(bootstrap_servers: str, topic: str) -> Iterator[Arrivals]:
    """Of committed transactions only; outside the processes that are measured, and without asking them anything."""
    config = {
        "bootstrap.servers": bootstrap_servers,
        "group.id": "bench",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 50,
    }
    consumer = Consumer(config, logger=silent)
    try:
        partitions = consumer.list_topics(topic, timeout=FLUSH_SECONDS).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        yield Arrivals(consumer)
    finally:
        consumer.close()


def steady_rate(times: Sequence[float]) -> float:
    """Records a second between the first tenth and the last: every process is at work, and none has run dry.

    Counted from the end of one burst to the end of another, because work becomes visible a transaction at a time.
    """
    begin, end = (times[int(part * len(times))] for part in STEADY)
    records = bisect_right(times, end + BURST_SECONDS) - bisect_right(times, begin + BURST_SECONDS)
    return records / (end - begin)
