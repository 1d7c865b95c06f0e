"""Articles to measure with: the demo's, with their paragraphs in another order each time round."""

import json
import random
from collections.abc import Sequence
from itertools import count, islice
from pathlib import Path
from uuid import UUID

DEMO = Path(__file__).parents[1] / "cli" / "demo"
Article = dict[str, str]
"""publication, content."""


def demo() -> list[Article]:
    """All of the demo's, in their order: about 1,700 characters and 290 words each."""
    lines = [line for path in sorted(DEMO.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{name: json.loads(line)[name] for name in ("publication", "content")} for line in lines]


def articles(number: int, seed: int = 1) -> list[Article]:
    """The same ones for the same arguments. No two texts are equal, but they are of the same words: a model's caches
    are as warm as a newspaper keeps them."""
    randomness = random.Random(seed)
    originals = demo()
    endless = (original for _ in count() for original in randomness.sample(originals, len(originals)))
    return [_again(original, randomness) for original in islice(endless, number)]


def posts(found: Sequence[Article]) -> list[bytes]:
    """As values of the topic posts."""
    return [
        json.dumps({"id": str(UUID(int=number)), **article}, ensure_ascii=False).encode()
        for number, article in enumerate(found)
    ]


def sized(number: int, size_bytes: int) -> list[Article]:
    """Articles whose content is about `size_bytes` of UTF-8."""
    text = "\n\n".join(article["content"] for article in articles(number)).encode() * (1 + size_bytes // 1000)
    return [
        {
            "publication": f"The {size_bytes // 1000} kB Post",
            "content": text[size_bytes * index :][:size_bytes].decode(errors="ignore"),
        }
        for index in range(number)
    ]


def _again(article: Article, randomness: random.Random) -> Article:
    paragraphs = article["content"].split("\n\n")
    randomness.shuffle(paragraphs)
    return {"publication": article["publication"], "content": "\n\n".join(paragraphs)}
