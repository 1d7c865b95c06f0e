"""What is known of a word before any training, as spaCy's word vectors.

A word's vector says which lists of models/names it stands in, and what it is like (words.py). The model looks the
vector up by the word in lower case, at little cost in speed, and learns how far to trust it. Words with the same
vector share a row.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from spacy.lang.en.stop_words import STOP_WORDS
from spacy.language import Language
from spacy.strings import get_string_id
from spacy.vectors import Vectors

from models import words
from models.passage import LABELS

NAMES = Path(__file__).parent / "names"
BETWEEN_WORDS = re.compile(r"[ ,/]+|(?<=\w)-(?=\w)|(?=['’]s\b)")  # roughly where spaCy's tokenizer cuts
TELLS = {
    "first_names": ("first name",) * 3,
    "last_names": ("last name",) * 3,
    "cities": ("city", "place begins", "place goes on"),
    "large_cities": ("well-known place", "place begins", "place goes on"),
    "countries": ("well-known place", "place begins", "place goes on"),
    "states": ("well-known place", "place begins", "place goes on"),
    "place_aliases": ("well-known place", "place begins", "place goes on"),
    "regions": ("region", "part of a region", "part of a region"),
    "peoples": ("people",) * 3,
    "organisations": ("organisation", "organisation begins", "organisation goes on"),
    "organisation_words": ("organisation word",) * 3,
    "facilities": ("facility", "part of a facility", "part of a facility"),
    "events": ("event",) * 3,
    "products": ("product", "part of a product", "part of a product"),
    "works": ("work",) * 3,
    "laws": ("law",) * 3,
}
"""What a list tells of a word that is a name in it by itself, that begins one, and that goes on in one."""


def read_names(folder: Path = NAMES) -> dict[str, list[str]]:
    """The lists, one name a line, by the name of their file without .txt."""
    return {file.stem: file.read_text(encoding="utf-8").splitlines() for file in sorted(folder.glob("*.txt"))}


def vectors(lists: dict[str, list[str]], known: words.Words) -> Vectors:
    """Keyed by the hash of the word in lower case: a column for each thing that lists tell, then those of `known`."""
    told = told_by(lists)
    columns = sorted({thing for things in TELLS.values() for thing in things})
    like = dict(zip(known.words, known.row_of.tolist(), strict=True))
    unlike_any = len(known.rows)
    rows: dict[tuple[frozenset[str], int], int] = {}
    row_of = {
        word: rows.setdefault((frozenset(told.get(word, ())), like.get(word, unlike_any)), len(rows))
        for word in sorted(told.keys() | like.keys())
    }
    listed = np.array([[column in things for column in columns] for things, _ in rows], dtype="float32")
    likeness = np.vstack([known.rows, np.zeros_like(known.rows[:1])])[[number for _, number in rows]]
    table = Vectors(data=np.hstack([listed, likeness]), name="words", attr="LOWER")
    for word, row in row_of.items():
        table.add(get_string_id(word), row=row)
    return table


def told_by(lists: dict[str, list[str]]) -> dict[str, set[str]]:
    """What the lists tell of each word. Left out: single letters, and stop words but for US and WHO."""
    told: dict[str, set[str]] = defaultdict(set)
    for kind, names in lists.items():
        for name in names:
            for place, word in _words(name):
                told[word].add(TELLS[kind][place])
    return told


def names_and_labels() -> Callable[[Language], Language]:
    """Before training: gives the vocabulary what is known of words, and the entity recogniser every label.

    The labels, because of a streamed corpus spaCy looks for labels at the first hundred examples only.
    """

    def add(nlp: Language) -> Language:
        nlp.vocab.vectors = vectors(read_names(), words.read())
        ner: Any = nlp.get_pipe("ner")
        for label in LABELS:
            ner.add_label(label)
        return nlp

    return add


def _words(name: str) -> Iterator[tuple[int, str]]:
    """The words in lower case, with 0 for one that is the whole name, 1 for one that begins it, 2 for the others."""
    parts = [word for word in BETWEEN_WORDS.split(name) if word]
    for i, word in enumerate(parts):
        if len(word) > 1 and (word.isupper() or word.lower() not in STOP_WORDS):
            yield 0 if len(parts) == 1 else 1 if i == 0 else 2, word.lower()
