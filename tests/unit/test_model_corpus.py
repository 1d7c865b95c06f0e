from collections import Counter
from pathlib import Path

import pytest
import spacy

from models.markup import read_folder
from models.passage import LABELS, Passage

CORPUS = Path(__file__).parents[2] / "models" / "corpus"


@pytest.fixture(scope="module")
def passages() -> list[Passage]:
    return [passage for held_out in (False, True) for passage in read_folder(CORPUS, held_out=held_out)]


@pytest.fixture(scope="module")
def sentences(passages: list[Passage]) -> list[str]:
    """Each sentence of the corpus, with labels in place of names: what is left of "[Ada](PERSON) ran." is "PERSON ran."

    A template gives the same sentence again and again, whatever stands in its slots.
    """
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    return [sentence.text for doc in nlp.pipe(map(_masked, passages)) for sentence in doc.sents]


def _masked(passage: Passage) -> str:
    text, position = "", 0
    for start, end, label in passage.mentions:
        text += passage.text[position:start] + label
        position = end
    return text + passage.text[position:]


def test_the_corpus_is_large_enough_to_learn_from(sentences: list[str]) -> None:
    """At least 12,000 sentences, as spaCy's sentencizer counts them."""
    assert len(sentences) >= 12_000


def test_sentences_are_not_stamped_from_templates(sentences: list[str]) -> None:
    """With the names masked nearly every sentence is still like no other, and none stands there often."""
    assert len(set(sentences)) / len(sentences) > 0.98
    _, most = Counter(sentences).most_common(1)[0]
    assert most <= 10


def test_sentences_do_not_begin_alike(passages: list[Passage], sentences: list[str]) -> None:
    """The first four words differ from line to line, and, where names are masked, nearly always too."""
    openings = [" ".join(passage.text.split()[:4]) for passage in passages]
    assert len(set(openings)) / len(openings) > 0.95
    _, most = Counter(openings).most_common(1)[0]
    assert most <= 20
    frames = [" ".join(sentence.split()[:4]) for sentence in sentences]
    assert len(set(frames)) / len(frames) > 0.8


def test_every_kind_of_name_occurs_often(passages: list[Passage]) -> None:
    """A label with a handful of examples would not be learnt; sentences without any name are needed as well."""
    labels = Counter(mention.label for passage in passages for mention in passage.mentions)
    assert set(labels) == set(LABELS)
    assert min(labels.values()) >= 300
    assert sum(not passage.mentions for passage in passages) >= 200


def test_a_third_is_running_text(passages: list[Passage]) -> None:
    """Where names are as sparse as in life: at most 6 in 100 words."""
    words = {passage: len(passage.text.split()) for passage in passages}
    running = sum(count for passage, count in words.items() if len(passage.mentions) <= 0.06 * count)
    assert running / sum(words.values()) > 0.32


def test_no_passage_stands_twice(passages: list[Passage]) -> None:
    """Else a copy of what is held out could be trained on."""
    again = [text for text, times in Counter(passage.text for passage in passages).items() if times > 1]
    assert again == []
