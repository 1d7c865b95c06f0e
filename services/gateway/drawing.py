"""Names as a word cloud in SVG: wordcloud finds the places, the browser draws the letters."""

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from io import BytesIO
from types import ModuleType
from typing import Any, BinaryIO

from services.gateway.pages.render import render
from services.gateway.queries import Entity

WORDS = 45
WIDTH, HEIGHT = 480, 400
WORD_MAX_CHARS = 40


def draw(entities: Sequence[Entity]) -> bytes:
    """The same names and counts give the same picture."""
    labels: dict[str, str] = {}
    counts: dict[str, int] = {}
    for entity in entities:  # most mentioned first: a name under two labels gets the colour of the commoner one
        text = shorten(entity.text)
        labels.setdefault(text, entity.label)
        counts[text] = counts.get(text, 0) + entity.count
    texts = by_outline(counts)
    laid_out = _layout({outline: counts[text] for outline, text in texts.items()})
    words = [
        {"text": texts[outline], "label": labels[texts[outline]], "size": size} | placed(outline, size, top, left)
        for (outline, _), size, (top, left), _, _ in laid_out
    ]
    return render("wordcloud.svg", words=words, width=WIDTH, height=HEIGHT).encode()


def shorten(text: str) -> str:
    """On one line, and without characters that XML can't hold: those, and some others, are not printable."""
    line = " ".join("".join(each for each in text if each.isprintable() or each.isspace()).split())
    return line if len(line) <= WORD_MAX_CHARS else line[: WORD_MAX_CHARS - 1] + "…"


def by_outline(texts: Iterable[str]) -> dict[str, str]:
    """Each text, by another that is about as wide in letters that the typeface has.

    Accents go, East Asian letters become the widest one. For what it still lacks it draws a box of an average width.
    """
    found: dict[str, str] = {}
    for text in texts:
        outline = "".join(_outline(character) for character in text)
        while outline in found:
            outline += "."
        found[outline] = text
    return found


def _outline(character: str) -> str:
    if unicodedata.east_asian_width(character) in "WF":
        return "W"
    return unicodedata.normalize("NFKD", character)[0]


def placed(outline: str, size: int, top: int, left: int) -> dict[str, float]:
    """For SVG, which wants to know where the foot of the letters is.

    top, left: of the ink. The length is said too, so that the words stay apart in whatever font a browser has.
    """
    from PIL import ImageFont  # noqa: PLC0415 (as in _layout)

    font = ImageFont.truetype(typeface(), size)
    ink_left, ink_top, _, _ = font.getbbox(outline, anchor="ls")
    return {
        "x": round(left - ink_left, 1),
        "y": round(top - ink_top, 1),
        "width": round(font.getlength(outline), 1),
    }


class _Rewound(BytesIO):
    """A file that is read from its beginning each time."""

    def read(self, size: int | None = -1, /) -> bytes:
        self.seek(0)
        return super().read(size)


def typeface() -> BinaryIO:
    """The one that Pillow carries, as wide as Helvetica and Arial are: wordcloud's own is a typewriter's.

    wordcloud opens it anew for each size that it tries.
    """
    from PIL import ImageFont  # noqa: PLC0415 (as in _layout)

    font = ImageFont.load_default(size=1)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return _Rewound(font.font_bytes)


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
        max_font_size=64,
        margin=6,
        font_path=typeface(),
        prefer_horizontal=1.0,
        color_func=lambda *_, **__: "",
        random_state=0,
    )
    layout: list[Any] = cloud.generate_from_frequencies(counts).layout_
    return layout
