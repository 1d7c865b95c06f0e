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
    if "whole" in request.scope:  # most posts come with their headers; and a time-out costs more than making the record
        return await _read(request, max_bytes)
    try:
        async with asyncio.timeout(max_seconds):
            return await _read(request, max_bytes)
    except TimeoutError:
        raise Refusal(408, Reason.TOO_SLOW, f"The body did not arrive within {max_seconds:g} s.") from None


async def _read(request: Request, max_bytes: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Refusal(400, Reason.BROKEN_OFF, "The client went away before its body was complete.")
        pieces.append(message["body"])
        size += len(message["body"])
        if size > max_bytes:
            raise too_large(max_bytes)
        if not message["more_body"]:
            return b"".join(pieces)


async def lines(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncGenerator[bytes | None]:
    """The lines of a stream, without their ends. A line of more than `max_bytes` is skipped, and comes as None."""
    held = bytearray()
    too_long = False
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            line = bytes(held) + piece if held else piece
            yield None if too_long or len(line) > max_bytes else line
            held.clear()
            too_long = False
        held += rest
        if len(held) > max_bytes:
            held.clear()
            too_long = True
    if held or too_long:
        yield None if too_long else bytes(held)
