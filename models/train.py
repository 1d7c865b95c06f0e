"""Trains the model that ships and puts it in place: `make model`, or `python -m models.train`.

Reads train.jsonl and dev.jsonl in the folder that the environment variable CORPUS names (by default
../shared/ner-corpus), and models/corpus/*.txt. Writes models/en_namedrop_sm and the figures in
models/README.md. With OPENBLAS_NUM_THREADS=1 the same input gives the same model.
"""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import spacy
from spacy import util
from spacy.attrs import LOWER
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import registry
from thinc.api import NumpyOps, set_current_ops

from models import gazetteer, words
from models.evaluate import CORPUS, OWN_CORPUS, SHIPPED, report
from models.examples import passages_as_they_are, varied_passages

HERE = Path(__file__).parent
CONFIG = HERE / "config.cfg"
CARD = HERE / "README.md"
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- /figures -->)", re.DOTALL)
META = {
    "name": "namedrop_sm",
    "version": "1.0.0",
    "description": "Names in English news: people, organisations, places and what else articles mention.",
    "author": "namedrop",
    "license": "CC BY-SA 4.0",
    "performance": {},  # in README.md, on more than one set
}


def main() -> int:
    if not (CORPUS / "train.jsonl").is_file():
        sys.stderr.write(f"No train.jsonl in {CORPUS}: name the corpus's folder, as in make model CORPUS=folder.\n")
        return 1
    set_current_ops(NumpyOps(use_blis=False))  # numpy's own matrix product is the faster one
    with tempfile.TemporaryDirectory() as output:
        ship(best_of(CORPUS, OWN_CORPUS, Path(output)), SHIPPED)
    figures = report(str(SHIPPED), CORPUS)
    card = CARD.read_text(encoding="utf-8")
    CARD.write_text(FIGURES.sub(lambda _: f"\n{figures}\n", card), encoding="utf-8")
    sys.stdout.write(figures)
    return 0


def best_of(corpus: Path, own_corpus: Path, output: Path) -> Path:
    """The folder, in `output`, of the checkpoint with the best F1 on dev.jsonl and what is held out of our own."""
    registry.readers.register("namedrop.passages.v1", func=passages_as_they_are)
    registry.readers.register("namedrop.varied_passages.v1", func=varied_passages)
    registry.callbacks.register("namedrop.names_and_labels.v1", func=gazetteer.names_and_labels)
    paths = {
        "paths.train": [str(corpus / "train.jsonl"), str(own_corpus)],
        "paths.dev": [str(corpus / "dev.jsonl"), str(own_corpus)],
    }
    train(init_nlp(util.load_config(CONFIG, overrides=paths)), output)
    return output / "model-best"


def ship(trained: Path, target: Path) -> None:
    """Puts the model in the folder `trained` to `target`, without the words of the corpus and the paths to it.

    The weights know words by their hashes: the strings that training left in the vocabulary are of no use to them.
    """
    best = spacy.load(trained)
    nlp = util.load_model_from_config(best.config.merge({"paths": {"train": None, "dev": None}}))
    nlp.from_bytes(best.to_bytes(exclude=["vocab"]), exclude=["vocab", "config"])
    nlp.vocab.vectors = gazetteer.vectors(gazetteer.read_names(), words.read())
    nlp.meta.update(META)
    shutil.rmtree(target, ignore_errors=True)
    nlp.to_disk(target)
    # spaCy 3.8 reads `attr` here but writes it for floret vectors only. Without it words are looked up in their own
    # case, and few are found: F1 on dev falls from 0.67 to 0.53.
    (target / "vocab" / "vectors.cfg").write_text(json.dumps({"mode": "default", "attr": LOWER}), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
