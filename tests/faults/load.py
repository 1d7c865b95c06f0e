"""A steady load of posts with known content, from clients that send again until they get their 201."""

import asyncio
import json
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import httpx

from tests.oracle import Counts, expected_counts

NO_ANSWER = 0
"""Stands for a status where there was none: refused, reset, or too late."""
ANSWER_SECONDS = 10.0
HASTE_SECONDS = 0.004
"""Too short for most answers, long enough for the post to get in."""
WAIT_SECONDS = (0.5, 2.0)
"""Before a post is sent again; what a gateway asks for in Retry-After is 1 s."""
CONNECTIONS_MOST = 150
"""httpx slows down with the square of them."""
WAITING_MOST = 200
"""Posts without a 201 beyond which no new one is begun: an outage is not meant to grow the test's memory."""
BATCH_EVERY = 10
"""One post in so many goes by the batch route."""
PUBLICATIONS = ("Reuters", "The Harbour Courier", "Le Monde", "a/b", "東京新聞", "Daily Nation", "El País", "__x__")
TEXTS = (
    "Wangari Maathai spoke in Nairobi.",
    "Angela Merkel met Emmanuel Macron in Berlin on Tuesday. Merkel thanked Macron.",
    "The European Union and the United Nations signed it in Geneva.",
    "Nothing happened.",
    "Maria Alvarez of Northwind Shipping left Lisbon for São Paulo. Alvarez said that Lisbon was cold.",
    "Satya Nadella said that Microsoft would open an office in Lagos, Nigeria.",
    "Toyota and Siemens will build in Leipzig, said Olaf Scholz.",
    "“The World Bank’s answer,” wrote Amartya Sen, “came from Washington.”",
)

Article = Mapping[str, str]


@dataclass
class Load:
    """Posts `rate` articles a second through the gateways in turn, from `start` to `stop`; may be started again.

    `articles` may be replaced; by default they are few, so that the oracle is cheap.
    """

    urls: Sequence[str]
    key: str
    rate: float = 40.0
    articles: Sequence[Article] = tuple(
        {"publication": publication, "content": text} for publication in PUBLICATIONS for text in TEXTS
    )
    hasty: bool = False
    """Whether clients give up at once, and send again with the same id through all gateways."""
    accepted: list[Article] = field(default_factory=list)
    """Each post that got a 201, once."""
    waiting: int = 0
    """Posts that have none yet."""
    answers: Counter[int] = field(default_factory=Counter)
    """By status."""
    refusals: Counter[str] = field(default_factory=Counter)
    """503s by the first sentence of what they said."""

    def __post_init__(self) -> None:
        self._run_id = secrets.token_hex(4)
        self._number = 0
        self._stopping = threading.Event()
        self._given_up = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._main, name="load")
        self._thread.start()

    def stop(self) -> None:
        """Begins no more posts; `done` tells when all have their 201."""
        self._stopping.set()

    @property
    def done(self) -> bool:
        """Every post that was begun has its 201. Raises what went wrong in the thread."""
        if self._failure is not None:
            raise self._failure
        return self._thread is None or not self._thread.is_alive()

    def join(self) -> None:
        """Gives up on those that wait."""
        self._stopping.set()
        self._given_up.set()
        if self._thread:
            self._thread.join(ANSWER_SECONDS)

    def _main(self) -> None:
        try:
            asyncio.run(self._post_steadily())
        except BaseException as error:  # noqa: BLE001 (the thread hands its result back: `done` raises it)
            self._failure = error

    async def _post_steadily(self) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=CONNECTIONS_MOST)
        self._free = asyncio.Semaphore(CONNECTIONS_MOST)
        async with httpx.AsyncClient(limits=limits, trust_env=False) as client, asyncio.TaskGroup() as tasks:
            due = time.monotonic()
            while not self._stopping.is_set():
                if self.waiting < WAITING_MOST:
                    self._number += 1
                    self.waiting += 1
                    tasks.create_task(self._deliver(client, self._number))
                due = max(due + 1 / self.rate, time.monotonic() - 1)
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _deliver(self, client: httpx.AsyncClient, number: int) -> None:
        article = self.articles[number % len(self.articles)]
        post = {**article, "id": f"{self._run_id}-{number}"}
        by_batch = number % BATCH_EVERY == 0
        if self.hasty:
            hasty = [self._send(client, url, post, by_batch, HASTE_SECONDS) for url in self.urls]
            await asyncio.gather(*hasty)  # whether they got a 201 or not, the post is sent again
        attempt = 0
        while await self._send(client, self.urls[(number + attempt) % len(self.urls)], post, by_batch) != 201:
            if self._given_up.is_set():
                return
            attempt += 1
            await asyncio.sleep(random.uniform(*WAIT_SECONDS))
        self.accepted.append(article)
        self.waiting -= 1

    async def _send(
        self, client: httpx.AsyncClient, url: str, post: Article, by_batch: bool, seconds: float = ANSWER_SECONDS
    ) -> int:
        route, body = (
            ("/post/enqueue/batch", json.dumps(post) + "\n") if by_batch else ("/post/enqueue", json.dumps(post))
        )
        try:
            async with self._free:
                answer = await client.post(
                    f"{url}{route}", content=body, headers={"X-API-Key": self.key}, timeout=seconds
                )
            said = answer.json() if answer.content else {}
        except (httpx.TransportError, ValueError):
            status = NO_ANSWER
        else:
            status = said.get("status", answer.status_code)
            if status != 201:
                self.refusals[f"{status}: {str(said.get('detail')).split('.')[0]}"] += 1
        self.answers[status] += 1
        return status


@cache
def _counts_of(publication: str, content: str) -> Counts:
    return expected_counts([{"publication": publication, "content": content}])


def expected(articles: Iterable[Article]) -> Counts:
    """The oracle's counts, each different article extracted only once."""
    total: Counts = Counter()
    for (publication, content), times in Counter((a["publication"], a["content"]) for a in articles).items():
        for counted, count in _counts_of(publication, content).items():
            total[counted] += count * times
    return total
