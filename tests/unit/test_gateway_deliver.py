"""What comes of a post when Kafka's client does not simply take and acknowledge it.

The broker's side of this is in tests/integration; here stand errors that no broker makes on demand.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from pydantic import SecretStr

from cli.keys import entry
from services.gateway.deliver import Deliveries, Report
from services.gateway.refusal import Reason, Refusal
from services.gateway.settings import GatewaySettings
from shared.errors import Fatal

LATE = KafkaError(KafkaError._STATE)
"""An acknowledgement that comes only when the producer is closed."""
Answer = KafkaError | BufferError | KafkaException | None
"""What a delivery report says, or what produce() raises; None is an acknowledgement."""
FATAL = KafkaException(KafkaError(KafkaError._FATAL, "out of order sequence number", True))


class FakeMessage:
    def __init__(self, offset: int | None = 42) -> None:
        self._offset = offset

    def partition(self) -> int:
        return 7

    def offset(self) -> int | None:
        return self._offset


class FakeProducer:
    """Answers every post in the same way, from poll(), as librdkafka does."""

    def __init__(self, answer: Answer | str) -> None:
        self.answer = answer
        self.reports: list[Callable[[], None]] = []

    def produce(self, _topic: str, _value: bytes, on_delivery: Callable[[Any, FakeMessage], None]) -> None:
        answer = self.answer
        if isinstance(answer, BufferError | KafkaException):
            raise answer
        if not isinstance(answer, str):
            self.reports.append(lambda: on_delivery(None if answer is LATE else answer, FakeMessage()))
        elif answer == "no offset":
            self.reports.append(lambda: on_delivery(None, FakeMessage(offset=None)))

    def poll(self, _seconds: float) -> None:
        if isinstance(self.answer, str) and self.answer == "broken":
            raise FATAL
        if isinstance(self.answer, str) and self.answer == "no brokers":
            raise Fatal(self.answer)
        if isinstance(self.answer, str) and self.answer == "a bug":
            raise ValueError(self.answer)
        if self.answer is not LATE:
            self.flush()

    def flush(self) -> None:
        while self.reports:
            self.reports.pop()()


async def nothing() -> None:
    pass


def deliver(
    answers: list[Answer | str],
    posts: Callable[[Deliveries], Awaitable[None]],
    afterwards: Callable[[], Awaitable[None]] = nothing,
) -> None:
    """Runs `posts` on producers that give these answers, each replaced by the next."""
    producers = iter(answers)

    @contextmanager
    def opener(*_settings: object, **_config: object) -> Iterator[Producer]:
        producer = FakeProducer(next(producers))
        yield cast(Producer, producer)
        producer.flush()

    async def run() -> None:
        settings = GatewaySettings(api_keys=SecretStr(entry("alice", "k")), ack_seconds=0.5)
        async with Deliveries(settings, opener) as deliveries:
            assert deliveries.working
            await posts(deliveries)
        assert not deliveries.working
        await afterwards()

    asyncio.run(run())


async def one(deliveries: Deliveries) -> Report:
    return await deliveries.acknowledged(deliveries.hand_over(b"{}"), "my-id")


def test_a_report_becomes_the_answer() -> None:
    """Many at once, each with its own."""

    async def posts(deliveries: Deliveries) -> None:
        reports = await asyncio.gather(*(one(deliveries) for _ in range(100)))
        assert {(report.partition, report.offset) for report in reports} == {(7, 42)}

    deliver([None], posts)


@pytest.mark.parametrize(
    ("answer", "status", "reason", "words"),
    [
        (BufferError("Local: Queue full"), 503, Reason.BUSY, "Nothing was stored"),
        ("silence", 503, Reason.NOT_ACKNOWLEDGED, "same id"),
        ("no offset", 503, Reason.NOT_ACKNOWLEDGED, "same id"),
        (KafkaError(KafkaError._MSG_TIMED_OUT), 503, Reason.NOT_ACKNOWLEDGED, "same id"),
        (KafkaError(KafkaError.REQUEST_TIMED_OUT), 503, Reason.NOT_ACKNOWLEDGED, "same id"),
        (KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), 503, Reason.KAFKA_REFUSED, "authorization"),
        (KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), 413, Reason.TOO_LARGE, "max.message.bytes"),
        (KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)), 413, Reason.TOO_LARGE, "max.message.bytes"),
    ],
    ids=str,
)
def test_what_went_wrong_becomes_a_refusal(answer: Answer | str, status: int, reason: Reason, words: str) -> None:
    """A client learns whether the post may have been stored all the same."""

    async def posts(deliveries: Deliveries) -> None:
        with pytest.raises(Refusal) as refused:
            await one(deliveries)
        assert (refused.value.status, refused.value.reason) == (status, reason)
        assert words in str(refused.value.detail)
        assert refused.value.headers.get("Retry-After") == ("1" if status == 503 else None)
        assert refused.value.extra == ({"id": "my-id"} if reason == Reason.NOT_ACKNOWLEDGED else {})

    deliver([answer], posts)


async def refuses(deliveries: Deliveries) -> bool:
    try:
        await one(deliveries)
    except Refusal:
        return True
    return False


def test_a_producer_in_a_fatal_state_is_replaced() -> None:
    """librdkafka takes nothing more after such an error: without another producer only a restart would help."""

    async def posts(deliveries: Deliveries) -> None:
        with pytest.raises(Refusal, match="sequence number"):
            await one(deliveries)
        async with asyncio.timeout(10):
            while await refuses(deliveries):
                await asyncio.sleep(0.01)
        assert (await one(deliveries)).offset == 42

    deliver([FATAL, None], posts)


@pytest.mark.parametrize("why", ["broken", "no brokers"])
def test_a_producer_that_breaks_by_itself_is_replaced_too(why: str) -> None:
    """Kafka gives no id to one that lacks its right to write, and poll() tells: the task must live to try again."""

    async def posts(deliveries: Deliveries) -> None:
        async with asyncio.timeout(10):
            while await refuses(deliveries):
                assert deliveries.working
        assert (await one(deliveries)).offset == 42

    deliver([why, None], posts)


def test_posts_are_refused_in_time_even_when_nobody_polls(capsys: pytest.CaptureFixture[str]) -> None:
    """The log says why, and the health check asks for a restart."""

    async def posts(deliveries: Deliveries) -> None:
        with pytest.raises(Refusal) as refused:
            await one(deliveries)
        assert refused.value.reason == Reason.NOT_ACKNOWLEDGED
        assert not deliveries.working

    deliver(["a bug"], posts)
    assert "deliveries.ended" in capsys.readouterr().out


def test_what_kafka_says_at_the_last_moment_is_told() -> None:
    """Closing waits for what is on its way, and whoever still waits hears of it."""
    asked: list[asyncio.Task[Report]] = []

    async def posts(deliveries: Deliveries) -> None:
        asked.append(asyncio.create_task(one(deliveries)))
        await asyncio.sleep(0.1)
        assert not asked[0].done()

    async def afterwards() -> None:
        assert (await asked[0]).offset == 42

    deliver([LATE], posts, afterwards)
