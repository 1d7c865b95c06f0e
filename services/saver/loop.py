"""The saver's one poll loop: records into batches, batches into Firestore, at most one commit a partition at a time."""

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from services.saver import metrics
from services.saver.batch import DeadLetter
from services.saver.ledger import Ledger
from services.saver.partition import Closed, Limits, Partition, Standing
from services.saver.settings import SaverSettings
from services.saver.store import Store, Version
from shared.errors import Fatal, NamedropError, StoreMoved, StoreRefused, StoreUnavailable
from shared.kafka import consumer_trouble, forget_lag, measure_lag, start_at
from shared.lifecycle import Deadline
from shared.messages import dead_letter_headers, offset_of, partition_of
from shared.telemetry import log
from shared.topics import offset_range, topic_ids

POLL_SECONDS = 0.05
POLL_RECORDS = 500
KAFKA_SECONDS = 10.0
MEASURE_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Found:
    """A ledger as read from Firestore, and where in Kafka that means to start."""

    standing: Standing
    start: int


class Saver:
    """All of it runs in the thread that polls, but `_find` and `_commit`: they run in the pool and touch no state."""

    def __init__(
        self, settings: SaverSettings, consumer: Consumer, admin: AdminClient, producer: Producer, store: Store
    ) -> None:
        self._settings = settings
        self._topic = settings.entities_topic
        self._limits = Limits(settings.batch_max_posts, settings.batch_max_documents, settings.batch_max_age_seconds)
        self._consumer = consumer
        self._admin = admin
        self._producer = producer
        self._store = store
        self._pool = ThreadPoolExecutor(settings.commit_threads, "firestore")
        self._partitions: dict[int, Partition] = {}
        self._measured_at = 0.0

    def run(self, stop: Event) -> None:
        """Poll, take, commit, until `stop` is set; then commit what is in hand. Raises Fatal."""
        self._consumer.subscribe(
            [self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )
        while not stop.is_set():
            for record in self._consumer.consume(POLL_RECORDS, POLL_SECONDS):
                self._take(record)
            for partition in self._partitions.values():
                self._turn(partition)
            self._measure()
        self._finish(Deadline(self._settings.shutdown_seconds))

    # Records

    def _take(self, record: Message) -> None:
        error = record.error()
        partition = self._partitions.get(partition_of(record))
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            self._take_error(error, partition)
        elif partition is None or partition.standing is None:
            pass  # taken away, or fallen back to its ledger, a moment ago: the record comes again
        elif error is not None:
            self._at_end(partition, offset_of(record))
        elif offset_of(record) < partition.position:
            # Only a topic that was deleted and made again goes backwards by itself. By the old topic's ledger, the
            # new one's first records would be left out as duplicates.
            self._fall_back(partition, "went_backwards", wait=False)
        else:
            partition.take(record, time.monotonic())

    def _take_error(self, error: KafkaError, partition: Partition | None) -> None:
        consumer_trouble(error)
        if error.code() == KafkaError._AUTO_OFFSET_RESET and partition is not None:
            self._fall_back(partition, "offset_out_of_range", wait=True)

    def _at_end(self, partition: Partition, end: int) -> None:
        """Everything readable was read. `end` is behind the transaction markers, which no reader sees."""
        if partition.standing is not None:
            partition.standing.ledger.skip_to(end)
            self._commit_offset(partition)

    # Partitions come and go

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        """Takes the partitions, paused: each starts where its ledger says, once that is read."""
        for each in assigned:
            each.offset = 0
            self._partitions[each.partition] = Partition(each.partition, self._limits)
        consumer.incremental_assign(assigned)
        consumer.pause(assigned)
        for each in assigned:
            self._partitions[each.partition].paused = True
        log().info("partitions.assigned", partitions=[each.partition for each in assigned])

    def _on_revoke(self, consumer: Consumer, revoked: list[TopicPartition]) -> None:
        """Lets go of the partitions as they are. A commit under way ends by itself: whether it arrives before or after
        the new owner reads the ledger, only one of the two can write the next version of it."""
        for each in revoked:
            self._partitions.pop(each.partition, None)
        forget_lag(metrics.LAG, [each.partition for each in revoked])
        consumer.incremental_unassign(revoked)
        log().info("partitions.revoked", partitions=[each.partition for each in revoked])

    # One partition's turn

    def _turn(self, partition: Partition) -> None:
        now = time.monotonic()
        if partition.work is not None and partition.work.done():
            work, partition.work = partition.work, None
            self._settle(partition, work, now)
        if partition.work is None:
            self._start_work(partition, now)
        self._hold_back(partition)

    def _start_work(self, partition: Partition, now: float) -> None:
        standing = partition.standing
        if standing is None:
            if now >= partition.try_again_at:
                partition.work = self._pool.submit(self._find, partition.number)
        elif (closed := partition.next_commit(now)) is not None:
            partition.work = self._pool.submit(self._commit, partition.number, standing, closed)
        elif now - partition.checked_at >= self._settings.ledger_check_seconds:
            partition.work = self._pool.submit(self._find, partition.number)

    def _settle(self, partition: Partition, work: "Future[Found] | Future[Version]", now: float) -> None:
        try:
            result = work.result()
        except StoreMoved as error:
            self._fall_back(partition, "moved", wait=False, error=str(error))
        except StoreRefused as error:
            self._refused(partition, str(error))
        except NamedropError as error:
            self._fall_back(partition, "unavailable", wait=True, error=str(error))
        else:
            partition.checked_at = now
            if isinstance(result, Found):
                self._found(partition, result)
            elif partition.standing is not None:  # else it fell back meanwhile, and reads what this commit left
                self._saved(partition, result)

    def _found(self, partition: Partition, found: Found) -> None:
        """Goes on from a ledger just read, unless it is the one that the partition stands on."""
        standing = partition.standing
        if standing and (standing.topic_id, standing.version) == (found.standing.topic_id, found.standing.version):
            return
        if standing is not None:
            metrics.RELOADS.labels(reason="changed").inc()
            log().warning("ledger.changed", partition=partition.number, next_offset=found.start)
        partition.found(found.standing, found.start)
        start_at(self._consumer, TopicPartition(self._topic, partition.number, found.start))
        log().info("partition.started", partition=partition.number, next_offset=found.start)

    def _saved(self, partition: Partition, version: Version) -> None:
        closed = partition.saved(version)
        batch = closed.batch
        metrics.BATCHES.inc()
        metrics.POSTS.inc(batch.posts)
        metrics.DOCUMENTS.inc(batch.documents)
        metrics.INCREMENTS.inc(batch.documents + len(batch.publications))  # a publication has two counts
        for caught_by, count in batch.duplicates.items():
            metrics.DUPLICATES.labels(caught_by=caught_by).inc(count)
        for dead_letter in batch.dead_letters:
            metrics.DEAD_LETTERS.labels(kind=dead_letter.error.kind).inc()
        log().info(
            "batch.saved",
            partition=partition.number,
            next_offset=closed.next_offset,
            posts=batch.posts,
            documents=batch.documents,
            duplicates=batch.duplicates.total(),
            dead_letters=len(batch.dead_letters),
        )
        self._commit_offset(partition, closed.next_offset)

    def _refused(self, partition: Partition, reason: str) -> None:
        standing = partition.standing
        if standing is None:
            return
        batch = standing.closed[0].batch
        if not batch.publications:
            raise Fatal(
                f"Firestore refuses the ledger of {self._topic} partition {partition.number} itself: {reason}. "
                "Nothing was written; look at the document ledger/"
                f"{standing.topic_id}-{partition.number} and at the database's settings."
            )
        partition.refused(batch, reason)
        self._fall_back(partition, "refused", wait=False, messages=batch.messages, error=reason)

    def _fall_back(self, partition: Partition, reason: str, *, wait: bool, **fields: object) -> None:
        metrics.RELOADS.labels(reason=reason).inc()
        log().warning("partition.fell_back", partition=partition.number, reason=reason, **fields)
        partition.fall_back(time.monotonic(), wait=wait)

    def _hold_back(self, partition: Partition) -> None:
        """Pauses what can take no more and resumes what can; the loop polls on, so the group stays whole."""
        full = partition.standing is None or len(partition.standing.closed) > 1
        if full != partition.paused:
            (self._consumer.pause if full else self._consumer.resume)([TopicPartition(self._topic, partition.number)])
            partition.paused = full

    def _commit_offset(self, partition: Partition, next_offset: int | None = None) -> None:
        """Tells Kafka how far we are, for the lag tools only: a commit that is lost does no harm."""
        if partition.idle and partition.standing:
            next_offset = partition.standing.ledger.next_offset
        if next_offset is not None:
            place = TopicPartition(self._topic, partition.number, next_offset)
            try:
                self._consumer.commit(offsets=[place], asynchronous=True)
            except KafkaException as error:
                log().warning("kafka.offset_not_committed", partition=partition.number, error=str(error))

    # In the pool

    def _find(self, number: int) -> Found:
        """The partition's ledger, and where that means to start. Raises StoreUnavailable."""
        try:
            topic_id = topic_ids(self._admin, [self._topic])[self._topic]
            low, high = offset_range(self._admin, self._topic, number)
        except (Fatal, KafkaException) as error:
            raise StoreUnavailable(f"Kafka did not say where partition {number} begins and ends: {error}") from error
        stored, version = self._store.read(topic_id, number)
        ledger = stored or Ledger()
        if ledger.next_offset > high:
            raise StoreUnavailable(
                f"Ledger {topic_id}-{number} stands at offset {ledger.next_offset} but topic {self._topic} ends at "
                f"{high}: it was truncated or restored. Nothing was written. Restore the topic, or stop the savers and "
                "count again into a new FIRESTORE_ROOT; see README, Replay."
            )
        if ledger.next_offset < low and stored is not None:
            metrics.LOST_RECORDS.inc(low - ledger.next_offset)
            log().error(
                "ledger.behind_retention",
                partition=number,
                next_offset=ledger.next_offset,
                earliest=low,
                hint="posts between the two are not counted; retention.ms of the topic was too short",
            )
        return Found(Standing(topic_id, ledger, version), max(ledger.next_offset, low))

    def _commit(self, number: int, standing: Standing, closed: Closed) -> Version:
        """Dead letters first, so that none is lost; then the counts and the ledger, at once or not at all."""
        self._bury(closed.batch.dead_letters)
        with metrics.COMMIT_SECONDS.time():
            return self._store.commit(closed.batch, standing.topic_id, number, closed.ledger, standing.version)

    def _bury(self, dead_letters: list[DeadLetter]) -> None:
        """Sends records to the dead-letter topic as they came. Raises StoreUnavailable when one is not acknowledged."""
        undelivered = len(dead_letters)
        failures: list[KafkaError] = []

        def on_delivery(error: KafkaError | None, _message: Message) -> None:
            nonlocal undelivered
            undelivered -= 1
            if error is not None:
                failures.append(error)

        for each in dead_letters:
            self._producer.produce(
                self._settings.entities_dlq_topic,
                each.record.value(),
                each.record.key(),
                headers=dead_letter_headers(each.record, each.error, "saver"),
                on_delivery=on_delivery,
            )
            log().warning(
                "record.dead_lettered",
                partition=each.record.partition(),
                offset=each.record.offset(),
                kind=each.error.kind,
                error=str(each.error),
            )
        deadline = Deadline(KAFKA_SECONDS)
        while undelivered and not deadline.passed:
            self._producer.poll(0.1)
        if undelivered or failures:
            reason = failures[0].str() if failures else f"no answer within {KAFKA_SECONDS:g} s"
            raise StoreUnavailable(f"Dead letters could not be sent to {self._settings.entities_dlq_topic}: {reason}")

    # The end, and what is seen from outside

    def _finish(self, deadline: Deadline) -> None:
        for partition in self._partitions.values():
            if partition.standing is not None:
                partition.close()
        while (busy := [p for p in self._partitions.values() if p.busy]) and not deadline.passed:
            for partition in busy:
                self._turn(partition)
            wait([p.work for p in busy if p.work], timeout=0.1, return_when=FIRST_COMPLETED)
        self._pool.shutdown(wait=False, cancel_futures=True)
        log().info("saver.stopped", unsaved_partitions=[p.number for p in busy])

    def _measure(self) -> None:
        now = time.monotonic()
        if now - self._measured_at < MEASURE_EVERY_SECONDS:
            return
        self._measured_at = now
        metrics.READY.set(bool(self._consumer.memberid()))
        metrics.PARTITIONS.set(measure_lag(self._consumer, metrics.LAG))
        oldest = [p.unsaved_since_ms for p in self._partitions.values() if p.unsaved_since_ms is not None]
        metrics.OLDEST_UNSAVED.set(max(0.0, time.time() - min(oldest) / 1000) if oldest else 0.0)
