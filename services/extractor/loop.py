"""The extractor's loop: take, extract, hand over. No threads: one process is one worker."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from services.extractor import metrics
from services.extractor.batch import Batch
from services.extractor.extract import Extractor
from services.extractor.settings import ExtractorSettings
from services.extractor.transaction import transact
from shared.errors import BadRecord, Fatal, MustAbort
from shared.kafka import consumer_trouble, forget_lag, measure_lag, start_at
from shared.lifecycle import Deadline
from shared.messages import (
    EntityCount,
    ExtractedPost,
    Post,
    Source,
    dead_letter_headers,
    offset_of,
    parse,
    partition_of,
)
from shared.names import publication_key
from shared.telemetry import log
from shared.topics import MESSAGE_MAX_BYTES, topic_ids

POLL_SECONDS = 0.5
START_SECONDS = 30.0
MEASURE_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Outgoing:
    """A record to produce in the transaction."""

    topic: str
    key: bytes | str | None
    value: bytes | None
    headers: list[tuple[str, str | bytes | None]]


class Loop:
    """What one extractor process does all its life."""

    def __init__(
        self,
        settings: ExtractorSettings,
        extractor: Extractor,
        consumer: Consumer,
        producer: Producer,
        admin: AdminClient,
    ) -> None:
        self._settings = settings
        self._extractor = extractor
        self._consumer = consumer
        self._producer = producer
        self._admin = admin
        self._batch = Batch()
        self._topic_id = ""
        self._measured_at = 0.0

    def run(self, stop: Event) -> None:
        """Take, extract, hand over, until `stop` is set. A pass is one Kafka transaction, or it never happened."""
        transact(Deadline(START_SECONDS), self._producer.init_transactions)
        self._consumer.subscribe(
            [self._settings.posts_topic],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )
        while not stop.is_set():
            self._take()
            self._measure()
            if not self._batch.records:
                continue  # no transaction is open while we wait
            outgoing = self._extract()  # seconds of work, before the transaction, not inside it
            deadline = Deadline(self._settings.transaction_seconds)
            self._producer.begin_transaction()
            try:
                self._hand_over(outgoing, deadline)
            except MustAbort as error:
                metrics.TRANSACTIONS.labels(outcome="aborted").inc()
                log().warning("transaction.aborted", error=str(error), posts=len(self._batch.records))
                transact(Deadline(self._settings.transaction_seconds), self._producer.abort_transaction)
                self._rewind()
            else:
                metrics.TRANSACTIONS.labels(outcome="committed").inc()

    # Take

    def _take(self) -> None:
        """Fills the batch with what there is: waits for a first record, then for none."""
        self._batch = Batch()
        timeout = POLL_SECONDS
        while (
            len(self._batch.records) < self._settings.batch_max_posts
            and self._batch.chars < self._settings.batch_max_chars
        ):
            record = self._consumer.poll(timeout)
            if record is None:
                return
            error = record.error()
            if error is None:
                self._batch.add(record)
                timeout = 0.0
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                self._start_over(partition_of(record))
            else:
                consumer_trouble(error)

    # Extract

    def _extract(self) -> list[Outgoing]:
        """The batch's messages in input order, partition by partition: the saver's ledger rests on it."""
        posts = [_post(record) for record in self._batch.records]
        texts = [post.content for post in posts if isinstance(post, Post)]
        with metrics.MODEL_SECONDS.time():
            extracted = iter(self._extractor.extract(texts))
        return [
            self._dead_letter(record, post)
            if isinstance(post, BadRecord)
            else self._outgoing(record, post, next(extracted))
            for record, post in zip(self._batch.records, posts, strict=True)
        ]

    def _outgoing(self, record: Message, post: Post, entities: list[EntityCount] | BadRecord) -> Outgoing:
        if isinstance(entities, BadRecord):
            return self._dead_letter(record, entities)
        partition, offset = partition_of(record), offset_of(record)
        value = (
            ExtractedPost.model_construct(
                post_id=post.id or f"posts-{partition}-{offset}",
                publication=post.publication,
                entities=entities,
                source=Source(topic_id=self._topic_id, partition=partition, offset=offset),
                model=self._extractor.model,
                extracted_at=datetime.now(UTC),
            )
            .model_dump_json()
            .encode()
        )
        if len(value) > MESSAGE_MAX_BYTES:
            return self._dead_letter(record, BadRecord("too_many_entities", f"Its entities make {len(value)} bytes"))
        return Outgoing(self._settings.entities_topic, publication_key(post.publication), value, [])

    def _dead_letter(self, record: Message, error: BadRecord) -> Outgoing:
        metrics.DEAD_LETTERS.labels(kind=error.kind).inc()
        log().warning(
            "record.dead_lettered",
            partition=record.partition(),
            offset=record.offset(),
            kind=error.kind,
            error=str(error),
        )
        headers = dead_letter_headers(record, error, "extractor")
        return Outgoing(self._settings.posts_dlq_topic, record.key(), record.value(), headers)

    # Hand over

    def _hand_over(self, outgoing: list[Outgoing], deadline: Deadline) -> None:
        """Output and input positions, together or not at all. Raises MustAbort and Fatal."""
        for message in outgoing:
            self._produce(message, deadline)
        group = self._consumer.consumer_group_metadata()
        # The batch's own offsets, not consumer.position(): after a rebalance that speaks of other partitions.
        transact(deadline, self._producer.send_offsets_to_transaction, self._batch.next_offsets, group)
        transact(deadline, self._producer.commit_transaction)
        metrics.ARTICLES.inc(sum(message.topic == self._settings.entities_topic for message in outgoing))
        metrics.BATCH_POSTS.observe(len(outgoing))
        log().debug("batch.extracted", posts=len(outgoing))

    def _produce(self, message: Outgoing, deadline: Deadline) -> None:
        while True:
            try:
                self._producer.produce(message.topic, message.value, message.key, headers=message.headers)
            except BufferError:
                if deadline.passed:
                    raise MustAbort("The producer's queue stayed full until the deadline") from None
                self._producer.poll(0.1)
            except KafkaException as error:
                if error.args[0].fatal():
                    raise Fatal(f"{message.topic}: {error.args[0].str()}") from error
                raise MustAbort(f"{message.topic}: {error.args[0].str()}") from error
            else:
                return

    def _rewind(self) -> None:
        """Back to the batch's first records, where the partitions are still ours; else their new owner takes them."""
        ours = {place.partition for place in self._consumer.assignment()}
        for place in self._batch.first_offsets:
            if place.partition in ours:
                start_at(self._consumer, place)

    # Partitions come and go

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        # Asked on every assignment: a topic that was deleted and made again has another id and starts at offset 0.
        self._topic_id = topic_ids(self._admin, [self._settings.posts_topic])[self._settings.posts_topic]
        consumer.incremental_assign(assigned)
        log().info("partitions.assigned", partitions=[place.partition for place in assigned])

    def _on_revoke(self, consumer: Consumer, revoked: list[TopicPartition]) -> None:
        """What was taken from these partitions but not handed over is left to their new owner."""
        partitions = {place.partition for place in revoked}
        self._batch.drop(partitions)
        forget_lag(metrics.LAG, partitions)
        consumer.incremental_unassign(revoked)
        log().info("partitions.revoked", partitions=sorted(partitions))

    def _start_over(self, partition: int) -> None:
        """Goes to the partition's first record: the group has no offset there yet, or one that Kafka no longer has."""
        place = TopicPartition(self._settings.posts_topic, partition, OFFSET_BEGINNING)
        committed = self._consumer.committed([place], timeout=self._settings.transaction_seconds)[0]
        if committed.offset >= 0:
            metrics.RESETS.inc()
            log().error(
                "offset.out_of_range",
                partition=partition,
                committed=committed.offset,
                hint="posts behind it may be lost: the topic's retention.ms was too short, or it was made again",
            )
        start_at(self._consumer, place)

    def _measure(self) -> None:
        now = time.monotonic()
        if now - self._measured_at >= MEASURE_EVERY_SECONDS:
            self._measured_at = now
            metrics.READY.set(bool(self._consumer.memberid()))
            metrics.PARTITIONS.set(measure_lag(self._consumer, metrics.LAG))


def _post(record: Message) -> Post | BadRecord:
    try:
        return parse(Post, record)
    except BadRecord as error:
        return error
