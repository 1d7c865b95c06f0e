"""How much is under way at once: bounded, so that memory is."""

import asyncio

from services.gateway.metrics import IN_FLIGHT


class Room:
    """Posts that are being read or wait for their acknowledgement, and the bytes of them. For one event loop."""

    def __init__(self, max_posts: int, max_bytes: int) -> None:
        self._max_posts = max_posts
        self._max_bytes = max_bytes
        self._posts = 0
        self._bytes = 0
        self._left = asyncio.Event()

    def enter(self, size_bytes: int) -> bool:
        """False, and nothing happened, when there is no room. One post always has room when there is no other."""
        if self._posts and (self._posts >= self._max_posts or self._bytes + size_bytes > self._max_bytes):
            return False
        self._posts += 1
        self._bytes += size_bytes
        IN_FLIGHT.inc()
        return True

    async def wait_and_enter(self, size_bytes: int) -> None:
        """For the only one who enters this room."""
        while not self.enter(size_bytes):
            self._left.clear()
            await self._left.wait()

    def leave(self, size_bytes: int) -> None:
        self._posts -= 1
        self._bytes -= size_bytes
        IN_FLIGHT.dec()
        self._left.set()
