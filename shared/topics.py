"""The four topics: what they must be, making them, and asking Kafka for their ids."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from shared.errors import Fatal, TopicMissing
from shared.settings import CommonSettings

MESSAGE_MAX_BYTES = 16 * 1024 * 1024
"""The largest record on any topic and in any client: a post of 1,000,000 characters of 4 bytes, its JSON
escapes, with room to spare."""

DEAD_LETTER_EXTRA_BYTES = 64 * 1024
"""Room for the headers of a dead letter whose record was as large as it may be."""

ADMIN_SECONDS = 30.0
LOOK_SECONDS = 0.1
URL_SAFE = str.maketrans("+/", "-_")
"""librdkafka writes ids in plain base64, Kafka's own tools in the URL-safe kind, with no "/" to upset Firestore."""
DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class Topic:
    """What `namedrop topics` makes where it is missing."""

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)


def wanted(settings: CommonSettings) -> list[Topic]:
    """The project's topics. `posts` is kept for replay, as long as you want to be able to; dead letters for good."""
    config = {"max.message.bytes": str(MESSAGE_MAX_BYTES), "retention.ms": str(30 * DAY_MS)}
    forever = {"max.message.bytes": str(MESSAGE_MAX_BYTES + DEAD_LETTER_EXTRA_BYTES), "retention.ms": "-1"}
    return [
        Topic(settings.posts_topic, 48, config),
        Topic(settings.entities_topic, 12, config),
        Topic(settings.posts_dlq_topic, 3, forever),
        Topic(settings.entities_dlq_topic, 3, forever),
    ]


def ensure_topics(admin: AdminClient, topics: Iterable[Topic], replication: int = -1) -> list[str]:
    """Makes what is missing and leaves alone what is there; returns the names of those made.

    Returns when a broker that is asked knows them all: the controller, which makes them, answers before the brokers
    have heard of it, and one that has just come back may be seconds behind. Who may only make topics can't ask.

    replication: -1 is the broker's default. Raises Fatal with Kafka's reason, or TopicMissing when they stay unknown.
    """
    topics = list(topics)
    new = [
        NewTopic(topic.name, num_partitions=topic.partitions, replication_factor=replication, config=topic.config)
        for topic in topics
    ]
    made = []
    for name, future in admin.create_topics(new, operation_timeout=ADMIN_SECONDS).items():
        try:
            future.result()
            made.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise Fatal(f"Topic {name} could not be made: {error.args[0].str()}") from error
    deadline = time.monotonic() + ADMIN_SECONDS
    while True:
        try:
            topic_ids(admin, [topic.name for topic in topics])
        except TopicMissing:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_SECONDS)
        except Fatal as error:
            if not _may_not_look(error.__cause__):
                raise
            return made
        else:
            return made


def _may_not_look(cause: BaseException | None) -> bool:
    return isinstance(cause, KafkaException) and cause.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def topic_ids(admin: AdminClient, names: Iterable[str], seconds: float = ADMIN_SECONDS) -> dict[str, str]:
    """Kafka's own id of each topic (KIP-516), 22 characters of base64.

    seconds: how long Kafka may take to answer. Raises TopicMissing, naming the topic and the command that makes it,
    and Fatal when Kafka does not answer.
    """
    ids = {}
    for name, future in admin.describe_topics(TopicCollection(list(names)), request_timeout=seconds).items():
        try:
            ids[name] = str(future.result().topic_id).translate(URL_SAFE)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise TopicMissing(f"Topic {name} does not exist. Make the topics with: namedrop topics") from error
            raise Fatal(f"Kafka could not describe topic {name}: {error.args[0].str()}") from error
    return ids


def offset_range(admin: AdminClient, topic: str, partition: int) -> tuple[int, int]:
    """The partition's first offset and the one its next record will get. Raises KafkaException.

    Ask for topic_ids first: librdkafka's list_offsets believes in an old leader for minutes after a broker's restart
    (FENCED_LEADER_EPOCH), until something else asks where the topic is.

    Not `Consumer.get_watermark_offsets`: called from several threads at once, its answers come seconds late.
    """
    place = TopicPartition(topic, partition)
    specs = (OffsetSpec.earliest(), OffsetSpec.latest())
    answers = [admin.list_offsets({place: spec}, request_timeout=ADMIN_SECONDS)[place] for spec in specs]
    first, end = (answer.result().offset for answer in answers)
    return first, end
