"""A stream cut into lines."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.body import lines


async def stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def cut(chunks: Iterable[bytes], max_bytes: int) -> list[bytes | None]:
    async def collect() -> list[bytes | None]:
        return [line async for line in lines(stream(chunks), max_bytes)]

    return asyncio.run(collect())


@given(st.lists(st.text(alphabet="ab\n", max_size=8).map(str.encode), max_size=10), st.integers(1, 6))
def test_lines_are_the_same_however_they_arrive(chunks: list[bytes], max_bytes: int) -> None:
    """Whatever the pieces; a line that is too long is None, and those around it are not touched."""
    whole = b"".join(chunks).split(b"\n")
    if not whole[-1]:
        whole.pop()  # a final line end begins no line
    assert cut(chunks, max_bytes) == [line if len(line) <= max_bytes else None for line in whole]


def test_an_endless_line_is_not_kept() -> None:
    """Ten megabytes of one line leave no more than the limit in memory, and the line behind it is found."""
    kept = cut([b"x" * 100_000] * 100 + [b"\nnext\n"], 1000)
    assert kept == [None, b"next"]
