"""One metric for each request, and one log line for each that was refused."""

import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.metrics import REFUSED, request_seconds_of
from services.gateway.refusal import Reason
from shared.telemetry import log

REASONS = {401: Reason.UNAUTHORIZED, 404: Reason.NOT_FOUND, 422: Reason.INVALID}
POST_ROUTES = {"/post/enqueue", "/post/enqueue/batch"}
PATH_SHOWN_CHARS = 200


class AccessLog:
    """ASGI middleware. The routes leave `key` and `reason` in the request's state."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 500

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        finally:
            _record(scope, status, time.monotonic() - started)


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "other")
    request_seconds_of(route, status).observe(seconds)
    if status < 400:
        return
    state: dict[str, Any] = scope.get("state", {})
    key, reason = state.get("key", ""), state.get("reason", REASONS.get(status, Reason.OTHER))
    if route in POST_ROUTES:
        REFUSED.labels(reason, key).inc()
    log().info(
        "request.refused",
        method=scope["method"],
        path=scope["path"][:PATH_SHOWN_CHARS],
        status=status,
        reason=reason,
        key=key or None,
        seconds=round(seconds, 4),
    )
