"""The extractor with a model that only waits: `python -m bench.waiting_extractor`."""

import sys
import time
from collections.abc import Sequence

from services.extractor import __main__ as extractor
from shared.messages import EntityCount

SECONDS = 0.1
"""Of an article, about as long as the shipped model takes for a long one."""


class Waiting:
    """Stands in for the Extractor. Takes its time, and no CPU."""

    model = "waiting"

    def __init__(self, model: str) -> None:
        """model: is not loaded."""

    def extract(self, texts: Sequence[str]) -> list[list[EntityCount]]:
        time.sleep(SECONDS * len(texts))
        return [[] for _ in texts]


if __name__ == "__main__":
    vars(extractor)["Extractor"] = Waiting
    sys.exit(extractor.main())
