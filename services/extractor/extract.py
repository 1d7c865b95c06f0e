"""The model at work: texts in, entities out, in the same order."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import spacy
from thinc.api import NumpyOps, set_current_ops

from services.extractor import metrics
from services.extractor.pieces import pieces
from shared.errors import BadRecord
from shared.messages import EntityCount
from shared.names import canonical_entity
from shared.settings import refuse
from shared.telemetry import log

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

DROPPED_LABELS = frozenset({"CARDINAL", "ORDINAL", "DATE", "TIME", "MONEY", "PERCENT", "QUANTITY"})
"""Numbers and times are no one's name."""

NOT_FOR_NER = ["tagger", "morphologizer", "parser", "senter", "lemmatizer", "trainable_lemmatizer", "textcat"]
"""Components of other people's models that names do not depend on, and that cost two thirds of their time."""

MENTION_MAX_CHARS = 300
"""A longer "name" is a mistake of the model's, such as a table without spaces."""

SHIPPED = Path(__file__).parents[2]
CALL_CHARS = 25_000
"""So much text at once through the model, however long the texts are: memory grows with it, and speed does not."""

ZONE_CHARS = 2_000_000
"""So much text shares a memory zone. The first so much is read outside of any: in a zone spaCy's tokenizer knows only
the words that it has learnt outside, and learns no more."""


class Extractor:
    """One loaded model. Counts what a text mentions; keeps nothing of a text but words, and these for a while."""

    def __init__(self, model: str) -> None:
        """model: an installed package or a path, also within the project. Ends the process if it can't be loaded."""
        self._nlp = _load(model)
        self.model = f"{self._nlp.meta['lang']}_{self._nlp.meta['name']} {self._nlp.meta['version']}"
        self._zone = ExitStack()
        self._zone_chars = 0

    def extract(self, texts: Sequence[str]) -> list[list[EntityCount] | BadRecord]:
        """Each text's entities, in the texts' order; BadRecord where the model fails on a text even alone."""
        counted = self._counted(texts)
        if isinstance(counted, BadRecord):  # one text is enough to fail them all: find it
            return [alone if isinstance(alone := self._counted([text]), BadRecord) else alone[0] for text in texts]
        return list(counted)

    def _counted(self, texts: Sequence[str]) -> list[list[EntityCount]] | BadRecord:
        self._renew_zone(sum(map(len, texts)))
        numbered = [(piece, number) for number, text in enumerate(texts) for piece in pieces(text)]
        counted: dict[int, list[EntityCount]] = {}
        try:
            docs = (doc for call in calls(numbered) for doc in self._nlp.pipe(call, as_tuples=True))
            for number, of_text in groupby(docs, key=lambda pair: pair[1]):
                counted[number] = count_mentions(mentions(doc for doc, _ in of_text))
        except Exception as error:  # noqa: BLE001 (whatever a model raises, it must not stop the others' posts)
            log().warning("model.failed", texts=len(texts), exc_info=True)
            return BadRecord("model_failed", f"{type(error).__name__}: {error}")
        return [counted.get(number, []) for number in range(len(texts))]

    def _renew_zone(self, chars: int) -> None:
        """Without zones the string store grows without end; no doc may outlive its own (spaCy's memory management)."""
        if self._zone_chars >= ZONE_CHARS:
            self._zone.close()
            self._zone.enter_context(self._nlp.memory_zone())
            self._zone_chars = 0
        self._zone_chars += chars


def calls(numbered: Iterable[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    """The pieces in order, CALL_CHARS together or a few more."""
    call: list[tuple[str, int]] = []
    chars = 0
    for piece, number in numbered:
        call.append((piece, number))
        chars += len(piece)
        if chars >= CALL_CHARS:
            yield call
            call, chars = [], 0
    if call:
        yield call


def mentions(docs: Iterable["Doc"]) -> Iterator[tuple[str, str]]:
    """Text and label of every mention that counts, in reading order."""
    for doc in docs:
        metrics.TOKENS.inc(len(doc))
        for span in doc.ents:
            text, label = " ".join(span.text.split()), span.label_
            if label not in DROPPED_LABELS and len(text) <= MENTION_MAX_CHARS:
                yield text, label


def count_mentions(found: Iterable[tuple[str, str]]) -> list[EntityCount]:
    """Mentions that are one entity, added up: first seen first, the text as it first stood."""
    texts: dict[tuple[str, str], str] = {}
    counts: dict[tuple[str, str], int] = {}
    for text, label in found:
        canonical = canonical_entity(text)
        if canonical:
            entity = (label, canonical)
            texts.setdefault(entity, text)
            counts[entity] = counts.get(entity, 0) + 1
    return [
        EntityCount.model_construct(text=texts[entity], label=entity[0], count=count)
        for entity, count in counts.items()
    ]


def _load(model: str) -> "Language":
    set_current_ops(NumpyOps(use_blis=False))  # numpy's own matrix product: a quarter more words a second
    shipped = SHIPPED / model
    try:
        return spacy.load(shipped if shipped.is_dir() else model, exclude=NOT_FOR_NER)
    except (OSError, ValueError, ImportError) as error:
        refuse(
            f"EXTRACTOR_MODEL={model!r} can't be loaded: {error}. "
            "Name an installed spaCy package, or the path of a model's folder."
        )
