"""A publication's names as a word cloud, drawn when somebody looks and kept for a minute."""

import asyncio
import time
from functools import partial
from importlib.util import find_spec

from services.gateway.drawing import WORDS, draw
from services.gateway.paging import Page
from services.gateway.queries import top_entities
from services.gateway.refusal import Reason, Refusal
from services.gateway.store import Store

FRESH_SECONDS = 60.0
KEPT_MAX = 200
MISSING = (
    "This gateway was installed without what draws word clouds: pip install 'namedrop[wordcloud]', "
    "or build its image with GATEWAY_REQUIREMENTS=gateway-wordcloud."
)


class Clouds:
    """Draws a cloud once a minute at most, one at a time, and keeps those that were drawn last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._drawing = asyncio.Lock()
        self._kept: dict[tuple[str, str | None], tuple[float, bytes]] = {}

    async def svg(self, key: str, label: str | None) -> bytes:
        """Raises Refusal: 404 for a publication that is not there, 501 where the library is not."""
        if svg := self._fresh(key, label):
            return svg
        if not available():
            raise Refusal(501, Reason.OTHER, MISSING)
        found = await self._store.ask(partial(top_entities, key=key, label=label, page=Page(WORDS))) if key else None
        if found is None:
            raise Refusal(404, Reason.NOT_FOUND, f"There is no publication {key!r}.")
        async with self._drawing:
            if svg := self._fresh(key, label):  # somebody else wanted it too
                return svg
            svg = await asyncio.to_thread(draw, found.entities)
            self._kept.pop((key, label), None)
            self._kept[key, label] = time.monotonic(), svg
            if len(self._kept) > KEPT_MAX:
                del self._kept[next(iter(self._kept))]
            return svg

    def _fresh(self, key: str, label: str | None) -> bytes | None:
        drawn_at, svg = self._kept.get((key, label), (0.0, None))
        return svg if time.monotonic() - drawn_at < FRESH_SECONDS else None


def available() -> bool:
    """Whether the library is installed: the small image does without."""
    return find_spec("wordcloud") is not None
