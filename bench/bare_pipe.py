"""`nlp.pipe` and nothing else: `python -m bench.bare_pipe COUNT CHARS` prints the articles a second.

The model and the matrix product are the extractor's, the texts are made first, and the batches are of the size that
was fastest here, of 4, 8, 16, 64 and 256.
"""

import sys
import time

import spacy
from thinc.api import NumpyOps, set_current_ops

from bench.texts import texts
from services.extractor.extract import SHIPPED
from services.extractor.settings import ExtractorSettings

BATCH = 16


def main() -> None:
    count, chars = map(int, sys.argv[1:])
    set_current_ops(NumpyOps(use_blis=False))
    nlp = spacy.load(SHIPPED / ExtractorSettings().extractor_model)
    articles = texts(count, chars)
    started = time.perf_counter()
    for doc in nlp.pipe(articles, batch_size=BATCH):
        assert doc.ents is not None
    sys.stdout.write(f"{count / (time.perf_counter() - started)}\n")


if __name__ == "__main__":
    main()
