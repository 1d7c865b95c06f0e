"""One connection: how much it may send before we know what for, and how it ends.

uvicorn leaves that to a proxy in front of it. Without one, a single connection that sent headers, trailers or pipelined
requests for four seconds took up to 1.5 GB.
"""

import asyncio
import json
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NoReturn

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from services.gateway.refusal import Reason, Refusal, busy

if TYPE_CHECKING:
    from services.gateway.doorkeeper import Doorkeeper

PIPELINED_MAX = 10
"""Requests that may wait behind the one that is being answered."""
NOT_HTTP = Refusal(400, Reason.INVALID, "This is not HTTP/1.1, or could be read in two ways.")
BODY_AND_UPGRADE = Refusal(
    400,
    Reason.INVALID,
    "A request with a body can't ask for an Upgrade too. Send it as HTTP/1.1 (Java: HttpClient.Version.HTTP_1_1).",
)


class Phase(Enum):
    """What a connection waits for."""

    HEAD = auto()
    """A request's headers; on a new connection also their first byte."""
    NEXT = auto()
    """Another request."""
    REST = auto()
    """The rest of a body whose request has its answer. (Or it is here already: uvicorn does not tell.)"""
    READER = auto()
    """The client, to read what we sent."""
    US = auto()
    """Us. The routes have limits of their own, for bodies too."""


class Door(HttpToolsProtocol):
    """uvicorn's connection, with limits."""

    def __init__(self, keeper: "Doorkeeper", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.since = time.monotonic()
        """From when it has been as it is, as far as the looks tell."""
        self.ended = False
        self._seen: tuple[object, ...] = ()
        self._keeper = keeper
        self._head_max_bytes = keeper.settings.head_max_bytes
        self._headers_max = keeper.settings.headers_max
        self._head_bytes = 0
        """Sent since the last head was whole, or a piece of a body came: this much of another head, or of trailers."""
        self._refusal = NOT_HTTP
        self._earlier: list[RequestResponseCycle] = []
        """Requests under way before the last one, where a client pipelines."""

    @property
    def phase(self) -> Phase:
        cycle = self.cycle  # the last request whose headers were complete, and its answer
        if self.flow.write_paused or self.transport.is_closing():
            return Phase.READER
        if cycle and not cycle.response_complete:
            return Phase.REST if "farewell" in cycle.scope else Phase.US
        if cycle is None or cycle.scope is not self.scope:
            return Phase.HEAD
        return Phase.REST if cycle.more_body else Phase.NEXT

    def unchanged_seconds(self, now: float) -> float:
        """How long it has been as it is."""
        seen = self.phase, self.cycle, self.transport.get_write_buffer_size()
        if seen != self._seen:
            self._seen, self.since = seen, now
        return now - self.since

    def end(self, reason: Reason) -> None:
        """At once; a request that has begun is told why."""
        if reason is Reason.TOO_SLOW and self.phase is Phase.HEAD and self.headers is not None:
            seconds = self._keeper.settings.head_seconds
            self._say(Refusal(408, reason, f"The headers did not arrive within {seconds:g} s."))
        else:
            self._keeper.count(reason)
            self.ended = True
            self.transport.abort()

    # What uvicorn's loop calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's signature
        super().connection_made(transport)
        if len(self.connections) > self._keeper.connections_max and not self._keeper.let_in(self):
            self._say(busy("Too many connections are open."))

    def connection_lost(self, exc: Exception | None) -> None:
        for cycle in self._earlier:  # uvicorn tells only the last one; the others would write to a closed connection
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > self._head_max_bytes or len(self.headers or ()) > self._headers_max:
            self._refuse(self._too_much())  # of a head that is not complete yet, or of trailers

    # What its parser calls

    def on_headers_complete(self) -> None:
        if len(self.headers) > self._headers_max or self._head_is_too_large():
            self._stop_parser(self._too_much())
        if self.parser.should_upgrade() and self._has_body():
            self._stop_parser(BODY_AND_UPGRADE)  # it would take the body for another request
        if self.cycle and not self.cycle.response_complete:
            self._earlier = [*(cycle for cycle in self._earlier if not cycle.response_complete), self.cycle]
            if len(self._earlier) > PIPELINED_MAX:
                self._stop_parser(busy("Too many requests were sent without waiting for their answers."))
        super().on_headers_complete()
        self._head_bytes = 0

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._head_bytes = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        # Whoever reads this body will not have to wait.
        self.cycle.scope["whole"] = True  # type: ignore[typeddict-unknown-key] # ASGI allows more

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's signature)
        """After the parser has stopped, by itself or by us."""
        self._refuse(self._refusal)

    def _stop_parser(self, refusal: Refusal) -> NoReturn:
        self._refusal = refusal
        raise ValueError(refusal.detail)

    def _head_is_too_large(self) -> bool:
        """Counts only where a large piece came: most often that is a body, and no head is worth the count."""
        if self._head_bytes <= self._head_max_bytes:
            return False
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self._head_max_bytes

    def _has_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self.headers
        )

    def _too_much(self) -> Refusal:
        limits = f"{self._headers_max} headers, or {self._head_max_bytes} bytes of them and the address"
        return Refusal(431, Reason.TOO_LARGE, f"There are more than {limits}.")

    def _refuse(self, refusal: Refusal) -> None:
        """Reads no more of this connection. Requests before the one at fault get their answers first."""
        cycle = self.cycle
        if self.transport.is_closing():
            return
        if cycle is None or cycle.response_complete:
            self._say(refusal)
        elif not cycle.more_body:
            self._keeper.count(refusal.reason)
            cycle.keep_alive = False
            self.flow.pause_reading()
        elif self.pipeline or cycle.response_started:
            self.end(refusal.reason)  # amid that request's body: there is nothing to say it in
        else:
            self._say(refusal)

    def _say(self, refusal: Refusal) -> None:
        """Past the application, and closes."""
        self._keeper.count(refusal.reason)
        body = json.dumps(refusal.content).encode()
        headers = {"Content-Type": "application/json", "Content-Length": len(body), "Connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in (headers | refusal.headers).items())
        self.transport.write(STATUS_LINE[refusal.status] + lines.encode() + b"\r\n" + body)
        self.transport.close()
