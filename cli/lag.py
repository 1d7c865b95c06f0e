"""What is left to read: the lag of a consumer group, and the records in a topic.

Offsets alone can't say it. A transaction leaves a marker in each partition that it wrote, and one that was aborted its
records too: all of them take an offset, and no reader ever sees them. So a short stretch of offsets is read and its
records are counted; of a long one the offsets are near enough.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import confluent_kafka.admin
from confluent_kafka import (
    Consumer,
    ConsumerGroupState,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from cli.errors import CommandError
from shared.kafka import open_consumer
from shared.lifecycle import Deadline
from shared.settings import CommonSettings

COUNT_AT_MOST = 1000
"""Offsets in one partition up to which its records are counted one by one."""
COUNT_SECONDS = 10.0
ANSWER_SECONDS = 10.0
READ_TO_THE_END = (KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET)
"""There is no more, or no longer: retention was quicker."""

OFFSET_SPEC = cast(Any, confluent_kafka.admin).OffsetSpec  # documented, but neither typed nor re-exported

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


@dataclass(frozen=True)
class Group:
    """A consumer group as Kafka sees it; a group that has never been has no members and is "dead"."""

    name: str
    state: str
    members: int
    partitions: int
    """Those that some member has."""


def stretches(admin: AdminClient, topic: str) -> list[Stretch]:
    """All that is in the topic for a reader of committed records, by partition. Raises CommandError without one."""
    metadata = _asked(lambda: admin.list_topics(timeout=ANSWER_SECONDS)).topics.get(topic)
    if metadata is None:
        raise CommandError(f"Topic {topic} does not exist. Make the topics with: namedrop topics")
    begins = _offsets(admin, topic, metadata.partitions, OFFSET_SPEC.earliest())
    ends = _offsets(admin, topic, metadata.partitions, OFFSET_SPEC.latest())
    return [Stretch(topic, partition, begins[partition], ends[partition]) for partition in sorted(begins)]


def unread(settings: CommonSettings, admin: AdminClient, group: str, topic: str) -> list[Stretch]:
    """What `group` has not committed of the topic, by partition; from the start where it committed nothing."""
    there = stretches(admin, topic)
    places = [TopicPartition(topic, at.partition) for at in there]
    # Not AdminClient.list_consumer_group_offsets: librdkafka 2.16 dies of a segmentation fault in it while the group's
    # coordinator is loading, as after a broker's start. This consumer asks, and never joins.
    with open_consumer(settings, group) as consumer:
        answer = _asked(lambda: consumer.committed(places, timeout=ANSWER_SECONDS))
    committed = {at.partition: at.offset for at in answer}  # negative where nothing was committed
    return [Stretch(topic, at.partition, max(at.begin, committed[at.partition]), at.end) for at in there]


def count_records(settings: CommonSettings, where: Iterable[Stretch]) -> int:
    """How many records a reader would find there: exact, but for stretches of more than COUNT_AT_MOST offsets."""
    waiting = [at for at in where if at.offsets]
    total = sum(at.offsets for at in waiting if at.offsets > COUNT_AT_MOST)
    short = [at for at in waiting if at.offsets <= COUNT_AT_MOST]
    if not short:
        return total
    # Partitions are assigned, never subscribed to: no group is joined, and nothing is committed.
    with open_consumer(settings, "namedrop-status", enable_partition_eof=True, fetch_wait_max_ms=10) as consumer:
        consumer.assign([TopicPartition(at.topic, at.partition, at.begin) for at in short])
        return total + _read_to_end(consumer, {(at.topic, at.partition): at.end for at in short})


def group(admin: AdminClient, name: str) -> Group:
    """The group's state and members."""
    described = _asked(admin.describe_consumer_groups([name], request_timeout=ANSWER_SECONDS)[name].result)
    # librdkafka has no names for the new protocol's "assigning" and "reconciling".
    moving = described.state is ConsumerGroupState.UNKNOWN
    return Group(
        name,
        state="rebalancing" if moving else described.state.name.lower().replace("_", " "),
        members=len(described.members),
        partitions=sum(len(member.assignment.topic_partitions) for member in described.members),
    )


def _read_to_end(consumer: Consumer, ends: dict[tuple[str, int], int]) -> int:
    records = 0
    deadline = Deadline(COUNT_SECONDS)
    while ends:
        record = consumer.poll(deadline.seconds_left)
        if record is None:
            raise CommandError(
                f"Kafka did not hand over all of {', '.join({topic for topic, _ in ends})} in time; try again."
            )
        place = (str(record.topic()), record.partition() or 0)
        error = record.error()
        if error is None and (record.offset() or 0) < ends.get(place, 0):
            records += 1
        elif error is None or error.code() in READ_TO_THE_END:
            ends.pop(place, None)
        else:
            raise CommandError(f"Kafka did not hand over {place[0]}-{place[1]}: {error.str()}")
    return records


def _offsets(admin: AdminClient, topic: str, partitions: Iterable[int], which: Any) -> dict[int, int]:
    asked = {TopicPartition(topic, partition): which for partition in partitions}
    answers = admin.list_offsets(
        asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ANSWER_SECONDS
    ).items()
    return {at.partition: _asked(future.result).offset for at, future in answers}


def _asked(call: Callable[[], Answer]) -> Answer:
    """Raises CommandError when Kafka is away or refuses."""
    try:
        return call()
    except KafkaException as error:
        raise CommandError(f"Kafka did not answer: {error.args[0].str()}") from error
