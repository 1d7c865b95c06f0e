import json
from pathlib import Path
from typing import Any

import pytest
import spacy

from models.evaluate import compare
from models.examples import passages_as_they_are, to_doc, varied_passages
from models.passage import Mention, Passage


def test_what_the_annotators_left_open_is_missing_and_not_outside() -> None:
    """Neither a name nor no name is learnt from such tokens, nor from a mention that ends inside a token."""
    passage = Passage("Ada saw it-and Rome", (Mention(0, 3, "PERSON"), Mention(15, 18, "GPE")), ignore=((8, 10),))
    doc = to_doc(passage, spacy.blank("en"))
    assert [(token.text, token.ent_iob_, token.ent_type_) for token in doc] == [
        ("Ada", "B", "PERSON"),
        ("saw", "O", ""),
        ("it", "", ""),
        ("-", "O", ""),
        ("and", "O", ""),
        ("Rome", "", ""),
    ]


def test_a_corpus_is_read_from_json_lines_and_markup_alike(tmp_path: Path) -> None:
    """A file that is named, and every text file of a folder that is named, in the order of their names."""
    line = {"text": "Ada left.", "spans": [[0, 3, "PERSON"]], "source": "s", "licence": "CC0-1.0"}
    (tmp_path / "train.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("[Rome](GPE) fell.\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("Rain.\n\nSun.\n", encoding="utf-8")
    read = passages_as_they_are([str(tmp_path / "train.jsonl"), str(tmp_path)])
    docs = [example.reference for example in read(spacy.blank("en"))]
    assert [doc.text for doc in docs] == ["Ada left.", "Rain.", "Sun.", "Rome fell."]
    assert [(ent.text, ent.label_) for doc in docs for ent in doc.ents] == [("Ada", "PERSON"), ("Rome", "GPE")]


def test_each_epoch_varies_the_passages_and_the_same_seed_gives_the_same_epochs(tmp_path: Path) -> None:
    """Training is repeatable, and sees other names each time."""
    names = ["Ada", "Bo", "Cy", "Di", "Ed", "Flo"]
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n\n".join(f"[{name}](PERSON) left." for name in names), encoding="utf-8")
    nlp = spacy.blank("en")

    def epochs() -> list[list[str]]:
        read = varied_passages([str(corpus)], seed=3, swapped_share=0.9, listed_share=0.5, recased_share=0.2)
        return [[example.text for example in read(nlp)] for _ in range(2)]

    first, second = epochs()
    assert first != second
    assert [first, second] == epochs()


@pytest.mark.parametrize(("ignore", "found"), [((), 2), (((13, 17),), 1)])
def test_finds_in_ignored_stretches_do_not_count(ignore: tuple[tuple[int, int], ...], found: int) -> None:
    """A name that the annotators left open is neither a hit nor a mistake; of the same ends, the kind decides."""
    nlp = spacy.blank("en")
    rules = [{"label": "PERSON", "pattern": "Ada"}, {"label": "LOC", "pattern": "Rome"}]
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(rules)
    passage = Passage("Ada did leave Rome", (Mention(0, 3, "PERSON"),), ignore)
    tally = compare(nlp, [passage], {"PERSON": "PERSON", "GPE": "places", "LOC": "places"})
    assert tally.found.total() == found
    assert tally.right.total() == tally.gold.total() == 1
    assert tally.f1("PERSON", "places") == 2 / (1 + found)
