"""A proxy that adds a delay and nothing else: whatever comes in leaves again so many seconds later, on either way."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cli.ports import LOOPBACK

PIECE_BYTES = 256 * 1024
START_SECONDS = 10.0

Piece = tuple[float, bytes]
"""When it may leave, on the loop's clock, and the bytes; none at the end."""


@contextmanager
def delayed(host: str, round_trip_seconds: float) -> Iterator[str]:
    """Host and port of a proxy before `host`, in a thread of its own. Half of the delay is added on each way; pieces
    under way do not wait for one another, as on a long line."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="delay")
    thread.start()
    try:
        proxy = Proxy(host, round_trip_seconds / 2)
        server = asyncio.run_coroutine_threadsafe(proxy.listen(), loop).result(START_SECONDS)
        yield f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(_end_everything(), loop).result(START_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Proxy:
    """TCP to TCP."""

    def __init__(self, host: str, seconds: float) -> None:
        self._address, _, port = host.rpartition(":")
        self._port = int(port)
        self._seconds = seconds

    async def listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._connected, LOOPBACK, 0)

    async def _connected(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            server_reader, server = await asyncio.open_connection(self._address, self._port)
            await asyncio.gather(self._line(client_reader, server), self._line(server_reader, client))

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pieces: asyncio.Queue[Piece] = asyncio.Queue()
        sending = asyncio.create_task(self._send(pieces, writer))
        try:
            while piece := await reader.read(PIECE_BYTES):
                pieces.put_nowait((self._leaves_at(), piece))
        finally:
            pieces.put_nowait((self._leaves_at(), b""))
            await sending

    async def _send(self, pieces: asyncio.Queue[Piece], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            leaves_at, piece = await pieces.get()
            await asyncio.sleep(leaves_at - loop.time())
            if not piece:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()

    def _leaves_at(self) -> float:
        return asyncio.get_running_loop().time() + self._seconds


async def _end_everything() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
