"""The extractor's model and nothing around it: `python -m bench.bare_pipe COUNT` prints articles a second."""

import sys
import time
from collections import deque

from bench.texts import articles
from services.extractor.extract import Extractor
from services.extractor.settings import ExtractorSettings
from shared.settings import load

BATCH = 64
WARM_UP = 64
"""Articles before the clock starts: the extractor has read some too when it is measured."""


def main(count: int) -> float:
    """One process, one thread, `nlp.pipe`: loaded as the extractor loads it, and the docs thrown away."""
    nlp = Extractor(load(ExtractorSettings).extractor_model)._nlp
    texts = [article["content"] for article in articles(count)]
    deque(nlp.pipe(texts[:WARM_UP], batch_size=BATCH), maxlen=0)
    started = time.monotonic()
    deque(nlp.pipe(texts, batch_size=BATCH), maxlen=0)
    return count / (time.monotonic() - started)


if __name__ == "__main__":
    sys.stdout.write(f"{main(int(sys.argv[1]))}\n")
