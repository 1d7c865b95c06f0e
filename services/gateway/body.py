"""Taking a request's body in, no more of it than is allowed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from starlette.requests import Request

from services.gateway.refusal import Reason, Refusal, too_large


def declared_bytes(request: Request, max_bytes: int) -> int:
    """The body's size as far as it is known beforehand, else the most that it may be. Raises Refusal (413, 415)."""
    declared = max_bytes
    for name, value in request.scope["headers"]:  # once through them: each post passes here
        if name == b"content-length":
            declared = int(value)  # the HTTP parser has refused what is no number
        elif name == b"content-encoding":
            refuse_compressed(value)
    if declared > max_bytes:
        raise too_large(max_bytes)
    return declared


def refuse_compressed(coding: bytes) -> None:
    """Raises Refusal (415) for any Content-Encoding: the limits are of what we keep, and gzip packs a thousand bytes
    into one."""
    if coding.lower() not in {b"", b"identity"}:
        raise Refusal(415, Reason.COMPRESSED, "A body with a Content-Encoding is not taken. Send it as it is.")


async def read_body(request: Request, max_bytes: int, max_seconds: float) -> bytes:
    """Raises Refusal when it grows too large (413) or takes too long (408), without waiting for the rest."""
    body = bytearray()
    try:
        async with asyncio.timeout(max_seconds):
            # Not request.stream(): its generators cost a small post more than reading it.
            while (message := await request.receive())["type"] == "http.request":
                body += message.get("body", b"")
                if len(body) > max_bytes:
                    raise too_large(max_bytes)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise Refusal(408, Reason.TOO_SLOW, f"The body did not arrive within {max_seconds:g} s.") from None
    raise Refusal(400, Reason.BROKEN_OFF, "The client went away before its body was complete.")


async def lines(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncGenerator[bytes | None]:
    """The lines of a stream, without their ends. A line of more than `max_bytes` is skipped, and comes as None."""
    held = bytearray()
    too_long = False
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            held += piece
            yield None if too_long or len(held) > max_bytes else bytes(held)
            held.clear()
            too_long = False
        held += rest
        if len(held) > max_bytes:
            held.clear()
            too_long = True
    if held or too_long:
        yield None if too_long else bytes(held)
