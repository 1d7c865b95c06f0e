"""Posts to Kafka, and the broker's acknowledgement back to whoever waits for it."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from services.gateway.metrics import ACK_SECONDS
from services.gateway.refusal import Reason, Refusal, busy
from services.gateway.settings import GatewaySettings
from shared.errors import Fatal
from shared.kafka import LOOK_FOR_BROKERS, open_producer
from shared.telemetry import log

POLL_SECONDS = 0.001
"""Between two looks for reports, while there is something to report: uvloop's clock has no finer ticks. A client that
sends one post after another waits 0.7 ms longer for each than a thread in poll() would let it."""
IDLE_SECONDS = 0.1
"""The same while there is not: librdkafka also has errors to tell."""
SWEEP_SECONDS = 0.05
REPLACE_SECONDS = 1.0
MAYBE_STORED = {
    KafkaError._MSG_TIMED_OUT,
    KafkaError._TIMED_OUT,
    KafkaError._TRANSPORT,
    KafkaError._PURGE_INFLIGHT,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.DUPLICATE_SEQUENCE_NUMBER,
}
"""Errors after which a record may be in the topic all the same."""

NO_OFFSET = KafkaError(KafkaError.DUPLICATE_SEQUENCE_NUMBER)
"""librdkafka reports success, and no offset, of what the broker takes for a record that it has. So it is when only the
acknowledgement was lost. But when the topic was deleted and made again meanwhile, the record is nowhere."""

ProducerOpener = Callable[..., AbstractContextManager[Producer]]


class Report(NamedTuple):
    """What Kafka said about one post: where it stands, or why it does not."""

    partition: int
    offset: int
    error: KafkaError | None


OVERDUE = Report(-1, -1, KafkaError(KafkaError._TIMED_OUT))
Receipt = asyncio.Future[Report]
"""What a post handed over gives back: Kafka's report, or OVERDUE after `ack_seconds`."""


class Deliveries:
    """The worker's one producer, and the task that polls it.

    A task on the event loop, and no thread that waits in poll(): a thread would fight the loop for Python's lock at
    each report, and under load that costs more than all the rest. Time-outs are swept, not set: a timer for each post
    costs more than the post.
    """

    def __init__(self, settings: GatewaySettings, opener: ProducerOpener = open_producer) -> None:
        self._settings = settings
        self._opener = opener
        self._topic = settings.posts_topic
        self._reports: list[tuple[Receipt, float, Report]] = []
        self._waiting: deque[tuple[float, Receipt]] = deque()
        """When each post was handed over, the oldest first; those with a report leave with the next sweep."""
        self._unreported = 0
        self._handed_over = asyncio.Event()
        self._scope = ExitStack()
        self._broken = False

    async def __aenter__(self) -> "Deliveries":
        self._loop = asyncio.get_running_loop()
        self._open_producer()
        self._polling = self._loop.create_task(self._poll())
        self._polling.add_done_callback(_tell_if_it_failed)
        self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._polling.cancel()
        await asyncio.wait([self._polling])
        await asyncio.to_thread(self._scope.close)
        self._settle()
        self._sweeper.cancel()

    @property
    def working(self) -> bool:
        """False when the task died: then no acknowledgement would ever come, and only a restart helps."""
        return not self._polling.done()

    def hand_over(self, value: bytes) -> Receipt:
        """Raises Refusal when the producer does not take it; then nothing was stored."""
        receipt: Receipt = self._loop.create_future()
        now = time.monotonic()
        try:
            self._producer.produce(self._topic, value, on_delivery=partial(self._report, receipt, now))
        except BufferError:
            raise busy("The queue to Kafka is full.") from None
        except KafkaException as error:
            if error.args[0].code() == KafkaError._FATAL:
                self._broken = True
            raise not_stored(error.args[0]) from error
        self._waiting.append((now, receipt))
        self._unreported += 1
        self._handed_over.set()
        return receipt

    async def acknowledged(self, receipt: Receipt, post_id: str) -> Report:
        """Waits for the acknowledgement, until `ack_seconds` after the post was handed over. Raises Refusal when there
        is none."""
        report = await receipt
        if report.error is None:
            return report
        if report.error.code() in MAYBE_STORED:
            raise self.not_acknowledged(post_id)
        raise not_stored(report.error)

    def not_acknowledged(self, post_id: str) -> Refusal:
        return Refusal(
            503,
            Reason.NOT_ACKNOWLEDGED,
            f"Kafka did not acknowledge the post within {self._settings.ack_seconds:g} s. It may still arrive; "
            "it may be sent again with the same id, and is counted once.",
            id=post_id,
        )

    async def _poll(self) -> None:
        """The task's work, until it is cancelled."""
        while True:
            await self._until_reports_may_be_there()
            try:
                self._producer.poll(0)
            except (KafkaException, Fatal) as error:  # without its right to write, say, a producer gets no id
                log().error("producer.broken", error=str(error))
                self._broken = True
                await asyncio.sleep(REPLACE_SECONDS)  # the next one may fare no better
            self._settle()
            if self._broken:
                log().error("producer.replaced", error="librdkafka has given this producer up")
                await asyncio.to_thread(self._scope.close)  # a second, for what is still under way
                self._settle()
                self._open_producer()

    async def _until_reports_may_be_there(self) -> None:
        if self._unreported:
            await asyncio.sleep(POLL_SECONDS)
            return
        self._handed_over.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_SECONDS):
                await self._handed_over.wait()

    def _report(self, receipt: Receipt, started: float, error: KafkaError | None, message: Message) -> None:
        """librdkafka's delivery callback; in a thread of its own while a producer is being closed."""
        partition, offset = message.partition(), message.offset()
        if partition is None or offset is None:
            report = Report(-1, -1, error or NO_OFFSET)
        else:
            report = Report(partition, offset, error)
        self._reports.append((receipt, started, report))

    def _settle(self) -> None:
        """Wakes those who still wait."""
        now = time.monotonic()
        for receipt, started, report in self._reports:
            if report.error is None:
                ACK_SECONDS.observe(now - started)
            if not receipt.done():
                receipt.set_result(report)
        self._unreported -= len(self._reports)
        self._reports.clear()

    def _sweep(self) -> None:
        """Tells those who have waited too long, whatever the producer does meanwhile."""
        self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)
        overdue = time.monotonic() - self._settings.ack_seconds
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] < overdue):
            _, receipt = self._waiting.popleft()
            if not receipt.done():
                receipt.set_result(OVERDUE)

    def _open_producer(self) -> None:
        self._producer = self._scope.enter_context(self._opener(self._settings, **producer_config(self._settings)))
        self._broken = False
        self._unreported = 0


def producer_config(settings: GatewaySettings) -> dict[str, Any]:
    return LOOK_FOR_BROKERS | {
        # A post whose client was told 503 is not kept for later: the client sends it again.
        "message_timeout_ms": round(settings.ack_seconds * 1000),
        # Together with murmur2_random: each post, having no key, goes to a partition of its own choosing. By default
        # all posts of 10 ms go to one partition, and so to one extractor.
        "sticky_partitioning_linger_ms": 0,
        # Waiting for company would save a tenth of the CPU under load (1 ms: Kafka's too), and would cost a client that
        # sends one post after another 1.2 ms a post. Under load posts find company all the same, while five requests
        # are under way.
        "linger_ms": 0,
        "queue_buffering_max_kbytes": settings.in_flight_max_bytes // 1024,
    }


def not_stored(error: KafkaError) -> Refusal:
    """For what Kafka, or the client library, turned away for good."""
    if error.code() in {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}:
        return Refusal(413, Reason.TOO_LARGE, "The post is larger than Kafka takes (max.message.bytes of the topic).")
    return Refusal(503, Reason.KAFKA_REFUSED, f"Kafka refused the post: {error.str()}. Nothing was stored.")


def _tell_if_it_failed(polling: asyncio.Task[None]) -> None:
    if not polling.cancelled() and (error := polling.exception()):
        log().critical("deliveries.ended", exc_info=error)
