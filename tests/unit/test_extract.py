"""What the extractor makes of texts, whatever the model does."""

from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

from services.extractor.extract import MENTION_MAX_CHARS, Extractor, count_mentions
from shared.errors import BadRecord
from shared.messages import EntityCount


@Language.component("test_names")
def names(doc: Doc) -> Doc:
    """Words in capitals are persons, numbers cardinals, and one word is too much for this model."""
    if "explode" in doc.text:
        raise ValueError("cannot read this")
    doc.ents = [
        Span(doc, token.i, token.i + 1, label="CARDINAL" if token.is_digit else "PERSON")
        for token in doc
        if token.is_digit or token.is_upper
    ]
    return doc


@pytest.fixture
def extractor(tmp_path: Path) -> Extractor:
    """A model whose mistakes a test can choose, saved and loaded as any other."""
    nlp = spacy.blank("en")
    nlp.add_pipe("test_names")
    nlp.meta |= {"name": "test", "version": "1.2.3"}
    nlp.to_disk(tmp_path / "model")
    return Extractor(str(tmp_path / "model"))


def counts(found: list[EntityCount] | BadRecord) -> dict[tuple[str, str], int]:
    assert not isinstance(found, BadRecord)
    return {(each.text, each.label): each.count for each in found}


def test_entities_come_in_the_order_of_the_texts(extractor: Extractor) -> None:
    """With their counts, numbers left out; a text without any is an empty list."""
    first, second, third = extractor.extract(["ADA met BO. ADA left 7 times.", "nobody", "BO"])
    assert counts(first) == {("ADA", "PERSON"): 2, ("BO", "PERSON"): 1}
    assert counts(second) == {}
    assert counts(third) == {("BO", "PERSON"): 1}


def test_a_name_longer_than_any_is_a_mistake_of_the_model(extractor: Extractor) -> None:
    """It is left out, and the others stay."""
    longest = "A" * MENTION_MAX_CHARS
    assert counts(extractor.extract([f"{longest}A met {longest} and BO."])[0]) == {
        (longest, "PERSON"): 1, ("BO", "PERSON"): 1
    }  # fmt: skip


def test_a_text_on_which_the_model_fails_stands_alone(extractor: Extractor) -> None:
    """Its neighbours of the batch are extracted all the same."""
    first, second, third = extractor.extract(["ADA", "explode", "BO"])
    assert counts(first) == {("ADA", "PERSON"): 1}
    assert isinstance(second, BadRecord)
    assert second.kind == "model_failed"
    assert "cannot read this" in str(second)
    assert counts(third) == {("BO", "PERSON"): 1}


def test_a_long_text_is_counted_over_its_pieces(extractor: Extractor) -> None:
    """A million characters go through the model bit by bit, and their counts are added up."""
    text = "ADA met somebody there. " * 40_000
    assert counts(extractor.extract([text])[0]) == {("ADA", "PERSON"): 40_000}


def test_the_model_is_named_with_its_version(extractor: Extractor) -> None:
    """It goes into every message, so that counts can be traced to it."""
    assert extractor.model == "en_test 1.2.3"


def test_a_model_that_is_not_there_ends_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    """With the variable to change."""
    with pytest.raises(SystemExit) as ending:
        Extractor("en_nowhere_sm")
    assert ending.value.code == 2
    assert "EXTRACTOR_MODEL='en_nowhere_sm' can't be loaded" in capsys.readouterr().err


def test_mentions_of_one_entity_are_added_up() -> None:
    """Under the text that stood first; a mention without a letter is none."""
    found = count_mentions([("the EU", "ORG"), ("EU's", "ORG"), ("EU", "GPE"), ("—", "ORG")])
    assert counts(found) == {("the EU", "ORG"): 2, ("EU", "GPE"): 1}


def test_words_are_forgotten_in_time(extractor: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    """New words come with each article, for years; what is kept of them stays below a limit."""
    monkeypatch.setattr("services.extractor.extract.ZONE_CHARS", 10_000)
    known = []
    for article in range(50):
        extractor.extract([" ".join(f"WORD{article}x{number}" for number in range(200))])
        known.append(len(extractor._nlp.vocab.strings))
    assert max(known[25:]) <= max(known[:25])
