"""Long texts, cut where a reader would pause, so that the model's memory stays flat whatever comes in."""

import re
from collections import deque
from collections.abc import Iterator

PIECE_MAX_CHARS = 20_000
"""About 3,500 words. A cut costs the model the context across it; memory grows with the piece."""

_PAUSES = tuple(re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"[.!?…。！？][\"'”’»)\]]*\s", r"\s"))
"""Where to cut, best first: between paragraphs, lines, sentences, words."""


def pieces(text: str, most: int = PIECE_MAX_CHARS) -> Iterator[str]:
    """`text` in order and in full, in pieces of at most `most` characters; cut within a word only when it must be."""
    start = 0
    while len(text) - start > most:
        cut = _last_pause(text, start, start + most)
        yield text[start:cut]
        start = cut
    if start < len(text):
        yield text[start:]


def _last_pause(text: str, start: int, end: int) -> int:
    """The end of the best pause in the second half of text[start:end]; `end` when there is none."""
    for pause in _PAUSES:
        found = deque(pause.finditer(text, start + (end - start) // 2, end), maxlen=1)
        if found:
            return found[0].end()
    return end
