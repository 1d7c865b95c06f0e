"""Answers that a client need not fetch twice, and refusals that it must not keep: ETag and Cache-Control."""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

ASK_AGAIN = "no-cache"
"""Keep it, but ask each time whether it still holds: counts change at any moment, and a 304 is cheap."""


class CachedRoute(APIRoute):
    """Marks what it answers, and answers 304 to whoever has it already."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_and_mark(request: Request) -> Response:
            return marked(request, await handle(request))

        return handle_and_mark

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is not there, or can't be read now, may be a moment later; HTTP lets caches keep a 404."""

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                MutableHeaders(scope=message)["Cache-Control"] = "no-store"
            await send(message)

        await super().handle(scope, receive, send_marked)


def marked(request: Request, response: Response) -> Response:
    """`response` with its ETag, or 304. Without a Cache-Control of its own it gets ASK_AGAIN."""
    if response.status_code != 200:
        return response
    tag = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
    response.headers["ETag"] = tag
    control = response.headers.get("Cache-Control", ASK_AGAIN)
    # Whoever had to show a key got what others may not see.
    response.headers["Cache-Control"] = f"private, {control}" if hasattr(request.state, "key") else control
    if not _has(request.headers.get("if-none-match", ""), tag):
        return response
    kept = {name: value for name, value in response.headers.items() if name not in {"content-length", "content-type"}}
    return Response(status_code=304, headers=kept)


def _has(if_none_match: str, tag: str) -> bool:
    """Compared weakly (RFC 9110, 13.1.2), since a proxy that compresses makes an ETag weak."""
    given = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return bool(given & {tag, "*"})
