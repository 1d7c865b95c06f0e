"""Kafka clients as this project needs them, and what librdkafka tells on the side."""

import json
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from prometheus_client import Gauge

from shared.errors import Fatal
from shared.settings import CommonSettings, refuse
from shared.telemetry import log
from shared.topics import DEAD_LETTER_EXTRA_BYTES, MESSAGE_MAX_BYTES

librdkafka_log = logging.getLogger("librdkafka")
# Each client says twice a second that its broker is away, and _log_error hears of it too.
librdkafka_log.addFilter(lambda record: not record.getMessage().startswith("FAIL"))
QUIET_SECONDS = 10.0
_told_at: dict[str, float] = {}
LOOK_FOR_BROKERS = {"statistics_interval_ms": 30_000}
"""For clients that are polled all the time: poll() raises Fatal within so long when librdkafka has no broker left."""


def _config(settings: CommonSettings, **defaults: Any) -> dict[str, Any]:
    # A broker that was away is back within a second, not after librdkafka's ten.
    callbacks = {"error_cb": _log_error, "stats_cb": _give_up_without_brokers}
    return callbacks | settings.kafka_config(reconnect_backoff_max_ms=1000, **defaults)


def _log_error(error: KafkaError) -> None:
    """Client-wide trouble, such as all brokers down: librdkafka goes on trying, so this only tells, and not all the
    time."""
    now = time.monotonic()
    if not error.fatal() and now - _told_at.get(error.name(), -QUIET_SECONDS) < QUIET_SECONDS:
        return
    _told_at[error.name()] = now
    log().warning("kafka.error", error=error.str(), code=error.name(), fatal=error.fatal())


def _give_up_without_brokers(statistics: str) -> None:
    """Raises Fatal, out of poll(), when librdkafka has nobody left to ask: it does not look for anybody new either.

    Seen with 2.16.1 after a broker that is alone was restarted (docs/reliability.md). Brokers that are only away stay
    known.
    """
    known = {broker["source"] for broker in json.loads(statistics)["brokers"].values()}
    if not known & {"configured", "learned"}:
        raise Fatal("librdkafka knows no broker any more, so this client would wait for ever")


@contextmanager
def open_admin(settings: CommonSettings) -> Iterator[AdminClient]:
    """An AdminClient; nothing to close, a `with` only so that it reads like the others."""
    yield _built(AdminClient, _config(settings))


@contextmanager
def open_producer(settings: CommonSettings, **defaults: Any) -> Iterator[Producer]:
    """A durable producer: acknowledged by all in-sync replicas, in order, no duplicates from its own retries.

    It partitions as Java's clients do, so that a keyed record put back with the console tools lands where it came from.
    """
    config = {"acks": "all", "enable_idempotence": True, "partitioner": "murmur2_random"} | defaults
    producer = _built(
        Producer,
        _config(
            settings, message_max_bytes=MESSAGE_MAX_BYTES + DEAD_LETTER_EXTRA_BYTES, compression_type="lz4", **config
        ),
    )
    try:
        yield producer
    finally:
        producer.purge(in_flight=False)  # what was not handed over in time was never promised
        producer.flush(1.0)


@contextmanager
def open_consumer(settings: CommonSettings, group: str, **defaults: Any) -> Iterator[Consumer]:
    """A member of `group` that sees only committed transactions, commits nothing by itself and reports lost offsets.

    KIP-848's protocol unless KAFKA_GROUP_PROTOCOL=classic, then cooperative: both hand over partitions one by one.
    Leaves the group when the `with` ends.
    """
    config: dict[str, Any] = {
        "group_id": group,
        "group_protocol": "consumer",
        "isolation_level": "read_committed",
        "enable_auto_commit": False,
        "auto_offset_reset": "error",
        "fetch_max_bytes": 2 * MESSAGE_MAX_BYTES,
        # One fetch may hold 16 MiB, so a few partitions' worth of prefetch is enough.
        "queued_max_messages_kbytes": 32 * 1024,
    } | defaults
    merged = _config(settings, **config)
    if merged["group.protocol"] == "classic":
        merged = {
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": 10_000,
        } | merged
    consumer = _built(Consumer, merged)
    try:
        yield consumer
    finally:
        consumer.close()


def _built(client: Any, config: dict[str, Any]) -> Any:
    try:
        return client(config, logger=librdkafka_log)
    except KafkaException as error:
        refuse(f"Kafka configuration: {error.args[0].str()}. Properties are set as KAFKA_<NAME>; see README, Settings.")


HOPELESS = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED}
"""Errors that no waiting mends: the operator has to give this service its rights."""


def consumer_trouble(error: KafkaError) -> None:
    """Logs what a poll reported instead of a record; librdkafka goes on by itself. Raises Fatal where it can't."""
    if error.fatal() or error.code() in HOPELESS:
        raise Fatal(f"Consumer: {error.str()} ({error.name()})")
    log().warning("kafka.consumer_error", error=error.str(), code=error.name())


def start_at(consumer: Consumer, place: TopicPartition) -> None:
    """Goes on at `place` in a partition that is assigned, and leaves it paused if it was.

    Not `seek`: librdkafka refuses that (_STATE) while a fetcher starts, and after an offset that was out of range.
    """
    consumer.incremental_unassign([place])
    consumer.incremental_assign([place])


def measure_lag(consumer: Consumer, lag: Gauge) -> int:
    """Sets `lag`, by partition, to the records not read yet, as far as is known here without asking the broker.
    Returns how many partitions are assigned."""
    places = consumer.position(consumer.assignment())
    for place in places:
        _, end = consumer.get_watermark_offsets(place, cached=True)
        if place.offset >= 0 and end >= 0:
            lag.labels(partition=str(place.partition)).set(max(0, end - place.offset))
    return len(places)


def forget_lag(lag: Gauge, partitions: Iterable[int]) -> None:
    """The partitions' lag is another process's to tell."""
    for partition in partitions:
        with suppress(KeyError):
            lag.remove(str(partition))
