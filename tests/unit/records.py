"""Records and messages without a broker."""

from datetime import UTC, datetime

from confluent_kafka import Message

from shared.messages import EntityCount, ExtractedPost, Source


def record(value: bytes | None, offset: int = 0, partition: int = 0, topic: str = "entities") -> Message:
    """A record as Kafka would hand it over."""
    return Message(
        topic=topic, partition=partition, offset=offset, value=value, timestamp=(1, 1_700_000_000_000 + offset)
    )


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
