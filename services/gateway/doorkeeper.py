"""All connections of a worker: how many there may be, and how long each may keep us waiting.

uvicorn leaves that to a proxy in front of it: without one, a connection that sends nothing, or its headers byte by
byte, stays for good.
"""

import asyncio
import time
from collections import Counter
from math import inf
from typing import Any, cast

from services.gateway.door import Door, Phase
from services.gateway.metrics import CONNECTIONS, CONNECTIONS_ENDED
from services.gateway.refusal import Reason
from services.gateway.settings import GatewaySettings
from shared.telemetry import log

LOOK_SECONDS = 1.0


class Doorkeeper:
    """What uvicorn calls for each new connection."""

    def __init__(self, settings: GatewaySettings, connections_max: int) -> None:
        self.settings = settings
        self.connections_max = connections_max
        self._wait_seconds = {
            Phase.HEAD: settings.head_seconds,
            Phase.NEXT: settings.keep_alive_seconds,
            Phase.REST: settings.body_seconds,
            Phase.READER: settings.body_seconds,
        }
        self._connections: set[Door] | None = None
        self._ended: Counter[str] = Counter()

    def __call__(self, **arguments: Any) -> Door:
        if self._connections is None:
            self._connections = cast("set[Door]", arguments["server_state"].connections)
            self._look(asyncio.get_running_loop())
        return Door(self, **arguments)

    def let_in(self, newest: Door) -> bool:
        """Whether there is room. Those make it that have waited longest for their clients, and then those that read.

        So nobody without a key keeps posts out, by holding connections or by asking for much. An eighth goes at a time,
        since it takes a look at all.
        """
        others = [each for each in self._connections or () if each is not newest and not each.ended]
        if len(others) < self.connections_max:
            return True
        idle = sorted((each for each in others if each.phase is not Phase.US), key=lambda each: each.since)
        reading = [each for each in others if each.phase is Phase.US and each.cycle.scope["method"] != "POST"]
        giving_way = [*idle, *reading][: 1 + self.connections_max // 8]
        for connection in giving_way:
            connection.end(Reason.BUSY)
        return bool(giving_way)

    def count(self, reason: Reason) -> None:
        """For the metric, and one line in the log a second, however many there are."""
        CONNECTIONS_ENDED.labels(reason).inc()
        self._ended[str(reason)] += 1

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """At all connections, once a second: that costs less than a timer for each request."""
        loop.call_later(LOOK_SECONDS, self._look, loop)
        connections = list(self._connections or ())
        CONNECTIONS.set(len(connections))
        now = time.monotonic()
        for connection in connections:
            if connection.unchanged_seconds(now) > self._wait_seconds.get(connection.phase, inf):
                connection.end(Reason.TOO_SLOW)
        if self._ended:
            log().info("connections.ended", **self._ended)
            self._ended.clear()
