"""A publication's names as a word cloud in SVG."""

import asyncio
import sys
import time
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from services.gateway.pages.render import render
from services.gateway.paging import Page
from services.gateway.queries import Entity, top_entities
from services.gateway.refusal import Reason, Refusal
from services.gateway.store import Store

WORDS = 45
WIDTH, HEIGHT = 480, 300
FRESH_SECONDS = 60.0
KEPT_MAX = 200
WORD_MAX_CHARS = 40


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
            raise Refusal(
                501, Reason.OTHER, "Word clouds need the extra `wordcloud`: pip install 'namedrop[wordcloud]'"
            )
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


def draw(entities: Sequence[Entity]) -> bytes:
    """The same names and counts give the same picture."""
    labels: dict[str, str] = {}
    counts: dict[str, int] = {}
    for entity in entities:  # most mentioned first: a name under two labels gets the colour of the commoner one
        text = shorten(entity.text)
        labels.setdefault(text, entity.label)
        counts[text] = counts.get(text, 0) + entity.count
    words = [placed(text, labels[text], size, top, left) for (text, _), size, (top, left), _, _ in _layout(counts)]
    return render("wordcloud.svg", words=words, width=WIDTH, height=HEIGHT).encode()


def placed(text: str, label: str, size: int, top: int, left: int) -> dict[str, Any]:
    """For SVG, which wants to know where the foot of the letters is.

    top, left: of the ink. The length is said too, so that the words stay apart in whatever font a browser has.
    """
    from PIL import ImageFont  # noqa: PLC0415 (as in _layout)
    from wordcloud.wordcloud import FONT_PATH  # noqa: PLC0415

    font = ImageFont.truetype(FONT_PATH, size)
    ink_left, ink_top, _, _ = font.getbbox(text, anchor="ls")
    return {
        "text": text,
        "label": label,
        "size": size,
        "x": round(left - ink_left, 1),
        "y": round(top - ink_top, 1),
        "width": round(font.getlength(text), 1),
    }


def shorten(text: str) -> str:
    return text if len(text) <= WORD_MAX_CHARS else text[: WORD_MAX_CHARS - 1] + "…"


def _layout(counts: dict[str, int]) -> list[Any]:
    """[((text, share), font size, (top, left), orientation, colour)]"""
    if not counts:
        return []
    # matplotlib would be another 60 MB. wordcloud imports it, but asks it only for colours, and ours have their own.
    if "matplotlib" not in sys.modules and find_spec("matplotlib") is None:
        sys.modules["matplotlib"] = ModuleType("matplotlib")
    from wordcloud import WordCloud  # noqa: PLC0415 (numpy and Pillow take their time, and no post needs them)

    cloud = WordCloud(
        width=WIDTH,
        height=HEIGHT,
        max_words=WORDS,
        min_font_size=10,
        max_font_size=56,
        margin=3,
        prefer_horizontal=1.0,
        color_func=lambda *_, **__: "",
        random_state=0,
    )
    layout: list[Any] = cloud.generate_from_frequencies(counts).layout_
    return layout
