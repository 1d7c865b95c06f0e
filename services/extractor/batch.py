"""Records taken together: what one transaction will cover."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import cast

from confluent_kafka import Message, TopicPartition

from shared.messages import offset_of, partition_of


@dataclass
class Batch:
    """Records in the order in which Kafka handed them over: within a partition, by offset."""

    records: list[Message] = field(default_factory=list)
    chars: int = 0

    def add(self, record: Message) -> None:
        self.records.append(record)
        self.chars += len(record.value() or b"")

    def drop(self, partitions: Collection[int]) -> None:
        """Leave out what another extractor owns now."""
        self.records = [record for record in self.records if record.partition() not in partitions]

    @property
    def first_offsets(self) -> list[TopicPartition]:
        """Per partition, where to go back to when the batch did not happen."""
        firsts: dict[tuple[str, int], int] = {}
        for record in self.records:
            firsts.setdefault(_place(record), offset_of(record))
        return [TopicPartition(topic, partition, offset) for (topic, partition), offset in firsts.items()]

    @property
    def next_offsets(self) -> list[TopicPartition]:
        """Per partition, what the group commits: the offset behind the last record."""
        lasts = {_place(record): offset_of(record) for record in self.records}
        return [TopicPartition(topic, partition, offset + 1) for (topic, partition), offset in lasts.items()]


def _place(record: Message) -> tuple[str, int]:
    return cast(str, record.topic()), partition_of(record)
