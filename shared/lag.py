"""What is left to read: the lag of a consumer group, and the records in a topic.

Offsets alone can't say it. A transaction leaves a marker in each partition that it wrote, and one that was aborted its
records too: all of them take an offset, and no reader ever sees them. So a short stretch of offsets is read and its
records are counted; of a long one the offsets are near enough.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from shared.errors import Fatal, TopicMissing
from shared.kafka import open_consumer
from shared.lifecycle import Deadline
from shared.settings import CommonSettings

COUNT_AT_MOST = 1000
"""Offsets in one partition up to which its records are counted one by one."""
COUNT_SECONDS = 10.0
ANSWER_SECONDS = 10.0
READ_TO_THE_END = (KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET)
"""There is no more, or no longer: retention was quicker."""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Stretch:
    """A partition's offsets from `begin` up to, and without, `end`."""

    topic: str
    partition: int
    begin: int
    end: int

    @property
    def offsets(self) -> int:
        return max(0, self.end - self.begin)


def stretches(admin: AdminClient, topic: str, seconds: float = ANSWER_SECONDS) -> list[Stretch]:
    """All that is in the topic for a reader of committed records, by partition. Raises TopicMissing and Fatal."""
    metadata = answer(lambda: admin.list_topics(timeout=seconds)).topics.get(topic)
    if metadata is None:
        raise TopicMissing(f"Topic {topic} does not exist. Make the topics with: namedrop topics")
    begins = _offsets(admin, topic, metadata.partitions, OffsetSpec.earliest(), seconds)
    ends = _offsets(admin, topic, metadata.partitions, OffsetSpec.latest(), seconds)
    return [Stretch(topic, partition, begins[partition], ends[partition]) for partition in sorted(begins)]


def unread(consumer: Consumer, there: Iterable[Stretch], seconds: float = ANSWER_SECONDS) -> list[Stretch]:
    """What the consumer's group has not committed of what is `there`; all of it where it committed nothing.

    The consumer only asks; it is subscribed to nothing. Not AdminClient.list_consumer_group_offsets: librdkafka 2.16
    dies of a segmentation fault in it while the group's coordinator is loading, as after a broker's start.
    Raises Fatal.
    """
    places = [TopicPartition(at.topic, at.partition) for at in there]
    committed = answer(lambda: consumer.committed(places, timeout=seconds))
    offsets = {(at.topic, at.partition): at.offset for at in committed}  # negative where nothing was committed
    return [Stretch(at.topic, at.partition, max(at.begin, offsets[at.topic, at.partition]), at.end) for at in there]


def count_records(settings: CommonSettings, where: Iterable[Stretch], exact_up_to: int = COUNT_AT_MOST) -> int:
    """How many records a reader would find there: exact, but for stretches of more than `exact_up_to` offsets.

    Raises Fatal.
    """
    waiting = [at for at in where if at.offsets]
    total = sum(at.offsets for at in waiting if at.offsets > exact_up_to)
    short = [at for at in waiting if at.offsets <= exact_up_to]
    if not short:
        return total
    # Partitions are assigned, never subscribed to: no group is joined, and nothing is committed.
    with open_consumer(settings, "namedrop-status", enable_partition_eof=True, fetch_wait_max_ms=10) as consumer:
        consumer.assign([TopicPartition(at.topic, at.partition, at.begin) for at in short])
        return total + _read_to_end(consumer, {(at.topic, at.partition): at.end for at in short})


def answer(call: Callable[[], Answer]) -> Answer:
    """Raises Fatal when Kafka is away or refuses."""
    try:
        return call()
    except KafkaException as error:
        why = error.args[0]  # its text may end in a colon: a broker that goes away says no more
        raise Fatal(f"Kafka did not answer: {why.str().rstrip(': ')} ({why.name()})") from error


def _read_to_end(consumer: Consumer, ends: dict[tuple[str, int], int]) -> int:
    records = 0
    deadline = Deadline(COUNT_SECONDS)
    while ends:
        record = consumer.poll(deadline.seconds_left)
        if record is None:
            raise Fatal(f"Kafka did not hand over all of {', '.join({topic for topic, _ in ends})} in time; try again.")
        place = (str(record.topic()), record.partition() or 0)
        error = record.error()
        if error is None and (record.offset() or 0) < ends.get(place, 0):
            records += 1
        elif error is None or error.code() in READ_TO_THE_END:
            ends.pop(place, None)
        else:
            raise Fatal(f"Kafka did not hand over {place[0]}-{place[1]}: {error.str()}")
    return records


def _offsets(
    admin: AdminClient, topic: str, partitions: Iterable[int], which: OffsetSpec, seconds: float
) -> dict[int, int]:
    asked = {TopicPartition(topic, partition): which for partition in partitions}
    found = admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=seconds)
    return {at.partition: answer(future.result).offset for at, future in found.items()}
