"""A proxy before Firestore that loses bytes on demand. It knows nothing of HTTP/2, and breaks it anywhere."""

import asyncio
import threading
from types import TracebackType

from cli.ports import LOOPBACK

PIECE_BYTES = 64 * 1024
COMMIT_BYTES = 400
"""A piece from a client larger than this holds a commit; a ledger's read and gRPC's own frames are smaller."""
SWALLOW_SECONDS = 0.5
"""Between the first byte that is lost and the cut: it may be HTTP/2's own, and the answer comes right behind."""
START_SECONDS = 10.0


class Proxy:
    """Runs in a thread of its own. The attributes may be set from any thread, and hold from then on."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.away = False
        """Every connection, open or new, is reset."""
        self.delay_seconds = 0.0
        """How long each piece is kept, on its way there and back."""
        self.commits_to_cut = 0
        """How many of the next commits reach the server and lose their answer, and their connection, on the way back.
        Counts down."""
        self.bytes_lost = 0
        """Of answers, by such cuts."""
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="proxy")

    @property
    def host(self) -> str:
        """For FIRESTORE_EMULATOR_HOST."""
        return f"{LOOPBACK}:{self.port}"

    def __enter__(self) -> "Proxy":
        self._thread.start()
        assert self._listening.wait(START_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def go_away(self) -> None:
        """Until `come_back`."""
        self.away = True
        self._loop.call_soon_threadsafe(self._reset_all)

    def come_back(self) -> None:
        self.away = False

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connected, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stop.wait()
        server.close()
        self._reset_all()
        pumps = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _connected(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        connection = Connection(self, client)
        self._writers.add(client)
        try:
            if self.away:
                return
            server_reader, connection.server = await asyncio.open_connection(LOOPBACK, self._target_port)
            self._writers.add(connection.server)
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(connection.requests(client_reader))
                pumps.create_task(connection.answers(server_reader))
        except* OSError:
            pass  # whichever side went away, the other is told by the reset below
        finally:
            connection.reset()
            self._writers -= {client, connection.server}

    def _reset_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


class Connection:
    """One client's connection through the proxy."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client = client
        self.server: asyncio.StreamWriter | None = None
        self._swallows_answers = False

    async def requests(self, reader: asyncio.StreamReader) -> None:
        assert self.server is not None
        while piece := await reader.read(PIECE_BYTES):
            await asyncio.sleep(self._proxy.delay_seconds)
            if self._proxy.commits_to_cut and len(piece) > COMMIT_BYTES and not self._swallows_answers:
                self._proxy.commits_to_cut -= 1
                self._swallows_answers = True
            self.server.write(piece)
            await self.server.drain()
        self.reset()

    async def answers(self, reader: asyncio.StreamReader) -> None:
        while piece := await reader.read(PIECE_BYTES):
            await asyncio.sleep(self._proxy.delay_seconds)
            if self._swallows_answers:
                self._proxy.bytes_lost += len(piece)
                asyncio.get_running_loop().call_later(SWALLOW_SECONDS, self.reset)
            else:
                self._client.write(piece)
                await self._client.drain()
        self.reset()

    def reset(self) -> None:
        for writer in (self._client, self.server):
            if writer is not None:
                writer.transport.abort()
