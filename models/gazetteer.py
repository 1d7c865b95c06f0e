"""What kinds of name a word is known to be part of, as spaCy's word vectors.

A word's vector has a 1 for each list of models/names that it stands in, apart for words that are a name by
themselves, begin one, or go on in one. The model looks the vector up by the word in lower case, at no cost in speed,
and learns how far to trust it. Words in the same lists share a row, so the table costs a few bytes a word.
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

from models.passage import LABELS

NAMES = Path(__file__).parent / "names"
BETWEEN_WORDS = re.compile(r"[ ,/]+|(?<=\w)-(?=\w)|(?=['’]s\b)")  # roughly where spaCy's tokenizer cuts


def read_names(folder: Path = NAMES) -> dict[str, list[str]]:
    """The lists, one name a line, by the name of their file without .txt."""
    return {file.stem: file.read_text(encoding="utf-8").splitlines() for file in sorted(folder.glob("*.txt"))}


def vectors(lists: dict[str, list[str]]) -> Vectors:
    """Keyed by the hash of the word in lower case. Left out: single letters, and stop words but for US and WHO."""
    kinds: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for kind, names in lists.items():
        for name in names:
            for place, word in _words(name):
                kinds[word].add((kind, place))
    columns = sorted(set().union(*kinds.values()))
    rows = {row: number for number, row in enumerate(sorted({_row(found, columns) for found in kinds.values()}))}
    table = Vectors(data=np.array(list(rows), dtype="float32"), name="names", attr="LOWER")
    for word, found in sorted(kinds.items()):
        table.add(get_string_id(word), row=rows[_row(found, columns)])
    return table


def names_and_labels() -> Callable[[Language], Language]:
    """Before training: gives the vocabulary the names, and the entity recogniser every label.

    The labels, because of a streamed corpus spaCy looks for labels at the first hundred examples only.
    """

    def add(nlp: Language) -> Language:
        nlp.vocab.vectors = vectors(read_names())
        ner: Any = nlp.get_pipe("ner")
        for label in LABELS:
            ner.add_label(label)
        return nlp

    return add


def _words(name: str) -> Iterator[tuple[str, str]]:
    words = [word for word in BETWEEN_WORDS.split(name) if word]
    for i, word in enumerate(words):
        if len(word) > 1 and (word.isupper() or word.lower() not in STOP_WORDS):
            yield "whole" if len(words) == 1 else "first" if i == 0 else "later", word.lower()


def _row(found: set[tuple[str, str]], columns: list[tuple[str, str]]) -> tuple[bool, ...]:
    return tuple(column in found for column in columns)
