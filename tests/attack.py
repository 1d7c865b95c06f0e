"""Clients that mean no good: raw connections to a gateway, and what becomes of them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import psutil

from tests.pipeline import Pipeline

POST = {"publication": "The Harbour Courier", "content": "Wangari Maathai spoke in Nairobi."}
PIECE = b"x" * 0x10000
BOUND_BYTES = 100 * 1024 * 1024
"""By which the gateway may grow under any attack: each of them sends, or would send, many times as much."""


@contextmanager
def connected(gateway: Pipeline, sent: bytes = b"", buffer_bytes: int | None = None) -> Iterator[socket.socket]:
    """A connection on which something was sent. buffer_bytes: what the system takes in while nobody reads."""
    with socket.socket() as opened:
        if buffer_bytes:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        opened.settimeout(60)
        opened.connect(("127.0.0.1", gateway.the("gateway").port))
        opened.sendall(sent)
        yield opened


@contextmanager
def crowd(gateway: Pipeline, count: int, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    """Many of them."""
    with ExitStack() as stack:
        yield [stack.enter_context(connected(gateway, sent)) for _ in range(count)]


def answer(opened: socket.socket, sent: bytes = b"") -> bytes:
    """All that comes until the gateway closes the connection."""
    received = b""
    try:
        opened.sendall(sent)
        while data := opened.recv(0x10000):
            received += data
    except ConnectionError:
        pass  # it was reset, since more had come in
    return received


def is_over(opened: socket.socket, sent: bytes = b"") -> bool:
    """Whether the gateway has ended the connection; sends a little more if not, and never waits."""
    opened.setblocking(False)
    try:
        while opened.recv(0x10000):
            pass
    except BlockingIOError:
        return not _sends(opened, sent)
    except ConnectionError:
        pass
    return True


def are_over(opened: list[socket.socket], sent: bytes = b"") -> bool:
    """All of them; those that are not get a little more."""
    return False not in [is_over(each, sent) for each in opened]


def _sends(opened: socket.socket, data: bytes) -> bool:
    try:
        opened.send(data)
    except BlockingIOError:
        pass
    except ConnectionError:
        return False
    return True


class Flood:
    """Sends without end, and never reads; begins again when the gateway has ended it, until it is told to stop."""

    def __init__(self, gateway: Pipeline, head: bytes, piece: bytes) -> None:
        self.ended = 0
        """How often the gateway has ended it."""
        self.stopping = threading.Event()
        self._gateway, self._head, self._piece = gateway, head, piece

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                with connected(self._gateway, self._head) as opened:
                    while not self.stopping.is_set():
                        opened.sendall(self._piece)
            except ConnectionError:
                self.ended += 1


@contextmanager
def flooded(gateway: Pipeline, head: bytes, piece: bytes) -> Iterator[Flood]:
    """While a flood goes on in a thread of its own."""
    flood = Flood(gateway, head, piece)
    thread = threading.Thread(target=flood.run)
    thread.start()
    try:
        yield flood
    finally:
        flood.stopping.set()
        thread.join()


@contextmanager
def bounded_memory(gateway: Pipeline) -> Iterator[None]:
    """Raises AssertionError when the gateway has grown by more than BOUND_BYTES at the end."""
    process = psutil.Process(gateway.the("gateway").pid)
    before = process.memory_info().rss
    yield
    grown = process.memory_info().rss - before
    assert grown < BOUND_BYTES, f"grew by {grown / 2**20:.0f} MiB"


def good_post(gateway: Pipeline) -> int:
    """The status of a client's post that means well, on a connection of its own."""
    url = f"{gateway.the('gateway').url}/post/enqueue"
    return httpx.post(url, json=POST, headers={"X-API-Key": gateway.key}, timeout=30, trust_env=False).status_code
