"""What goes in: articles made of the demo's, and a stream of messages such as news would give."""

import itertools
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from shared.messages import EntityCount, ExtractedPost, Source

DEMO = Path(__file__).parents[1] / "cli" / "demo"
PUBLICATIONS = 40
NAMES = {
    "GPE": (5_000, 0.41),
    "ORG": (50_000, 0.2),
    "PERSON": (300_000, 0.2),
    "LOC": (6_000, 0.07),
    "NORP": (400, 0.06),
    "FAC": (200_000, 0.04),
    "EVENT": (1_000, 0.02),
}
"""How many names there are of a kind, and its share of the names of an article. In the demo's 153 articles 73 % of all
names, counted once an article, are different ones; in 153 of the stream 75 %."""
NAMES_IN_AN_ARTICLE = (24.0, 6.0)
"""Distinct ones: mean and standard deviation, as in the demo's articles of 250 words."""
MENTIONS = 1.07
"""Of a name in an article that has it, at the mean."""
ZIPF_PUBLICATIONS, ZIPF_NAMES = 1.0, 0.8
"""The exponents of how often the nth of them occurs."""


def demo_articles() -> list[dict[str, str]]:
    return [json.loads(line) for path in sorted(DEMO.glob("*.jsonl")) for line in path.read_text().splitlines()]


def texts(count: int, chars: int, seed: int = 1) -> list[str]:
    """News of about `chars` characters each: paragraphs of the demo's articles, in random order."""
    randomness = random.Random(seed)
    contents = [article["content"] for article in demo_articles()]
    made = []
    for _ in range(count):
        parts: list[str] = []
        while sum(map(len, parts)) < chars:
            parts.append(randomness.choice(contents))
        made.append("\n\n".join(parts)[:chars])
    return made


def news_stream(seed: int = 1) -> Iterator[ExtractedPost]:
    """Without end: a few publications print the most, a few names are in all papers, and most names are rare."""
    randomness = random.Random(seed)
    publications = [f"Paper {number}" for number in range(PUBLICATIONS)]
    publication_weights = list(itertools.accumulate(zipf(PUBLICATIONS, ZIPF_PUBLICATIONS)))
    name_weights = {label: list(itertools.accumulate(zipf(count, ZIPF_NAMES))) for label, (count, _) in NAMES.items()}
    labels, shares = list(NAMES), [share for _, share in NAMES.values()]
    for number in itertools.count():
        wanted = max(1, round(randomness.gauss(*NAMES_IN_AN_ARTICLE)))
        entities: dict[tuple[str, int], EntityCount] = {}
        while len(entities) < wanted:
            (label,) = randomness.choices(labels, shares)
            (rank,) = randomness.choices(range(NAMES[label][0]), cum_weights=name_weights[label])
            count = 1 + (randomness.random() < MENTIONS - 1)
            entities[label, rank] = EntityCount(text=f"{label.title()} {rank}", label=label, count=count)
        (publication,) = randomness.choices(publications, cum_weights=publication_weights)
        yield ExtractedPost(
            post_id=f"{number}",
            publication=publication,
            entities=list(entities.values()),
            source=Source(topic_id="bench", partition=0, offset=number),
            model="bench",
            extracted_at=datetime.now(UTC),
        )


def zipf(count: int, exponent: float) -> list[float]:
    """Weights of the first to the last."""
    return [1 / rank**exponent for rank in range(1, count + 1)]
