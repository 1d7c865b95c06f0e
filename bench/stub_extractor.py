"""The extractor with a model that waits instead of reading: `python -m bench.stub_extractor`, STUB_SECONDS an article.

Everything around the model is the extractor's own.
"""

import os
import sys
import time
from collections.abc import Sequence

import services.extractor.__main__ as extractor
from shared.messages import EntityCount

NAMES = 24
"""As many as an article of the demo has."""


class Stub:
    """In the place of services.extractor.extract.Extractor."""

    model = "stub 1.0.0"

    def __init__(self, _model: str) -> None:
        self._seconds = float(os.environ["STUB_SECONDS"])
        self._found = [EntityCount(text=f"Name Number {number}", label="PERSON", count=1) for number in range(NAMES)]

    def extract(self, texts: Sequence[str]) -> list[list[EntityCount]]:
        time.sleep(self._seconds * len(texts))
        return [self._found for _ in texts]


if __name__ == "__main__":
    vars(extractor)["Extractor"] = Stub
    sys.exit(extractor.main())
