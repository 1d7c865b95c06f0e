"""How the pipeline is doing now: posts per second, what each group has still to read, what was given up."""

import asyncio
import time
from collections import deque
from contextlib import ExitStack
from types import TracebackType

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient
from pydantic import BaseModel, Field

from services.gateway.refusal import Reason, Refusal
from services.gateway.settings import GatewaySettings
from shared.errors import Fatal
from shared.kafka import open_admin, open_consumer
from shared.lag import COUNT_AT_MOST, Stretch, count_records, stretches, unread

FRESH_SECONDS = 2.0
ASK_SECONDS = 3.0
RATE_SECONDS = 15.0
"""Over how long posts per second are measured."""
EXACT_OFFSETS = 20
"""Offsets of a partition up to which a lag is counted record by record. At rest all that is left is the marker of the
last transaction, which no reader ever sees; it must not look like work."""


class Figures(BaseModel):
    """All of it comes from Kafka's offsets: figures of the whole pipeline, whichever worker answers."""

    posts_per_second: float | None = Field(examples=[41.5])
    """Posts stored, over the last seconds. Null until there are two looks to compare."""
    lag: dict[str, int] = Field(examples=[{"extractor": 12, "saver": 3}])
    """Records that a service has not read yet: extractor, saver. Above a few, offsets are counted: the saver's are up
    to twice its records."""
    dead_letters: dict[str, int] = Field(examples=[{"extractor": 1, "saver": 0}])
    """Records in the dead-letter topics, by the service that gave them up."""


class Live:
    """Asks Kafka every two seconds at most, however many ask us, and not at all when nobody does."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._scope = ExitStack()
        self._asking = asyncio.Lock()
        self._asked_at = -FRESH_SECONDS
        self._figures: Figures | None = None
        self._problem = ""
        self._clients: tuple[AdminClient, dict[str, Consumer]] | None = None
        self._looks: deque[tuple[float, int]] = deque()
        self._counted: dict[str, tuple[frozenset[Stretch], int]] = {}

    def __enter__(self) -> "Live":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._scope.close()

    async def figures(self) -> Figures:
        """Raises Refusal (503) when Kafka does not answer."""
        async with self._asking:
            if time.monotonic() - self._asked_at > FRESH_SECONDS:
                try:
                    self._figures = await asyncio.to_thread(self._ask)
                except Fatal as error:
                    self._figures, self._problem = None, str(error)
                self._asked_at = time.monotonic()
        if self._figures is None:
            raise Refusal(503, Reason.NOT_READY, self._problem)
        return self._figures

    def _ask(self) -> Figures:
        settings = self._settings
        admin, groups = self._opened()
        posts, entities, posts_dlq, entities_dlq = (
            stretches(admin, topic, ASK_SECONDS)
            for topic in (
                settings.posts_topic,
                settings.entities_topic,
                settings.posts_dlq_topic,
                settings.entities_dlq_topic,
            )
        )
        waiting = {
            name: unread(groups[name], there, ASK_SECONDS)
            for name, there in (("extractor", posts), ("saver", entities))
        }
        return Figures(
            posts_per_second=self._rate(sum(at.end for at in posts)),
            lag={name: self._records(f"{name} lag", there, EXACT_OFFSETS) for name, there in waiting.items()},
            dead_letters={
                name: self._records(f"{name} dead letters", there, COUNT_AT_MOST)
                for name, there in (("extractor", posts_dlq), ("saver", entities_dlq))
            },
        )

    def _opened(self) -> tuple[AdminClient, dict[str, Consumer]]:
        """Opened at the first question. The consumers only ask for what their groups have committed."""
        if self._clients is None:
            settings = self._settings
            admin = self._scope.enter_context(open_admin(settings))
            groups = {"extractor": settings.extractor_group, "saver": settings.saver_group}
            self._clients = (
                admin,
                {name: self._scope.enter_context(open_consumer(settings, group)) for name, group in groups.items()},
            )
        return self._clients

    def _records(self, what: str, where: list[Stretch], exact_up_to: int) -> int:
        """Nothing is read again while it stands as it stood."""
        waiting = frozenset(at for at in where if at.offsets)
        before, records = self._counted.get(what, (frozenset(), 0))
        if waiting != before:
            records = count_records(self._settings, waiting, exact_up_to)
            self._counted[what] = waiting, records
        return records

    def _rate(self, posts: int) -> float | None:
        now = time.monotonic()
        self._looks.append((now, posts))
        while len(self._looks) > 2 and now - self._looks[0][0] > RATE_SECONDS:
            self._looks.popleft()
        since, before = self._looks[0]
        return max(0, posts - before) / (now - since) if len(self._looks) > 1 else None
