import json
from collections import Counter
from pathlib import Path

import spacy

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


def test_training_and_evaluation_share_no_passage_of_a_folder_of_markup(tmp_path: Path) -> None:
    """Of JSON lines each reads all; of a folder, evaluation what is held out, training the rest."""
    line = {"text": "Ada left.", "spans": [[0, 3, "PERSON"]], "source": "s", "licence": "CC0-1.0"}
    (tmp_path / "some.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    for name in ("b", "a"):
        lines = "".join(f"[Rome](GPE) fell {i} times in {name}.\n" for i in range(40))
        (tmp_path / f"{name}.txt").write_text(lines, encoding="utf-8")
    paths = [str(tmp_path / "some.jsonl"), str(tmp_path)]
    nlp = spacy.blank("en")
    evaluated = [example.reference for example in passages_as_they_are(paths)(nlp)]
    read = varied_passages(paths, seed=3, swapped_share=0.0, listed_share=0.0, recased_share=0.0)
    trained = [example.text for example in read(nlp)]
    assert evaluated[0].text == "Ada left."
    assert [(ent.text, ent.label_) for doc in evaluated[:2] for ent in doc.ents] == [("Ada", "PERSON"), ("Rome", "GPE")]
    assert {doc.text for doc in evaluated} & set(trained) == {"Ada left."}
    assert len({doc.text for doc in evaluated} | set(trained)) == 1 + 2 * 40


def test_tweets_are_seen_half_as_often_as_other_text(tmp_path: Path) -> None:
    """An epoch holds each passage as often as its source weighs, on average."""
    sources = {"btc": "btc/g", "wnut": "wnut17", "gum": "gum/news"}
    records = [
        {"text": f"{name} {number}", "spans": [], "source": source, "licence": "CC-BY-4.0"}
        for name, source in sources.items()
        for number in range(400)
    ]
    (tmp_path / "some.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.txt").write_text("".join(f"own {number}\n" for number in range(400)), encoding="utf-8")
    paths = [str(tmp_path / "some.jsonl"), str(tmp_path / "own")]
    read = varied_passages(paths, seed=3, swapped_share=0.0, listed_share=0.0, recased_share=0.0)
    seen = Counter(example.text.split(" ")[0] for example in read(spacy.blank("en")))
    assert seen["gum"] == 400
    assert 150 < seen["btc"] < 250
    assert 150 < seen["wnut"] < 250
    assert 325 < seen["own"] < 400  # but for those held out


def test_each_epoch_varies_the_passages_and_the_same_seed_gives_the_same_epochs(tmp_path: Path) -> None:
    """Training is repeatable, and sees other names each time."""
    corpus = "".join(f"[{name}](PERSON) left.\n" for name in ("Ada", "Bo", "Cy", "Di", "Ed", "Flo"))
    (tmp_path / "people.txt").write_text(corpus, encoding="utf-8")
    nlp = spacy.blank("en")

    def epochs() -> list[list[str]]:
        read = varied_passages([str(tmp_path)], seed=3, swapped_share=0.9, listed_share=0.5, recased_share=0.2)
        return [[example.text for example in read(nlp)] for _ in range(2)]

    first, second = epochs()
    assert first != second
    assert [first, second] == epochs()
