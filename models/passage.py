"""A passage: text in which names are marked. What every corpus is read into, and what training varies."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

LABELS = ("PERSON", "ORG", "GPE", "LOC", "FAC", "NORP", "EVENT", "PRODUCT", "WORK_OF_ART", "LAW")


class Mention(NamedTuple):
    """Characters `start` up to, not including, `end` of a passage are a name of kind `label`."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Passage:
    """mentions: ascending, without overlap. ignore: stretches that may hold names the annotators left open.

    source: what the text is taken from, as SOURCES.md of the corpus names it; "own" for the markup.
    """

    text: str
    mentions: tuple[Mention, ...] = ()
    ignore: tuple[tuple[int, int], ...] = ()
    source: str = "own"


def read_jsonl(path: Path) -> Iterator[Passage]:
    """The passages of a file of lines {"text": …, "source": …, "spans": [[start, end, label], …], "ignore": […]}."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            yield Passage(
                record["text"],
                tuple(Mention(*span) for span in record["spans"]),
                tuple((start, end) for start, end in record.get("ignore", ())),
                record["source"],
            )
