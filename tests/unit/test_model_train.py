import json
from pathlib import Path

import pytest
import spacy

from models import train

LINES = (
    "[Ada Lovelace](PERSON) met [Siemens](ORG) in [Rome](GPE).",
    "[Bo Li](PERSON) left [Oslo](GPE) for [Bonn](GPE).",
)


@pytest.fixture
def corpora(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of JSON lines and one of markup, both of a hundred passages or so."""
    shared, own = tmp_path / "shared", tmp_path / "own"
    shared.mkdir()
    own.mkdir()
    record = {
        "text": "Ada left Rome.",
        "spans": [[0, 3, "PERSON"], [9, 13, "GPE"]],
        "source": "btc/g",
        "licence": "CC0",
    }
    for name in ("train.jsonl", "dev.jsonl"):
        (shared / name).write_text(f"{json.dumps(record)}\n" * 100, encoding="utf-8")
    lines = (f"{line} It was day {number}." for number in range(60) for line in LINES)
    (own / "news.txt").write_text("\n".join(lines), encoding="utf-8")
    return shared, own


def test_what_was_trained_is_shipped_whole(
    corpora: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings that ship, on little text: what comes out finds names, looks words up, and holds no path."""
    config = tmp_path / "config.cfg"
    short = {"training": {"max_steps": 200, "eval_frequency": 50}}
    spacy.util.load_config(train.CONFIG, interpolate=False).merge(short).to_disk(config)
    monkeypatch.setattr(train, "CONFIG", config)
    train.ship(train.best_of(*corpora, tmp_path), tmp_path / "shipped")
    nlp = spacy.load(tmp_path / "shipped")
    doc = nlp("Ada Lovelace met Siemens in Rome.")
    assert ("Rome", "GPE") in [(ent.text, ent.label_) for ent in doc.ents]
    assert nlp.vocab.vectors.n_keys > 100_000
    assert set(nlp.config["paths"].values()) == {None}
    assert nlp.meta["name"] == "namedrop_sm"
    assert "Bonn" not in nlp.vocab.strings


def test_a_folder_without_the_corpus_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said before anything is trained, with what to do."""
    monkeypatch.setattr(train, "CORPUS", tmp_path)
    assert train.main() == 1
    assert f"No train.jsonl in {tmp_path}" in capsys.readouterr().err
