"""Stand-ins for what confluent-kafka hands over, for logic that knows no broker."""

from dataclasses import dataclass
from datetime import UTC, datetime

from shared.messages import EntityCount, ExtractedPost, Source


@dataclass(frozen=True)
class Record:
    """A Kafka record, with the accessors of `confluent_kafka.Message` that our code calls."""

    _value: bytes | None
    _offset: int = 0
    _partition: int = 0
    _topic: str = "entities"
    _key: bytes | None = None

    def value(self) -> bytes | None:
        return self._value

    def key(self) -> bytes | None:
        return self._key

    def offset(self) -> int:
        return self._offset

    def partition(self) -> int:
        return self._partition

    def topic(self) -> str:
        return self._topic

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_700_000_000_000 + self._offset


def extracted(
    post_id: str,
    source: tuple[int, int],
    publication: str = "Reuters",
    names: dict[str, int] | None = None,
    topic_id: str = "kF3",
) -> ExtractedPost:
    """A message of the entities topic. source: partition and offset in `posts`. names: text to count, all PERSON."""
    return ExtractedPost(
        post_id=post_id,
        publication=publication,
        entities=[EntityCount(text=text, label="PERSON", count=count) for text, count in (names or {}).items()],
        source=Source(topic_id=topic_id, partition=source[0], offset=source[1]),
        model="test 1.0.0",
        extracted_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
