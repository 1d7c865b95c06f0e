"""The answer to a batch: a line of results for each line of posts, while the posts are still coming in."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic_core import to_json
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.gateway.body import lines
from services.gateway.deliver import Deliveries, Receipt
from services.gateway.metrics import REFUSED, accepted_of
from services.gateway.post import NewPost, new_id, parse_post, record_value
from services.gateway.refusal import Reason, Refusal, too_large
from services.gateway.room import Room
from services.gateway.settings import MIB, GatewaySettings
from shared.telemetry import log

IN_FLIGHT_POSTS = 500
IN_FLIGHT_BYTES = 16 * MIB
RESULTS_HELD = 20_000
"""Results, of some 100 bytes, that may wait for a client that reads the answer only after it has sent everything."""
PIECE_BYTES = 16 * 1024


@dataclass(frozen=True)
class Batches:
    """What all batches of a worker share."""

    settings: GatewaySettings
    kind: type[NewPost]
    deliveries: Deliveries
    free: asyncio.Semaphore


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line that was handed over. Lines count from 1."""

    number: int
    post_id: str
    receipt: Receipt


Result = dict[str, Any]
"""One line of the answer."""


class BatchAnswer(Response):
    """Reads and writes at the same time; memory is bounded whatever the client does.

    Not a StreamingResponse: that one reads the request too, to notice that the client has gone, and would swallow the
    posts.
    """

    media_type = "application/x-ndjson"

    def __init__(self, request: Request, key: str, batches: Batches) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._request = request
        self._key = key
        self._batches = batches
        self._max_bytes = batches.settings.body_max_bytes
        self._pause_seconds = batches.settings.body_seconds
        self._room = Room(IN_FLIGHT_POSTS, IN_FLIGHT_BYTES)
        # Results, and not refusals: an exception would hold on to the line that it was about.
        self._lines: asyncio.Queue[Waiting | Result | None] = asyncio.Queue(RESULTS_HELD)
        self._refused: Counter[Reason] = Counter()
        self._accepted = accepted_of(key)

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async with self._batches.free, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._take())
                tasks.create_task(self._answer(send))
        except* (ClientDisconnect, TimeoutError):
            log().info("batch.broken_off", key=self._key)
        if self._refused:
            log().info(
                "batch.refused", key=self._key, **{str(reason): count for reason, count in self._refused.items()}
            )

    async def _take(self) -> None:
        """Hands over line after line; a bad one is only its own misfortune."""
        number = 0
        async with aclosing(lines(self._chunks(), self._max_bytes)) as found:
            try:
                async for line in found:
                    number += 1
                    await self._lines.put(await self._hand_over(number, line))
                    if number % 100 == 0:
                        await asyncio.sleep(0)  # other requests want the event loop too
            except TimeoutError:
                slow = f"No line was complete within {self._pause_seconds:g} s; the batch ends here."
                await self._lines.put(self._refused_line(number + 1, Refusal(408, Reason.TOO_SLOW, slow)))
        await self._lines.put(None)

    async def _chunks(self) -> AsyncIterator[bytes]:
        """Raises TimeoutError when a line takes too long: byte by byte, one could keep the batch for ever."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._pause_seconds
        async with aclosing(self._request.stream()) as chunks:
            while True:
                async with asyncio.timeout_at(deadline):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                yield chunk
                if b"\n" in chunk:
                    deadline = loop.time() + self._pause_seconds

    async def _hand_over(self, number: int, line: bytes | None) -> Waiting | Result:
        try:
            if line is None:
                raise too_large(self._max_bytes, "The line")
            post = parse_post(line, self._batches.kind)
            post_id = post.id or new_id()
            value = record_value(post, post_id)
            size = len(value)
            await self._room.wait_and_enter(size)
            try:
                receipt = self._batches.deliveries.hand_over(value)
            except Refusal:
                self._room.leave(size)
                raise
            receipt.add_done_callback(partial(self._settled, size))
        except Refusal as refusal:
            return self._refused_line(number, refusal)
        return Waiting(number, post_id, receipt)

    def _settled(self, size_bytes: int, receipt: Receipt) -> None:
        """When the report comes, not when it is answered: a client that is slow to read must not stop the posts."""
        self._room.leave(size_bytes)
        if not receipt.cancelled() and receipt.result().error is None:
            self._accepted.inc()

    async def _answer(self, send: Send) -> None:
        """Results in the order of the lines, several in one piece where several are at hand."""
        piece = bytearray()
        while (line := await self._lines.get()) is not None:
            result = await self._result(line) if isinstance(line, Waiting) else line
            piece += to_json(result) + b"\n"
            if self._lines.empty() or len(piece) > PIECE_BYTES:
                async with asyncio.timeout(self._pause_seconds):  # a client that does not read must not stay for ever
                    await send({"type": "http.response.body", "body": bytes(piece), "more_body": True})
                piece.clear()
        await send({"type": "http.response.body", "body": bytes(piece), "more_body": False})

    async def _result(self, line: Waiting) -> Result:
        try:
            report = await self._batches.deliveries.acknowledged(line.receipt, line.post_id)
        except Refusal as refusal:
            return self._refused_line(line.number, refusal)
        return {
            "line": line.number,
            "status": 201,
            "id": line.post_id,
            "partition": report.partition,
            "offset": report.offset,
        }

    def _refused_line(self, number: int, refusal: Refusal) -> Result:
        self._refused[refusal.reason] += 1
        REFUSED.labels(refusal.reason, self._key).inc()
        return {"line": number, "status": refusal.status, **refusal.content}
